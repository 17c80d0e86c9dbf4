"""`autograd.Function` in its finer points: its node, its arguments, and views it returns."""

from __future__ import annotations

import threading
import weakref

import pytest


def leaf(lib):
    return lib.tensor([1.0, 2.0], requires_grad=True)


def function(lib, forward, backward=None):
    """Return a Function called Made."""
    methods = {"forward": staticmethod(forward)}
    if backward is not None:
        methods["backward"] = staticmethod(backward)
    return type(lib.autograd.Function)("Made", (lib.autograd.Function,), methods)


def square_of(lib):
    return function(
        lib,
        lambda ctx, x: (ctx.save_for_backward(x), x * x)[1],
        lambda ctx, grad: 2 * ctx.saved_tensors[0] * grad,
    )


# The node


def test_node_is_the_context_and_knows_its_function(lib):
    node = square_of(lib).apply(leaf(lib)).grad_fn
    names = lib.autograd.function

    assert isinstance(node, names.BackwardCFunction)
    assert isinstance(node, names.FunctionCtx)
    assert (type(node)._forward_cls._backward_cls, node.requires_grad) == (type(node), True)
    assert type(square_of(lib)).__name__ == "FunctionMeta"
    assert node.metadata == {}


def test_old_name_of_the_saved_tensors_warns(lib, warns):
    node = square_of(lib).apply(leaf(lib)).grad_fn
    with warns(DeprecationWarning, "'saved_variables' is deprecated; use 'saved_tensors'"):
        assert len(node.saved_variables) == 1


def test_sharing_memory_needs_no_mark(lib, warns):
    def forward(ctx, x):
        ctx.mark_shared_storage((x, x))
        return x * 1

    with warns(FutureWarning, "`mark_shared_storage` is deprecated."):
        function(lib, forward).apply(leaf(lib))


# Arguments and results


def test_arguments_by_name_are_taken_in_order(lib, raises):
    seen = []

    def forward(ctx, x, scale=2, shift=5):
        seen.append((scale, shift, ctx.needs_input_grad))
        return x * scale + shift

    x = leaf(lib)
    made = function(lib, forward, lambda ctx, grad: (grad * 3, None, None))
    made.apply(x, shift=7, scale=2).sum().backward()

    assert seen == [(2, 7, (True, False, False))]
    assert x.grad.tolist() == [3.0, 3.0]
    with raises(TypeError, "forward() got an unexpected keyword argument 'z'"):
        made.apply(x, z=1)


def test_setup_of_the_context_gets_arguments_given_by_name(lib):
    class Scaled(lib.autograd.Function):
        @staticmethod
        def forward(x, scale=1):
            return x * scale

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.scale = inputs[1]

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.scale, None

    x = leaf(lib)
    Scaled.apply(x, scale=3).sum().backward()

    assert x.grad.tolist() == [3.0, 3.0]


def test_only_a_tuple_is_several_results(lib):
    made = function(lib, lambda ctx, x: [x * 1, x * 2])
    parts = made.apply(leaf(lib))

    assert type(parts) is list
    assert not parts[0].requires_grad


def test_only_a_tuple_is_several_gradients(lib, raises):
    made = function(lib, lambda ctx, x, k: x * k, lambda ctx, grad: [grad, None])
    with raises(
        RuntimeError, "function MadeBackward returned an incorrect number of gradients (expected 2,"
    ):
        made.apply(leaf(lib), 2).sum().backward()


def test_gradients_of_other_results_are_zeros_of_their_dtype_or_none(lib):
    seen = []

    def backward(ctx, *grads):
        seen.append([grad if grad is None else (grad.tolist(), grad.dtype) for grad in grads])
        return grads[0]

    made = function(lib, lambda ctx, x: (x * 1, x > 0, x.long(), "text", None), backward)
    made.apply(leaf(lib))[0].sum().backward()

    assert seen == [[
        ([1.0, 1.0], lib.float32), ([False, False], lib.bool), ([0, 0], lib.int64), None, None,
    ]]  # fmt: skip


def test_same_result_twice_is_one_output_with_both_gradients(lib):
    def forward(ctx, x):
        y = x * 2
        return y, y

    x = leaf(lib)
    first, second = function(lib, forward, lambda ctx, a, b: (a + b) * 10).apply(x)
    (first + second).sum().backward()

    assert first is second
    assert first.output_nr == 1
    assert x.grad.tolist() == [20.0, 20.0]


def test_complex_gradient_of_a_real_input_raises(lib, raises):
    made = function(lib, lambda ctx, x: x * 1, lambda ctx, grad: grad.to(lib.complex64))
    with raises(
        RuntimeError,
        "Expected isFloatingType(grad.scalar_type()) || (input_is_complex == grad_is_complex) to "
        "be true, but got false.",
    ):
        made.apply(leaf(lib)).sum().backward()


