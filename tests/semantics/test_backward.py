"""What `backward` and `autograd.grad` give, keep, free and refuse."""

from __future__ import annotations

import gc
import math
import weakref

import pytest

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)


# The root


def test_output_of_one_element_needs_no_gradient_whatever_its_shape(lib):
    for shape in [(), (1,), (1, 1)]:
        x = lib.ones(shape, requires_grad=True)
        (x * 3).backward()

        assert x.grad.tolist() == lib.full(shape, 3.0).tolist()


def test_output_of_several_elements_needs_a_gradient(lib, raises):
    x = lib.ones(2, requires_grad=True)
    with raises(RuntimeError, "grad can be implicitly created only for scalar outputs"):
        (x * 2).backward()

    (x * 2).backward(lib.tensor([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 20.0]


def test_complex_output_needs_a_gradient(lib, raises):
    x = lib.tensor(1j, requires_grad=True)
    with raises(
        RuntimeError,
        "grad can be implicitly created only for real scalar outputs but got torch.complex64",
    ):
        (x * 2).backward()


def test_tensor_without_a_graph_is_refused_whatever_its_shape(lib, raises):
    sentence = "element 0 of tensors does not require grad and does not have a grad_fn"
    with raises(RuntimeError, sentence):
        lib.ones(2).backward()
    with raises(RuntimeError, sentence):
        lib.autograd.grad(lib.ones(()), lib.ones((), requires_grad=True))


def test_gradient_must_have_the_shape_of_the_output(lib, raises):
    x = lib.ones(3, requires_grad=True)
    with raises(
        RuntimeError,
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([2]) and output[0] has a "
        "shape of torch.Size([3]).",
    ):
        (x * 2).backward(lib.ones(2))
    with raises(
        RuntimeError,
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([]) and output[0] has a "
        "shape of torch.Size([3]).",
    ):
        (x * 2).backward(lib.ones(()))


@pytest.mark.parametrize("name", ["float64", "int64"])
def test_gradient_of_another_dtype_is_cast(lib, name):
    x = lib.ones(2, requires_grad=True)
    (x * 2).backward(lib.ones(2, dtype=getattr(lib, name)))

    assert (x.grad.dtype, x.grad.tolist()) == (lib.float32, [2.0, 2.0])


def test_gradient_must_be_a_tensor(lib, raises):
    x = lib.ones(2, requires_grad=True)
    with raises(TypeError, "'float' object is not iterable"):
        (x * 2).backward(1.0)
    with raises(TypeError, "gradients can be either Tensors or None, but got float"):
        (x * 2).backward([1.0])


# Twice


def test_second_pass_over_saved_tensors_raises(lib, raises):
    x = lib.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with raises(RuntimeError, FREED):
        y.backward()


def test_second_pass_is_free_where_nothing_was_saved(lib):
    x = lib.ones(2, requires_grad=True)
    y = (x + 1).sum()
    y.backward()
    y.backward()

    assert x.grad.tolist() == [2.0, 2.0]


def test_number_that_stands_for_a_tensor_is_freed_like_one(lib, raises):
    x = lib.ones(2, requires_grad=True)
    y = x * 2
    node = y.grad_fn
    assert node._saved_other.item() == 2

    y.sum().backward()

    with raises(RuntimeError, FREED):
        y.sum().backward()
    with raises(RuntimeError, FREED):
        _ = node._saved_other


def test_zeros_for_what_was_overwritten_are_not_recorded(lib):
    x = lib.ones(2, requires_grad=True)
    y = x + 1
    y.copy_(x)
    (gradient,) = lib.autograd.grad(y.sum(), x, create_graph=True)

    assert gradient.tolist() == [1.0, 1.0]
    assert not gradient.requires_grad


def test_leaf_that_was_frozen_since_gets_no_gradient(lib):
    x, w = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True)
    y = (x * w).sum()
    w.requires_grad_(False)
    y.backward()

    assert w.grad is None
    assert x.grad.tolist() == [1.0, 1.0]


def test_view_made_without_recording_leads_nowhere(lib):
    x = lib.ones(2, 2, requires_grad=True)
    with lib.no_grad():
        row = x[0]
    (row * 2).sum().backward()

    assert row.requires_grad
    assert row.grad is None
    assert x.grad is None


def test_retained_graph_may_be_walked_again(lib):
    x = lib.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()

    assert x.grad.tolist() == [4.0, 4.0]


def test_saved_tensor_cannot_be_read_after_it_was_freed(lib, raises):
    x = lib.ones(2, requires_grad=True)
    y = x.pow(3).sum()
    node = y.grad_fn.next_functions[0][0]
    y.backward()
    with raises(RuntimeError, FREED):
        _ = node._saved_self

    assert node._saved_exponent == 3


def test_recorded_pass_retains_the_graph(lib):
    x = lib.ones(2, requires_grad=True)
    y = (x * x).sum()
    lib.autograd.grad(y, x, create_graph=True)
    lib.autograd.grad(y, x)


# Accumulation


def test_gradients_accumulate_into_one_object(lib):
    x = lib.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()

    assert x.grad is first
    assert first.tolist() == [5.0, 5.0]
    assert first._version == 1


def test_recorded_pass_accumulates_into_a_new_object(lib):
    x = lib.ones(2, requires_grad=True)
    (x * x).sum().backward()
    first = x.grad
    with pytest.warns(UserWarning, match="create_graph=True"):
        (x * x).sum().backward(create_graph=True)

    assert x.grad is not first
    assert first.tolist() == [2.0, 2.0]
    assert x.grad.requires_grad


def test_gradient_is_not_the_users_own_tensor(lib):
    x = lib.ones(2, requires_grad=True)
    given = lib.ones(2)
    (x + 0).backward(given)
    given.zero_()

    assert x.grad is not given
    assert x.grad.tolist() == [1.0, 1.0]


def test_leaves_that_get_the_same_gradient_do_not_share_it(lib):
    x, y = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True)
    (x + y).sum().backward()
    x.grad.zero_()

    assert y.grad.tolist() == [1.0, 1.0]


