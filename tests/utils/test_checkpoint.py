"""Promises of checkpoints: the same gradients and random numbers, less memory, clear errors."""

from __future__ import annotations

import gc
import weakref

import pytest

import chainrule as cr
from chainrule.utils import checkpoint as module
from chainrule.utils.checkpoint import (
    CheckpointError,
    checkpoint,
    checkpoint_sequential,
    set_checkpoint_debug_enabled,
    set_checkpoint_early_stop,
)

both = pytest.mark.parametrize("use_reentrant", [False, True], ids=["hooks", "reentrant"])


@pytest.fixture
def make(device):
    def make(values, **options):
        return cr.tensor(values, device=device, **{"requires_grad": True, **options})

    return make


def counted(function):
    def call(*args, **kwargs):
        call.count += 1
        return function(*args, **kwargs)

    call.count = 0
    return call


@both
def test_gradients_are_those_of_the_plain_function(make, use_reentrant):
    def function(x, w):
        return (x * w).exp().sin() + w

    plain, checked = [(make([0.5, -1.0]), make([2.0, 0.3])) for _ in range(2)]
    function(*plain).sum().backward()
    checkpoint(function, *checked, use_reentrant=use_reentrant).sum().backward()

    assert [t.grad.tolist() for t in checked] == [t.grad.tolist() for t in plain]


@both
def test_the_function_is_called_once_more_by_the_pass(make, use_reentrant):
    function = counted(lambda x: x.exp().sin())
    y = checkpoint(function, make([1.0]), use_reentrant=use_reentrant)

    assert function.count == 1
    y.backward()
    assert function.count == 2


@both
def test_random_numbers_are_repeated(make, use_reentrant):
    x = make([1.0] * 50)
    y = checkpoint(lambda x: cr.nn.functional.dropout(x * x, 0.5), x, use_reentrant=use_reentrant)
    y.sum().backward()

    assert x.grad.tolist() == (2 * y).tolist()  # of x x / (1 - p), at one, where it was kept


@both
def test_random_numbers_after_a_pass_go_on_as_without(make, use_reentrant):
    def run(use):
        cr.manual_seed(0)
        x = make([1.0, 2.0])
        y = use(lambda x: x.exp() * cr.rand(2, device=x.device), x)
        y.sum().backward()
        return cr.rand(2).tolist()

    plain = run(lambda function, x: function(x))
    assert run(lambda f, x: checkpoint(f, x, use_reentrant=use_reentrant)) == plain


def test_nothing_is_kept_of_what_the_function_saves(make):
    seen = []

    def function(x):
        inner = x.exp()
        seen.append(weakref.ref(inner))
        return inner.sin().cos()

    y = checkpoint(function, make([1.0, 2.0]), use_reentrant=False)
    gc.collect()

    assert seen[0]() is None
    y.sum().backward()


def test_a_second_pass_computes_again(make):
    function = counted(lambda x: x.exp().sin())
    x = make([1.0])
    y = checkpoint(function, x, use_reentrant=False)
    y.backward(retain_graph=True)
    y.backward()

    assert function.count == 3


def test_a_graph_that_was_freed_says_so(make):
    y = checkpoint(lambda x: x.exp(), make([1.0]), use_reentrant=False)
    y.backward()
    with pytest.raises(RuntimeError, match=r"^Trying to backward through the graph a second time"):
        y.backward()


def test_derivatives_of_derivatives_go_through(make):
    x = make([0.5])
    y = checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False)
    (first,) = cr.autograd.grad(y, x, create_graph=True)
    (second,) = cr.autograd.grad(first, x)
    z = make([0.5])
    (first_plain,) = cr.autograd.grad(z.exp().sin(), z, create_graph=True)
    (second_plain,) = cr.autograd.grad(first_plain, z)

    assert second.tolist() == pytest.approx(second_plain.tolist())


def test_an_input_of_backward_may_be_named(make):
    x, w = make([1.0]), make([2.0])
    y = checkpoint(lambda x, w: (x * w).exp(), x, w, use_reentrant=False)
    y.backward(inputs=[w])

    assert x.grad is None
    assert w.grad is not None