def test_gradient_may_be_stated_as_vjp_and_not_under_both_names(lib, raises):
    class Sevenfold(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def vjp(ctx, grad):
            return grad * 7

    class Both(Sevenfold):
        @staticmethod
        def backward(ctx, grad):
            return grad

    x = leaf(lib)
    Sevenfold.apply(x).sum().backward()
    assert x.grad.tolist() == [7.0, 7.0]
    with raises(
        RuntimeError,
        "Implementing both 'backward' and 'vjp' for a custom Function is not allowed.",
    ):
        Both.apply(x).sum().backward()


def test_gradients_may_come_in_one_list(lib):
    class Boxed(lib.autograd.Function):
        boxed_grads_call = True

        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, grads):
            first, second = grads
            grads.clear()
            return first * 2 + second * 3

    x = leaf(lib)
    Boxed.apply(x)[0].sum().backward()

    assert x.grad.tolist() == [2.0, 2.0]


def test_saved_tensors_may_be_let_go_of_when_they_are_read(lib, raises):
    class Once(lib.autograd.Function):
        clear_saved_tensors_on_access = True

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2 + ctx.saved_tensors[0] * 0

    y = Once.apply(leaf(lib)).sum()
    y.backward(retain_graph=True)
    with raises(
        RuntimeError,
        "saved_tensors can only be accessed once when clear_saved_tensors_on_access=True is set on "
        "the autograd.Function.",
    ):
        y.backward()


# Written inputs, views


def write(ctx, x):
    x.mul_(2)
    ctx.mark_dirty(x)
    return x


def test_mark_dirty_counts_as_a_write(lib):
    x = leaf(lib) * 1
    function(lib, write).apply(x)

    assert x._version == 2


def test_dirty_view_gives_its_base_a_new_history(lib):
    x = leaf(lib)
    base = x * 1
    view = base[0:1]
    made = function(lib, write, lambda ctx, grad: grad * 10).apply(view)

    assert made is view
    assert base.grad_fn.name() == "torch::autograd::CopySlices"
    base.sum().backward()
    assert x.grad.tolist() == [10.0, 1.0]


def test_dirty_views_that_have_no_way_are_refused(lib, raises):
    def write_and_more(ctx, x):
        return write(ctx, x), x + 1

    with raises(
        RuntimeError, "a view of a leaf Variable that requires grad is being used in an in-place"
    ):
        function(lib, write).apply(leaf(lib)[0:1])
    with raises(
        RuntimeError,
        "If your Function modifies inplace an input that is a view of another Tensor, your "
        "Function cannot return more than one Tensor.",
    ):
        function(lib, write_and_more).apply((leaf(lib) * 1)[0:1])


def test_dirty_tensor_that_is_no_input_warns(lib, warns):
    def forward(ctx, x):
        y = x * 2
        ctx.mark_dirty(y)
        return y

    with warns(UserWarning, "ctx.mark_dirty() received a tensor that was not an input."):
        function(lib, forward).apply(leaf(lib))


@pytest.mark.parametrize("mark", ["mark_dirty", "mark_non_differentiable"])
def test_only_tensors_can_be_marked(lib, mark):
    def forward(ctx, x):
        getattr(ctx, mark)(3)
        return x * 1

    with pytest.raises(RuntimeError, match=mark):
        function(lib, forward).apply(leaf(lib))


CUSTOM = (
    "This view was created inside a custom Function (or because an input was returned as-is) and "
    "the autograd logic to handle view+inplace would override the custom backward associated with "
    "the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix "
    "this by cloning the output of the custom Function."
)
SEVERAL = (
    "This view is the output of a function that returns multiple views. Such functions do not "
    "allow the output views to be modified inplace. You should replace the inplace operation by an "
    "out-of-place one."
)
VIEWING = {
    "the input": (lambda ctx, x: x, CUSTOM),
    "a view": (lambda ctx, x: x.view(-1), CUSTOM),
    "the input and more": (lambda ctx, x: (x, x * 2), SEVERAL),
    "views": (lambda ctx, x: (x.view(-1), x[0:1]), SEVERAL),
}


@pytest.mark.parametrize(("forward", "why"), VIEWING.values(), ids=VIEWING)
def test_view_from_a_function_is_not_written_to(lib, raises, forward, why):
    x = leaf(lib) * 1
    made = function(lib, forward).apply(x)
    view = made[0] if isinstance(made, tuple) else made

    assert view._is_view()
    assert view._base is x
    with raises(RuntimeError, f"Output 0 of Made is a view and is being modified inplace. {why}"):
        view.mul_(2)


def test_view_from_a_function_has_no_history_once_its_base_was_written_to(lib, raises):
    x = leaf(lib) * 1
    view = function(lib, lambda ctx, x: x.view(-1)).apply(x)
    x.mul_(2)
    with raises(
        RuntimeError,
        "Output 0 of Made is a view and its base or another view of its base has been modified "
        f"inplace. {CUSTOM}",
    ):
        _ = view.grad_fn


def test_gradient_through_a_view_is_the_functions_own(lib):
    for forward in (lambda ctx, x: x, lambda ctx, x: x.view(-1)):
        x = leaf(lib)
        function(lib, forward, lambda ctx, grad: grad * 5).apply(x).sum().backward()
        assert x.grad.tolist() == [5.0, 5.0]


