"""`gradcheck` beside PyTorch's: what passes, what is refused, and with which sentence."""

from __future__ import annotations

import warnings

import pytest
import torch

import chainrule as cr


def given(module, backward, forward=lambda x: x * x):
    """Return *forward* as a function with *backward* for its gradient."""

    class Given(module.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, grad):
            return backward(ctx.saved_tensors[0], grad)

    return Given.apply


def doubles(module, *values, **options):
    return module.tensor(values, dtype=module.float64, requires_grad=True, **options)


def complexes(module, *values):
    return module.tensor(values, dtype=module.complex128, requires_grad=True)


def right(m):
    return lambda x: x * x.sin(), doubles(m, 0.5, 2.0)


def right_of_two(m):
    return lambda x, w: (x * w, (x + w).exp()), (doubles(m, 0.5, 2.0), doubles(m, 1.0, 3.0))


def right_complex(m):
    return lambda z: (z * z, z.abs()), complexes(m, 1 + 2j, -1 + 0.5j)


def real_and_complex(m):
    return lambda x, z: x * z, (doubles(m, 0.5), complexes(m, 1 + 2j))


def wrong_factor(m):
    return given(m, lambda x, grad: grad * 2.1 * x), doubles(m, 0.5, 2.0)


def wrong_second(m):
    f = given(m, lambda x, grad: grad)
    return lambda c, x, w: (x * w, f(w)), (1.0, doubles(m, 1.0), doubles(m, 3.0))


def wrong_conjugate(m):
    return given(m, lambda z, grad: grad * 2 * z), complexes(m, 1 + 2j)


def not_multiplied(m):
    return given(m, lambda x, grad: 0 * grad + 2 * x), doubles(m, 0.5, 2.0)


def detached(m):
    return lambda x: (x * x).detach(), doubles(m, 0.5)


def half_detached(m):
    return lambda x: x * x.detach(), doubles(m, 0.5)


def constant(m):
    return lambda x: m.ones(2, dtype=m.float64), doubles(m, 0.5)


def drifting(m):
    state = [0.0]

    def backward(x, grad):
        state[0] += 1e-9
        return grad * (2 * x + state[0])

    return given(m, backward), doubles(m, 0.5)


def single(m):
    x = m.tensor([1.0], requires_grad=True)
    return lambda x: x * 2, x


def expanded(m):
    return lambda x: x * 2, m.ones(1, dtype=m.float64).expand(3).requires_grad_()


def no_grad_wanted(m):
    return lambda x: x * 2, m.ones(1, dtype=m.float64)


def not_a_number(m):
    return lambda x: x * float("nan"), doubles(m, 0.5)


def raises(m):
    def fail(x):
        message = "out of order"
        raise ValueError(message)

    return fail, doubles(m, 0.5)


def first_order_only(m):
    return given(m, lambda x, grad: grad * 2 * x.detach()), doubles(m, 0.5, 2.0)


PROGRAMS = [
    right, right_of_two, right_complex, real_and_complex, wrong_factor, wrong_second,
    wrong_conjugate, not_multiplied, detached, half_detached, constant, drifting, single, expanded,
    no_grad_wanted, not_a_number, raises, first_order_only,
]  # fmt: skip
OPTIONS = [
    {}, {"fast_mode": True}, {"raise_exception": False}, {"nondet_tol": 1e-6},
    {"check_undefined_grad": False}, {"check_backward_ad": False}, {"check_batched_grad": True},
    {"check_batched_forward_grad": True}, {"check_grad_dtypes": True}, {"atol": 1.0},
]  # fmt: skip


def outcome(module, checker, program, options):
    """Return the result, or the first line of the error; and the warnings."""
    function, inputs = program(module)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = getattr(module.autograd, checker)(function, inputs, **options)
        except Exception as error:  # noqa: BLE001 - whatever is raised is compared
            kinds = [k.__name__ for k in type(error).__mro__ if k.__module__ == "builtins"]
            if type(error).__name__ == "GradcheckError":
                kinds = ["GradcheckError"]
            result = kinds, str(error).split("\n")[0]
    # An advice that is part of our error, and a deprecation inside of PyTorch.
    ours = "Backwards compatibility: New undefined", "`torch.jit.script` is deprecated"
    texts = {str(w.message) for w in caught if not str(w.message).startswith(ours)}
    return result, texts


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_gradcheck_finds_what_pytorch_finds(program):
    for options in OPTIONS:
        ours, theirs = (outcome(m, "gradcheck", program, options) for m in (cr, torch))
        assert ours == theirs, options


# Where no output requires grad, PyTorch calls the function without arguments, which is a slip.
WITH_A_GRADIENT = [program for program in PROGRAMS if program not in {detached, constant}]


@pytest.mark.parametrize("program", WITH_A_GRADIENT, ids=lambda program: program.__name__)
@pytest.mark.parametrize("fast_mode", [False, True])
def test_gradgradcheck_finds_what_pytorch_finds(program, fast_mode):
    options = {"fast_mode": fast_mode}
    ours, theirs = (outcome(m, "gradgradcheck", program, options) for m in (cr, torch))
    assert ours == theirs


def tangent(factor):
    def program(m):
        class Given(m.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                ctx.save_for_forward(x)
                return x * x

            @staticmethod
            def backward(ctx, grad):
                return grad * 2 * ctx.saved_tensors[0]

            @staticmethod
            def jvp(ctx, given):
                return given * factor * ctx.saved_tensors[0]

        return Given.apply, doubles(m, 0.5, 2.0)

    return program


FORWARD = {
    "right": right, "two": right_of_two, "complex": right_complex, "mixed": real_and_complex,
    "right tangent": tangent(2), "wrong tangent": tangent(3),
    "half detached": half_detached,
}  # fmt: skip


@pytest.mark.parametrize("name", FORWARD)
@pytest.mark.parametrize("fast_mode", [False, True])
def test_forward_mode_is_checked_as_by_pytorch(name, fast_mode):
    for backward in (True, False):
        options = {
            "check_forward_ad": True, "check_backward_ad": backward, "fast_mode": fast_mode,
        }  # fmt: skip
        ours, theirs = (outcome(m, "gradcheck", FORWARD[name], options) for m in (cr, torch))
        assert ours == theirs, options
