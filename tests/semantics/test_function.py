"""`autograd.Function`: the user's own operation, its context, and what is checked."""

from __future__ import annotations

import pytest


def square_of(lib):
    class Square(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 2 * x * grad

    return Square


def exp_of(lib):
    class Exp(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[0]

    return Exp


def with_backward(lib, backward, count=1):
    """Return a function of *count* tensors that gives the first one doubled, with that backward."""

    class Given(lib.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            return tensors[0] * 2

    Given.backward = staticmethod(backward)
    return Given


def test_forward_and_backward_are_the_users(lib):
    x = lib.tensor([3.0], requires_grad=True)
    y = square_of(lib).apply(x)
    y.backward()

    assert (y.item(), x.grad.item()) == (9.0, 6.0)


def test_node_is_named_after_the_class(lib):
    y = square_of(lib).apply(lib.ones(1, requires_grad=True))

    assert y.grad_fn.name() == "SquareBackward"
    assert type(y.grad_fn).__name__ == "SquareBackward"
    assert isinstance(y.grad_fn, lib.autograd.function.FunctionCtx)


def test_forward_runs_unrecorded_and_sees_what_requires_grad(lib):
    seen = []

    class Watch(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, number, w):
            seen.append((lib.is_grad_enabled(), x.requires_grad, ctx.needs_input_grad))
            return x * w

        @staticmethod
        def backward(ctx, grad):
            seen.append(lib.is_grad_enabled())
            return grad, None, None

    x = lib.ones(1, requires_grad=True)
    y = Watch.apply(x, 3, lib.ones(1))
    y.backward()

    assert seen == [(False, True, (True, False, False)), False]


def test_backward_of_tensor_operations_can_be_differentiated(lib):
    x = lib.tensor(3.0, requires_grad=True)
    (first,) = lib.autograd.grad(square_of(lib).apply(x), x, create_graph=True)
    (second,) = lib.autograd.grad(first, x)

    assert (first.item(), second.item()) == (6.0, 2.0)


def test_saved_output_comes_back_with_its_node(lib):
    x = lib.tensor(1.0, dtype=lib.float64, requires_grad=True)
    y = exp_of(lib).apply(x)
    saved = y.grad_fn.saved_tensors[0]

    assert saved is not y
    assert saved.grad_fn is y.grad_fn
    (first,) = lib.autograd.grad(y, x, create_graph=True)
    (second,) = lib.autograd.grad(first, x)
    assert second.item() == pytest.approx(2.718281828459045)


def test_saved_tensors_are_freed_and_checked_like_any(lib, raises):
    x = lib.ones(1, requires_grad=True)
    y = square_of(lib).apply(x)
    y.backward()
    with raises(RuntimeError, "Trying to backward through the graph a second time"):
        y.backward()

    w = x.detach().clone().requires_grad_()
    y = square_of(lib).apply(w)
    with lib.no_grad():
        w.add_(1)
    with raises(
        RuntimeError,
        "one of the variables needed for gradient computation has been modified by an inplace",
    ):
        y.backward()


def test_only_tensors_can_be_saved(lib, raises):
    class Careless(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, 1)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad

    with raises(
        TypeError, "save_for_backward can only save variables, but argument 1 is of type int"
    ):
        Careless.apply(lib.ones(1, requires_grad=True))


def test_none_may_be_saved_and_other_things_are_attributes(lib):
    class Scale(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.save_for_backward(None, x)
            ctx.factor = factor
            return x * factor

        @staticmethod
        def backward(ctx, grad):
            nothing, _ = ctx.saved_tensors
            assert nothing is None
            return grad * ctx.factor, None

    x = lib.ones(1, requires_grad=True)
    Scale.apply(x, 5).backward()

    assert x.grad.item() == 5.0


# What is missing, or too much


def test_missing_methods_say_so(lib, raises):
    class Nothing(lib.autograd.Function):
        pass

    class NoBackward(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    with raises(
        NotImplementedError,
        "You must implement the forward function for custom autograd.Function.",
    ):
        Nothing.apply(lib.ones(1, requires_grad=True))
    y = NoBackward.apply(lib.ones(1, requires_grad=True))
    with raises(
        NotImplementedError,
        "You must implement either the backward or vjp method for your custom autograd.Function "
        "to use it with backward mode AD.",
    ):
        y.backward()


def test_function_is_not_instantiated_nor_called(lib, raises):
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        function = square_of(lib)()
    with raises(
        RuntimeError, "Legacy autograd function with non-static forward method is deprecated."
    ):
        function(lib.ones(1))


def test_backward_must_return_one_gradient_per_argument(lib, raises):
    x, w = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True)
    y = with_backward(lib, lambda ctx, grad: grad).apply(x, w)
    with raises(
        RuntimeError,
        "function GivenBackward returned an incorrect number of gradients (expected 2, got 1)",
    ):
        y.sum().backward()


def test_extra_none_behind_the_gradients_is_taken(lib):
    x = lib.ones(2, requires_grad=True)
    with_backward(lib, lambda ctx, grad: (grad, None, None)).apply(x).sum().backward()

    assert x.grad.tolist() == [1.0, 1.0]


def test_gradient_for_what_is_no_tensor_raises(lib, raises):
    class Scale(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            return x * factor

        @staticmethod
        def backward(ctx, grad):
            return grad, grad

    y = Scale.apply(lib.ones(1, requires_grad=True), 2)
    with raises(
        RuntimeError,
        "function ScaleBackward returned a gradient different than None at position 2, but the "
        "corresponding forward input was not a Variable",
    ):
        y.backward()


def test_gradient_of_a_shape_that_does_not_fit_raises(lib, raises):
    y = with_backward(lib, lambda ctx, grad: lib.ones(5, 5)).apply(lib.ones(2, requires_grad=True))
    with raises(
        RuntimeError,
        "Function GivenBackward returned an invalid gradient at index 0 - got [5, 5] but expected "
        "shape compatible with [2]",
    ):
        y.sum().backward()


def test_gradient_that_broadcasting_made_larger_is_summed(lib):
    x = lib.ones(2, requires_grad=True)
    with_backward(lib, lambda ctx, grad: lib.ones(3, 2)).apply(x).sum().backward()

    assert x.grad.tolist() == [3.0, 3.0]


def test_gradient_of_another_dtype_from_backward_is_cast(lib):
    x = lib.ones(2, requires_grad=True)
    with_backward(lib, lambda ctx, grad: grad.double()).apply(x).sum().backward()

    assert x.grad.dtype is lib.float32


def test_gradient_from_backward_must_be_a_tensor(lib, raises):
    y = with_backward(lib, lambda ctx, grad: 1).apply(lib.ones(2, requires_grad=True))
    with raises(RuntimeError, "expected Variable or None (got int)"):
        y.sum().backward()


# What forward says of its outputs


def test_dirty_input_is_returned_as_the_same_object(lib):
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = lib.ones(1, requires_grad=True)
    y = x * 3
    z = Double.apply(y)
    z.backward()

    assert z is y
    assert y.grad_fn.name() == "DoubleBackward"
    assert x.grad.item() == 6.0


def test_dirty_leaf_is_refused(lib, raises):
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad

    with raises(
        RuntimeError, "a leaf Variable that requires grad has been used in an in-place operation."
    ):
        Double.apply(lib.ones(1, requires_grad=True))


def test_dirty_input_must_be_returned(lib, raises):
    class Careless(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad

    y = lib.ones(1, requires_grad=True) * 2
    with raises(
        RuntimeError,
        "Some elements marked as dirty during the forward method were not returned as output. The "
        "inputs that are modified inplace must all be outputs of the Function.",
    ):
        Careless.apply(y)


def test_output_may_be_marked_as_not_differentiable(lib):
    class Sorted(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            mask = x > 0
            half = x * 0.5
            ctx.mark_non_differentiable(half)
            return x * 2, half, mask

        @staticmethod
        def backward(ctx, grad, *others):
            return grad * 2

    x = lib.ones(1, requires_grad=True)
    double, half, mask = Sorted.apply(x)
    double.backward()

    assert [t.requires_grad for t in (double, half, mask)] == [True, False, False]
    assert x.grad.item() == 2.0


@pytest.mark.parametrize("materialize", [True, False])
def test_gradient_of_an_unused_output_is_zeros_or_none(lib, materialize):
    seen = []

    class Pair(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, first, second):
            seen.append(None if second is None else second.tolist())
            return first * 2

    Pair.apply(lib.ones(1, requires_grad=True))[0].backward()

    assert seen == ([[0.0]] if materialize else [None])


def test_what_is_no_tensor_passes_through(lib):
    class Mixed(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, "text", 7

        @staticmethod
        def backward(ctx, grad, *others):
            return grad * 2

    double, text, number = Mixed.apply(lib.ones(1, requires_grad=True))

    assert (double.requires_grad, text, number) == (True, "text", 7)


def test_input_returned_as_it_is_becomes_a_new_object(lib):
    class Same(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 5

    x = lib.ones(1, requires_grad=True)
    y = Same.apply(x)
    y.backward()

    assert y is not x
    assert y.data_ptr() == x.data_ptr()
    assert x.grad.item() == 5.0


def test_context_may_be_set_up_apart_from_forward(lib):
    class Square(lib.autograd.Function):
        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 2 * x * grad

    x = lib.tensor([3.0], requires_grad=True)
    Square.apply(x).backward()

    assert x.grad.item() == 6.0


def test_backward_marked_once_differentiable_is_not_differentiated_twice(lib, raises):
    class Square(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @lib.autograd.function.once_differentiable
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 2 * x * grad

    x, w = lib.tensor([3.0], requires_grad=True), lib.ones(1, requires_grad=True)
    (first,) = lib.autograd.grad(Square.apply(x) * w, x, create_graph=True)

    assert first.item() == 6.0
    with raises(
        RuntimeError,
        "trying to differentiate twice a function that was marked with @once_differentiable",
    ):
        first.backward()


def test_exception_of_backward_keeps_its_type_and_message(lib):
    def careless(ctx, grad):
        raise LookupError("lost")

    y = with_backward(lib, careless).apply(lib.ones(1, requires_grad=True))
    with pytest.raises(LookupError, match="lost"):
        y.backward()


def test_function_without_grad_leaves_no_node(lib):
    y = square_of(lib).apply(lib.ones(1))
    with lib.no_grad():
        z = square_of(lib).apply(lib.ones(1, requires_grad=True))

    assert (y.grad_fn, z.grad_fn, z.requires_grad) == (None, None, False)