def test_input_returned_without_gradient_is_another_object(lib):
    def forward(ctx, x):
        ctx.mark_non_differentiable(x)
        return x

    x = leaf(lib)
    made = function(lib, forward).apply(x)
    assert (made is x, made.requires_grad, x.requires_grad) == (False, False, True)

    with lib.no_grad():
        made = function(lib, lambda ctx, x: x).apply(x)
    assert (made is x, made.requires_grad, made._is_view()) == (False, False, False)

    plain = lib.ones(2)
    made = function(lib, lambda ctx, x: x).apply(plain)
    assert (made is plain, made._is_view()) == (False, True)


# Differentiated and repeated


def test_freed_function_gives_no_saved_tensors_even_if_it_saved_none(lib, raises):
    y = function(lib, lambda ctx, x: x * 1, lambda ctx, grad: grad).apply(leaf(lib))
    y.sum().backward()
    y.sum().backward()
    with raises(RuntimeError, "Trying to backward through the graph a second time"):
        _ = y.grad_fn.saved_tensors


def test_function_inside_a_backward_is_differentiated_too(lib):
    square = square_of(lib)

    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            return grad * 3 * square.apply(ctx.saved_tensors[0])

    x = leaf(lib)
    (gradient,) = lib.autograd.grad(Cube.apply(x).sum(), x, create_graph=True)

    assert lib.autograd.grad(gradient.sum(), x)[0].tolist() == [6.0, 12.0]


def test_backward_inside_backward_goes_a_thousand_levels_deep(lib):
    class Down(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.x = (x.detach() - 1).requires_grad_()
            return ctx.x.detach()

        @staticmethod
        def backward(ctx, grad):
            if ctx.x.item() >= 0:
                with lib.enable_grad():
                    Down.apply(ctx.x).sum().backward()
            return grad

    x = lib.tensor(1000.0, requires_grad=True)
    Down.apply(x).sum().backward()

    assert x.grad.item() == 1.0


def test_function_may_run_in_threads(lib):
    x, square = leaf(lib), square_of(lib)
    threads = [threading.Thread(target=lambda: square.apply(x).sum().backward()) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert x.grad.tolist() == [16.0, 32.0]


def test_function_inherits_what_it_does_not_state(lib):
    class Base(lib.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.factor = 3

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.factor

    class Derived(Base):
        @staticmethod
        def forward(x):
            return x * 5

    x = leaf(lib)
    y = Derived.apply(x)
    y.sum().backward()

    assert y.tolist() == [5.0, 10.0]
    assert (y.grad_fn.name(), x.grad.tolist()) == ("DerivedBackward", [3.0, 3.0])


def test_context_and_saved_output_are_freed_with_the_result(lib):
    class Content:
        pass

    kept = []

    def forward(ctx, x):
        ctx.content = Content()
        kept.append(weakref.ref(ctx.content))
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    y = function(lib, forward).apply(leaf(lib))
    assert kept[0]() is not None
    del y
    assert kept[0]() is None


def test_unstated_rules_of_transforms_say_so(lib):
    function = lib.autograd.Function
    with pytest.raises(NotImplementedError, match="You must implement the jvp function for custom"):
        function.jvp(None)
    with pytest.raises(NotImplementedError, match=r"To use autograd.Function with vmap, you must"):
        function.vmap(None, None)
    assert function.generate_vmap_rule is False


def test_tensors_may_be_saved_for_forward_mode(lib):
    seen = []

    def forward(ctx, x):
        ctx.save_for_forward(x, None)
        seen.append(ctx.saved_for_forward)
        return x * 1

    x = leaf(lib)
    function(lib, forward).apply(x)
    assert seen == [(x, None)]
    with pytest.raises(AssertionError, match="save_for_forward expects all arguments to be tensor"):
        function(lib, lambda ctx, x: ctx.save_for_forward(3)).apply(x)


def test_in_place_functions_remember_that_they_are(lib):
    kind = lib.autograd.function.InplaceFunction
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        assert kind(inplace=True).inplace
    assert issubclass(kind, lib.autograd.Function)


def test_view_that_a_function_wrote_to_before_it_returned_it_is_an_output_like_any(lib):
    class Shifted(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            part = x.clone()[:2]
            part += 2
            return part

        @staticmethod
        def backward(ctx, grad):
            return lib.cat([grad, lib.zeros(1)])

    x = lib.ones(3, requires_grad=True)
    y = Shifted.apply(x)
    y.sum().backward()

    assert y.grad_fn.name() == "ShiftedBackward"
    assert x.grad.tolist() == [1, 1, 0]


@pytest.mark.parametrize("whole", [True, False])
def test_view_that_a_function_returned_unrecorded_takes_no_recorded_write(lib, raises, whole):
    class Looked(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x if whole else x[:1]

        @staticmethod
        def backward(ctx, grad):
            return grad

    view = Looked.apply(lib.ones(2))

    with raises(
        RuntimeError,
        "A view was created in no_grad mode and is being modified inplace with grad mode enabled. "
        f"{CUSTOM}",
    ):
        view += lib.ones(1, requires_grad=True)
