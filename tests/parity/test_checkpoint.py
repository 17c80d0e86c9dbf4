"""Checkpoints beside PyTorch's: gradients, calls, refusals, warnings."""

from __future__ import annotations

import warnings

import pytest
import torch
import torch.utils.checkpoint

import chainrule as cr
import chainrule.utils.checkpoint


def leaf(m, *values):
    return m.tensor(values, requires_grad=True)


def plain(m, checkpoint):
    x = leaf(m, 0.5, 2.0)
    checkpoint(lambda x: x.exp().sin(), x).sum().backward()
    return x.grad.tolist()


def two_passes(m, checkpoint):
    x, calls = leaf(m, 0.5), []

    def function(x):
        calls.append(0)
        return x.exp().sin()

    y = checkpoint(function, x)
    y.backward(retain_graph=True)
    y.backward()
    return x.grad.tolist(), len(calls)


def grad_of_input(m, checkpoint):
    x = leaf(m, 0.5)
    (found,) = m.autograd.grad(checkpoint(lambda x: x.exp(), x), x)
    return found.tolist()


def twice_differentiated(m, checkpoint):
    x = leaf(m, 0.5)
    (first,) = m.autograd.grad(checkpoint(lambda x: x.exp().sin(), x), x, create_graph=True)
    first.backward()
    return x.grad.tolist()


def no_input_wants_gradients(m, checkpoint):
    y = checkpoint(lambda x: x * 2, m.ones(2))
    return y.requires_grad


def keyword(m, checkpoint):
    return checkpoint(lambda x, *, factor: x * factor, leaf(m, 1.0), factor=3).tolist()


def under_no_grad(m, checkpoint):
    with m.no_grad():
        return checkpoint(lambda x: x * 2, leaf(m, 1.0)).requires_grad


def dropout(m, checkpoint):
    m.manual_seed(3)
    x = m.ones(20, requires_grad=True)
    y = checkpoint(lambda x: m.nn.functional.dropout(x * x, 0.5), x)
    y.sum().backward()
    return x.grad.tolist(), m.rand(2).tolist()


def dropout_not_preserved(m, checkpoint):
    m.manual_seed(3)
    x = m.ones(20, requires_grad=True)
    y = checkpoint(lambda x: m.nn.functional.dropout(x * x, 0.5), x, preserve_rng_state=False)
    y.sum().backward()
    return x.grad.tolist(), m.rand(2).tolist()


def changing(first, second):
    def program(m, checkpoint):
        calls = []

        def function(x):
            calls.append(0)
            return first(x) if len(calls) == 1 else second(x)

        x = leaf(m, 1.0, 2.0)
        checkpoint(function, x).sum().backward()
        return x.grad.tolist()

    return program


def written_argument(m, checkpoint):
    x, w = m.ones(1), leaf(m, 2.0)
    y = checkpoint(lambda x: (x * w).exp(), x)
    x.add_(1)
    y.backward()


def raising(m, checkpoint):
    def fail(x):
        raise KeyError("x")

    checkpoint(fail, leaf(m, 1.0))


def no_output_wants_gradients(m, checkpoint):
    y = checkpoint(lambda x: x.detach() * 1, leaf(m, 1.0))
    y.sum().backward()


PROGRAMS = {
    "plain": plain, "two passes": two_passes, "grad of input": grad_of_input,
    "twice differentiated": twice_differentiated, "no input": no_input_wants_gradients,
    "keyword": keyword, "no_grad": under_no_grad, "dropout": dropout,
    "dropout not preserved": dropout_not_preserved,
    "fewer": changing(lambda x: x.exp().sin(), lambda x: x.exp()),
    "more": changing(lambda x: x.exp(), lambda x: x.sin().exp()),
    "other shape": changing(lambda x: x.exp(), lambda x: x[:1].exp().expand(2)),
    "written argument": written_argument, "raising": raising,
    "no output": no_output_wants_gradients,
}  # fmt: skip
OPTIONS = [
    {"use_reentrant": False}, {"use_reentrant": True}, {},
    {"use_reentrant": False, "early_stop": False},
    {"use_reentrant": False, "determinism_check": "none"},
    {"use_reentrant": False, "determinism_check": "some"},
    {"use_reentrant": True, "debug": True},
]  # fmt: skip


def outcome(m, program, options):
    def checkpoint(function, *args, **kwargs):
        return m.utils.checkpoint.checkpoint(function, *args, **options, **kwargs)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = program(m, checkpoint)
        except Exception as error:  # noqa: BLE001 - whatever is raised is compared
            kinds = {k.__name__ for k in type(error).__mro__ if k.__module__ == "builtins"}
            result = sorted(kinds), str(error).split("\n")[0].split("[torch")[0]
    return result, {str(w.message) for w in caught}


@pytest.mark.parametrize("name", PROGRAMS)
def test_checkpoints_are_those_of_pytorch(name):
    for options in OPTIONS:
        ours, theirs = (outcome(m, PROGRAMS[name], options) for m in (cr, torch))
        assert ours[1] == theirs[1], options
        if (
            isinstance(theirs[0], tuple)
            and isinstance(theirs[0][0], list)
            and isinstance(theirs[0][1], str)
        ):
            assert set(theirs[0][0]) <= set(ours[0][0]), options
            assert ours[0][1] == theirs[0][1], options
        else:
            assert (
                ours[0] == pytest.approx(theirs[0])
                if isinstance(theirs[0], list)
                else ours[0] == theirs[0]
            ), options