def test_the_reentrant_way_refuses_named_inputs(make):
    x = make([1.0])
    y = checkpoint(lambda x: x.exp(), x, use_reentrant=True)
    with pytest.raises(RuntimeError, match=r"^When use_reentrant=True, torch.utils.checkpoint is"):
        cr.autograd.grad(y, x)


def test_arguments_that_require_no_grad_are_enough_for_hooks(make):
    w = make([2.0])
    y = checkpoint(lambda x: (x * w).exp(), make([1.0], requires_grad=False), use_reentrant=False)
    y.backward()

    assert w.grad is not None


def test_the_reentrant_way_warns_where_no_argument_requires_grad(make):
    with pytest.warns(UserWarning, match=r"^None of the inputs have requires_grad=True"):
        checkpoint(lambda x: x, make([1.0], requires_grad=False), use_reentrant=True)


def test_checkpoints_nest(make):
    inner = counted(lambda x: x.exp().sin())

    def outer(x):
        return checkpoint(inner, x * 2, use_reentrant=False).cos()

    x, z = make([0.3]), make([0.3])
    checkpoint(outer, x, use_reentrant=False).backward()
    (z * 2).exp().sin().cos().backward()

    assert x.grad.tolist() == pytest.approx(z.grad.tolist())
    assert inner.count > 1


@both
def test_other_arguments_and_several_outputs_are_passed_on(make, use_reentrant):
    x = make([1.0, 2.0])
    first, second = checkpoint(
        lambda x, factor, nothing: (x * factor, x.exp()), x, 3, None, use_reentrant=use_reentrant
    )
    (first.sum() + second.sum()).backward()

    assert x.grad.tolist() == pytest.approx([3 + 2.7182818, 3 + 7.3890561])


def test_keywords_are_passed_on_by_hooks_only(make):
    y = checkpoint(lambda x, *, factor: x * factor, make([1.0]), factor=2, use_reentrant=False)

    assert y.tolist() == [2.0]
    with pytest.raises(ValueError, match=r"^Unexpected keyword arguments: factor"):
        checkpoint(lambda x, *, factor: x, make([1.0]), factor=2, use_reentrant=True)


def test_without_recording_nothing_is_kept(make):
    function = counted(lambda x: x.exp())
    with cr.no_grad():
        y = checkpoint(function, make([1.0]), use_reentrant=False)

    assert not y.requires_grad
    assert function.count == 1


def test_the_choice_must_be_made(make):
    with pytest.warns(UserWarning, match=r"^torch.utils.checkpoint: the use_reentrant parameter"):
        checkpoint(lambda x: x, make([1.0]))


# The second call


def test_early_stop_stops_when_all_is_there(make):
    def ends_reached(**options):
        ends = []

        def function(x):
            y = x.exp()
            ends.append(0)
            return y

        checkpoint(function, make([1.0]), use_reentrant=False, **options).backward()
        return len(ends)

    assert ends_reached() == 1
    assert ends_reached(early_stop=False) == 2
    with set_checkpoint_early_stop(False):
        assert ends_reached() == 2


def changing(first, second):
    """Return a function that is *first* when called the first time, *second* afterwards."""
    calls = []

    def function(x):
        calls.append(0)
        return first(x) if len(calls) == 1 else second(x)

    return function


def test_fewer_saved_tensors_are_an_error(make):
    function = changing(lambda x: x.exp().sin(), lambda x: x.exp())
    y = checkpoint(function, make([1.0]), use_reentrant=False)
    with pytest.raises(CheckpointError) as caught:
        y.backward()
    assert str(caught.value).splitlines()[:3] == [
        (
            "torch.utils.checkpoint: A different number of tensors was saved during the original "
            "forward and recomputation."
        ),
        "Number of tensors saved during forward: 2",
        "Number of tensors saved during recomputation: 1.",
    ]