def test_gradient_has_the_dtype_and_shape_of_its_leaf(lib):
    x = lib.ones(2, 1, dtype=lib.float64, requires_grad=True)
    (x * lib.ones(3)).sum().backward()

    assert (x.grad.dtype, x.grad.shape) == (lib.float64, lib.Size([2, 1]))


def test_gradient_lies_in_memory_as_its_leaf_does(lib):
    x = lib.ones(2, 3).t().requires_grad_()
    (x * lib.ones(3, 2)).sum().backward()

    assert x.stride() == (1, 3)
    assert x.grad.stride() == x.stride()


def test_recorded_backward_warns_of_the_cycle(lib, warns):
    x = lib.ones(1, requires_grad=True)
    with warns(
        UserWarning,
        "Using backward() with create_graph=True will create a reference cycle between the "
        "parameter and its gradient which can cause a memory leak. We recommend using "
        "autograd.grad when creating the graph to avoid this.",
    ):
        (x * x).backward(create_graph=True)


def test_recorded_first_gradient_is_a_copy_with_a_history(lib):
    x = lib.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="reference cycle"):
        (x * x).sum().backward(create_graph=True)

    node = x.grad.grad_fn
    assert node.name() == "torch::autograd::CopyBackwards"
    assert [edge[0] and edge[0].name() for edge in node.next_functions] == [None, "AddBackward0"]


def test_inputs_limits_what_accumulates(lib):
    x, w = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True)
    (x * w).sum().backward(inputs=[x])

    assert x.grad.tolist() == [1.0, 1.0]
    assert w.grad is None