def test_more_saved_tensors_are_an_error_without_early_stop(make):
    function = changing(lambda x: x.exp(), lambda x: x.exp().sin())
    y = checkpoint(function, make([1.0]), use_reentrant=False, early_stop=False)
    with pytest.raises(CheckpointError, match=r"^torch.utils.checkpoint: trying to save more"):
        y.backward()


def test_other_shapes_are_an_error_unless_unchecked(make):
    def function():
        return changing(lambda x: x.exp(), lambda x: x[:1].exp().expand(2))

    y = checkpoint(function(), make([1.0, 2.0]), use_reentrant=False)
    with pytest.raises(CheckpointError, match=r"have different metadata than during the forward"):
        y.sum().backward()
    y = checkpoint(function(), make([1.0, 2.0]), use_reentrant=False, determinism_check="none")
    y.sum().backward()


def test_debug_tells_the_operations_of_both_calls(make):
    function = changing(lambda x: x.exp().sin(), lambda x: x.exp())
    with set_checkpoint_debug_enabled(True):
        y = checkpoint(function, make([1.0]), use_reentrant=False)
    with pytest.raises(CheckpointError) as caught:
        y.backward()
    text = str(caught.value)
    assert text.startswith("An error happened while unpacking tensors; dumping logs of latest")
    assert "0: exp([1]) at " in text
    assert "1: sin([1]) at " in text
    assert "The first that differs is number 1." in text


def test_an_argument_that_was_written_to_since_is_an_error(make):
    x = make([1.0], requires_grad=False)
    w = make([2.0])
    y = checkpoint(lambda x: (x * w).exp(), x, use_reentrant=False)
    x.add_(1)
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation"):
        y.backward()


def test_contexts_surround_both_calls(make):
    entered = []

    class Context:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            entered.append(self.name)

        def __exit__(self, *exc):
            entered.append(f"end of {self.name}")

    y = checkpoint(
        lambda x: x.exp(),
        make([1.0]),
        use_reentrant=False,
        context_fn=lambda: (Context("first"), Context("second")),
    )
    y.backward()

    assert entered == ["first", "end of first", "second", "end of second"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"use_reentrant": True, "debug": True}, "Passing `context_fn` or `debug` is only"),
        ({"use_reentrant": False, "determinism_check": "x"}, "determinism_check should be one of"),
        (
            {"use_reentrant": False, "debug": True, "context_fn": lambda: None},
            "debug=True is incompatible with non-default context_fn",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(make, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        checkpoint(lambda x: x, make([1.0]), **options)


def test_an_error_of_the_function_is_the_callers(make):
    def fail(x):
        raise KeyError(x.shape)

    with pytest.raises(KeyError):
        checkpoint(fail, make([1.0]), use_reentrant=False)
    assert make([1.0]).exp().grad_fn._saved_result is not None  # no hooks are left in force


@both
@pytest.mark.parametrize("segments", [1, 2, 3])
def test_a_sequence_in_segments_is_the_sequence(device, segments, use_reentrant):
    cr.manual_seed(0)
    model = cr.nn.Sequential(*(cr.nn.Linear(3, 3) for _ in range(5))).to(device)
    x = cr.ones(2, 3, device=device, requires_grad=True)
    model(x).sum().backward()
    plain = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    checkpoint_sequential(model, segments, x, use_reentrant=use_reentrant).sum().backward()

    assert all(p.grad.allclose(g) for p, g in zip(model.parameters(), plain, strict=True))


def test_detach_variable_keeps_the_wish_for_gradients(make):
    x, y = module.detach_variable((make([1.0]) * 2, 3))

    assert x.requires_grad
    assert x.is_leaf
    assert y == 3
    with pytest.raises(RuntimeError, match="Only tuple of tensors is supported"):
        module.detach_variable([x])


def test_the_reentrant_way_refuses_grad_by_all_leaves_too(make):
    x = make([1.0, 2.0])
    y = checkpoint(lambda x: x.exp(), x, use_reentrant=True)
    with pytest.raises(RuntimeError, match=r"^When use_reentrant=True, torch.utils.checkpoint is"):
        cr.autograd.grad(y.sum(), x)