def test_inputs_may_be_one_tensor_or_a_computed_one(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * 2
    (y * y).sum().backward(inputs=y)

    assert y.grad.tolist() == [4.0, 4.0]
    assert x.grad is None


def test_inputs_cannot_be_empty(lib, raises):
    x = lib.ones(1, requires_grad=True)
    with raises(RuntimeError, "`inputs` argument to `backward()` cannot be empty."):
        (x * 2).backward(inputs=[])


# grad


def test_grad_touches_no_leaf(lib):
    x = lib.ones(2, requires_grad=True)
    (found,) = lib.autograd.grad((x * x).sum(), x)

    assert found.tolist() == [2.0, 2.0]
    assert x.grad is None


def test_grad_gives_a_tuple_or_a_dict_as_the_inputs_come(lib):
    x, w = lib.ones(2, requires_grad=True), lib.full((2,), 3.0, requires_grad=True)

    assert type(lib.autograd.grad((x * w).sum(), [x, w])) is tuple
    found = lib.autograd.grad((x * w).sum(), {"x": x, "w": w})
    assert {name: g.tolist() for name, g in found.items()} == {"x": [3.0, 3.0], "w": [1.0, 1.0]}


def test_unused_input_raises_unless_allowed(lib, raises):
    x, other = lib.ones(1, requires_grad=True), lib.ones(1, requires_grad=True)
    y = x * x
    with raises(
        RuntimeError,
        "The differentiated Tensor at index 1 appears to not have been used in the graph. "
        "Set allow_unused=True if this is the desired behavior.",
    ):
        lib.autograd.grad(y, (x, other), retain_graph=True)

    assert lib.autograd.grad(y, (x, other), allow_unused=True)[1] is None


def test_unused_input_may_give_zeros(lib):
    x, other = lib.ones(1, requires_grad=True), lib.ones(2, requires_grad=True)
    found = lib.autograd.grad(x * x, (x, other), materialize_grads=True)

    assert found[1].tolist() == [0.0, 0.0]
    assert not found[1].requires_grad


def test_zeros_in_place_of_a_recorded_gradient_require_grad(lib):
    x, other = lib.ones(1, requires_grad=True), lib.ones(2, requires_grad=True)
    found = lib.autograd.grad(x * x, (x, other), create_graph=True, materialize_grads=True)

    assert found[1].requires_grad
    assert found[1].is_leaf


def test_zeros_and_refusal_exclude_each_other(lib, raises):
    x = lib.ones(1, requires_grad=True)
    with raises(
        ValueError,
        "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
        "allow_unused=False.",
    ):
        lib.autograd.grad(x * x, x, allow_unused=False, materialize_grads=True)


def test_input_without_requires_grad_is_refused(lib, raises):
    x = lib.ones(1, requires_grad=True)
    with raises(RuntimeError, "One of the differentiated Tensors does not require grad"):
        lib.autograd.grad(x * x, lib.ones(1))


def test_inputs_of_grad_must_be_tensors_and_some(lib, raises):
    x = lib.ones(1, requires_grad=True)
    with raises(RuntimeError, "`inputs` argument to `grad()` cannot be empty."):
        lib.autograd.grad(x * x, [])
    with raises(
        (RuntimeError, TypeError),
        "all inputs have to be Tensors or GradientEdges, but got int",
    ):
        lib.autograd.grad(x * x, [1])


def test_batched_gradients_give_a_batch(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    (found,) = lib.autograd.grad(x * x, x, lib.eye(2), is_grads_batched=True)

    assert found.tolist() == [[2.0, 0.0], [0.0, 4.0]]


def test_batch_of_gradients_of_an_output_that_is_no_number_must_be_given(lib, raises):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    with raises(RuntimeError, "grad can be implicitly created only for scalar outputs"):
        lib.autograd.grad(x * x, x, is_grads_batched=True)


def test_batched_gradient_must_have_the_shape_of_the_output_behind_the_batch(lib, raises):
    x = lib.ones(2, requires_grad=True)
    with raises(
        RuntimeError,
        "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the "
        "batch dimension.",
    ):
        lib.autograd.grad(x * x, x, lib.ones(2, 3), is_grads_batched=True)


def test_derivatives_of_any_order(lib):
    x = lib.tensor(2.0, dtype=lib.float64, requires_grad=True)
    y, found = x**4, []
    for _ in range(5):
        (y,) = lib.autograd.grad(y, x, create_graph=True)
        found.append(y.item())

    assert found == [32.0, 48.0, 48.0, 24.0, 0.0]


def test_tensor_by_itself_has_gradient_one(lib):
    x = lib.tensor(2.0, requires_grad=True)
    y = x * x

    assert lib.autograd.grad(x, x)[0].item() == 1.0
    assert lib.autograd.grad(y, y)[0].item() == 1.0


def test_outputs_of_a_multi_output_op_are_numbered(lib):
    parts = lib.ones(3, requires_grad=True).unbind()

    assert [part.output_nr for part in parts] == [0, 1, 2]
    assert parts[0].grad_fn is parts[2].grad_fn


# .grad

NOT_A_LEAF = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
    "attribute won't be populated during autograd.backward(). If you indeed want the .grad field "
    "to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you "
    "access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. See "
    "github.com/pytorch/pytorch/pull/30531 for more information."
)


def test_reading_grad_of_a_computed_tensor_warns(lib, warns):
    y = lib.ones(2, requires_grad=True) * 2
    with warns(UserWarning, NOT_A_LEAF):
        assert y.grad is None


def test_gradient_of_another_shape_dtype_or_kind_cannot_be_assigned(lib, raises):
    x = lib.ones(3, requires_grad=True)
    with raises(
        RuntimeError,
        "attempting to assign a gradient of size '[2]' to a tensor of size '[3]'. Please ensure "
        "that the gradient and the tensor are the same size",
    ):
        x.grad = lib.ones(2)
    with raises(
        RuntimeError,
        "attempting to assign a gradient with dtype 'double' to a tensor with grad_dtype 'Float'.",
    ):
        x.grad = lib.ones(3, dtype=lib.float64)
    with raises(
        TypeError, "assigned grad expected to be a Tensor or None but got grad of type int"
    ):
        x.grad = 1
    with raises(RuntimeError, "can't assign Variable as its own grad"):
        x.grad = x

    assert x.grad is None


def test_retain_grad_keeps_the_gradient_of_a_computed_tensor(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    (y * 3).sum().backward()

    assert (y.retains_grad, x.retains_grad) == (True, False)
    assert y.grad.tolist() == [3.0, 3.0]


def test_retain_grad_does_nothing_on_a_leaf_and_refuses_what_has_no_gradient(lib, raises):
    x = lib.ones(2, requires_grad=True)
    x.retain_grad()

    assert not x.retains_grad
    with raises(RuntimeError, "can't retain_grad on Tensor that has requires_grad=False"):
        lib.ones(2).retain_grad()


def test_retained_gradient_is_what_the_hooks_left(lib):
    y = lib.ones(1, requires_grad=True) * 2
    y.retain_grad()
    y.register_hook(lambda grad: grad * 10)
    (y * 3).backward()

    assert y.grad.item() == 30.0


# The pass


def test_missing_gradient_of_one_output_counts_as_zeros(lib):
    x = lib.tensor([3.0, 4.0], requires_grad=True)
    first, _ = x.unbind()
    (first * 5).backward()

    assert x.grad.tolist() == [5.0, 0.0]


def test_backward_inside_a_hook_works(lib):
    x = lib.ones(1, requires_grad=True)
    other = lib.ones(1, requires_grad=True)

    def hook(grad):
        with lib.enable_grad():
            (other * 3).backward()

    y = x * 2
    y.register_hook(hook)
    y.backward()

    assert (x.grad.item(), other.grad.item()) == (2.0, 3.0)


def test_chain_of_a_hundred_thousand_ops_runs_and_is_freed(lib):
    x, one = lib.ones(1, requires_grad=True), lib.ones(1)
    y = x
    for _ in range(100_000):
        y = y * one
    y.backward()
    z = x
    for _ in range(100_000):
        z = z * one
    del z

    assert x.grad.item() == 1.0


def test_graph_is_freed_at_once(lib):
    gc.disable()
    try:
        x = lib.ones(1, requires_grad=True)
        y = x.exp()
        made = weakref.ref(y)
        del y
        assert made() is None

        y = x.exp()
        made, node = weakref.ref(y), y.grad_fn
        del y
        assert made() is None
        assert node.name() == "ExpBackward0"
    finally:
        gc.enable()


def test_leaf_is_kept_by_the_graph_and_freed_with_it(lib):
    gc.disable()
    try:
        x = lib.ones(1, requires_grad=True)
        y, leaf = x.exp(), weakref.ref(x)
        del x
        assert leaf() is not None
        del y
        assert leaf() is None
    finally:
        gc.enable()


def test_derivative_without_a_formula_raises_at_backward(lib):
    y = lib.floor_divide(lib.tensor([3.0], requires_grad=True), 2)

    assert type(y.grad_fn).__name__ == "NotImplemented"
    with pytest.raises(RuntimeError, match=r"derivative for .*floor_divide.* is not implemented"):
        y.backward()


# Conventions where there is no derivative


def gradient(lib, function, *values):
    x = lib.tensor(list(values), dtype=lib.float64, requires_grad=True)
    function(x).sum().backward()
    return x.grad.tolist()


def test_kinks_have_pytorchs_subgradients(lib):
    assert gradient(lib, lib.relu, 0.0) == [0.0]
    assert gradient(lib, lib.abs, 0.0) == [0.0]
    assert gradient(lib, lib.norm, 0.0, 0.0) == [0.0, 0.0]
    assert gradient(lib, lib.sqrt, 0.0) == [math.inf]
    assert gradient(lib, lambda x: x.clamp(-1, 1), -1.0, 0.0, 1.0, 2.0) == [1.0, 1.0, 1.0, 0.0]


def test_ties_share_the_gradient_or_one_index_takes_it(lib):
    assert gradient(lib, lambda x: x.max(), 1.0, 1.0, 0.0) == [0.5, 0.5, 0.0]
    assert gradient(lib, lambda x: x.amax(0), 1.0, 1.0, 0.0) == [0.5, 0.5, 0.0]
    assert gradient(lib, lambda x: x.median(), 1.0, 1.0, 5.0) == [0.5, 0.5, 0.0]
    assert sorted(gradient(lib, lambda x: x.max(0).values, 1.0, 1.0)) == [0.0, 1.0]
    assert gradient(lib, lambda x: lib.maximum(x, lib.ones(1, dtype=lib.float64)), 1.0) == [0.5]


def test_powers_and_products_are_right_at_zero(lib):
    assert gradient(lib, lambda x: x**0, 0.0, 2.0) == [0.0, 0.0]
    assert gradient(lib, lambda x: x.prod(), 0.0, 2.0, 3.0) == [6.0, 0.0, 0.0]
    assert gradient(lib, lambda x: x.prod(), 0.0, 0.0, 3.0) == [0.0, 0.0, 0.0]


def test_repeated_index_accumulates(lib):
    index = lib.tensor([0, 0, 1])

    assert gradient(lib, lambda x: x[index], 1.0, 2.0, 3.0) == [2.0, 1.0, 0.0]


def test_branch_that_where_did_not_choose_still_gives_nan(lib):
    found = gradient(lib, lambda x: lib.where(x > 0, x, lib.sqrt(x)), -1.0, 1.0)
    plain = gradient(lib, lambda x: lib.where(x > 0, x.log(), x), 0.0)

    assert math.isnan(found[0])
    assert found[1] == 1.0
    assert math.isnan(plain[0])


# A pass that fails


def test_leaves_that_do_not_depend_on_what_failed_get_their_gradients(lib):
    before, beside = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True)
    computed = before.exp()
    total = computed + beside
    computed.detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.sum().backward()

    assert before.grad is None
    assert beside.grad.tolist() == [1.0, 1.0]


def test_leaf_that_waits_for_what_failed_gets_nothing(lib):
    x = lib.ones(2, requires_grad=True)
    computed = x.exp()
    total = computed + x
    computed.detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.sum().backward()

    assert x.grad is None


def test_leaf_that_became_a_result_is_refused_its_gradient(lib, raises):
    x = lib.ones(2, requires_grad=True)
    y = x * 2
    x.requires_grad_(False)
    x += lib.ones(2, requires_grad=True)
    with raises(RuntimeError, "leaf variable has been moved into the graph interior"):
        y.sum().backward()


def test_base_of_a_view_that_was_written_goes_backward_once(lib, raises):
    value = lib.ones((), requires_grad=True)
    buffer = lib.zeros(3)
    buffer[0] = value
    total = buffer.sum()
    total.backward()
    with raises(RuntimeError, "Trying to backward through the graph a second time"):
        total.backward()

    assert value.grad.tolist() == 1.0
