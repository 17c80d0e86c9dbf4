"""Writing into tensors: what is counted, what is noticed, what is refused."""

from __future__ import annotations

import pytest

MODIFIED = (
    "one of the variables needed for gradient computation has been modified by an inplace "
    "operation: "
)
HINT = (
    "Hint: enable anomaly detection to find the operation that failed to compute its gradient, "
    "with torch.autograd.set_detect_anomaly(True, check_nan=False)."
)
LEAF = "a leaf Variable that requires grad is being used in an in-place operation."


def test_every_in_place_op_counts_the_version_up(lib):
    x = lib.ones(2)
    versions = []
    for name, *arguments in (
        ("add_", 1),
        ("mul_", 2),
        ("zero_",),
        ("fill_", 3),
        ("copy_", lib.zeros(2)),
        ("__setitem__", 0, 5.0),
        ("clamp_", 0, 1),
        ("exp_",),
    ):
        getattr(x, name)(*arguments)
        versions.append(x._version)

    assert versions == [1, 2, 3, 4, 5, 6, 7, 8]


def test_augmented_assignment_writes_in_place(lib):
    x = lib.ones(2)
    same = x
    x += 1
    x -= 0.5
    x *= 4
    x /= 2

    assert same is x
    assert (x._version, x.tolist()) == (4, [3.0, 3.0])


def test_views_and_detached_tensors_share_the_version(lib):
    x = lib.ones(2, 2)
    view, deep, detached = x.view(4), x[0][1:], x.detach()
    deep.add_(1)

    assert {t._version for t in (x, view, deep, detached)} == {1}
    assert x.tolist() == [[1.0, 2.0], [1.0, 1.0]]


def test_saved_output_changed_in_place_raises_and_names_the_op(lib, raises):
    x = lib.ones(2, 2, requires_grad=True)
    y = x.exp()
    with lib.no_grad():
        y.add_(1)
    with raises(
        RuntimeError,
        MODIFIED + "[torch.FloatTensor [2, 2]], which is output 0 of Exp, is at version 1; "
        "expected version 0 instead. " + HINT,
    ):
        y.sum().backward()


def test_saved_leaf_changed_in_place_raises_and_names_no_op(lib, raises):
    x, w = lib.ones(2), lib.ones(2, requires_grad=True)
    y = x * w
    x.add_(1)
    with raises(
        RuntimeError,
        MODIFIED + "[torch.FloatTensor [2]] is at version 1; expected version 0 instead. " + HINT,
    ):
        y.sum().backward()


def test_saved_input_changed_through_a_view_raises(lib):
    x, w = lib.ones(2, 2), lib.ones(2, 2, requires_grad=True)
    y = x * w
    x[0].zero_()

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_failed_check_says_what_was_found_and_expected(lib, raises):
    x, w = lib.ones(2, dtype=lib.float64), lib.ones(2, dtype=lib.float64, requires_grad=True)
    x.add_(1)
    y = x * w
    x.add_(1)
    x.add_(1)
    with raises(
        RuntimeError,
        MODIFIED + "[torch.DoubleTensor [2]] is at version 3; expected version 1 instead.",
    ):
        y.sum().backward()


def test_optimizer_step_between_two_passes_is_noticed(lib):
    w = lib.ones(2, requires_grad=True)
    x = lib.ones(2, requires_grad=True)
    y = (x * w).sum()
    y.backward(retain_graph=True)
    with lib.no_grad():
        w -= 0.1

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_leaf_that_requires_grad_is_refused_before_it_changes(lib, raises):
    x = lib.ones(2, requires_grad=True)
    for name, *arguments in (("add_", 1), ("zero_",), ("copy_", lib.zeros(2))):
        with raises(RuntimeError, LEAF):
            getattr(x, name)(*arguments)

    assert (x.tolist(), x._version) == ([1.0, 1.0], 0)


def test_view_of_a_leaf_is_refused_before_it_changes(lib, raises):
    x = lib.ones(2, requires_grad=True)
    sentence = (
        "a view of a leaf Variable that requires grad is being used in an in-place operation."
    )
    with raises(RuntimeError, sentence):
        x[0] = 5.0
    with raises(RuntimeError, sentence):
        x.view(2, 1).mul_(2)

    assert (x.tolist(), x._version) == ([1.0, 1.0], 0)


def test_leaf_may_be_written_under_no_grad(lib):
    x = lib.ones(2, requires_grad=True)
    with lib.no_grad():
        x.sub_(0.5)
        x[0] = 7.0

    assert x.tolist() == [7.0, 0.5]
    assert (x.requires_grad, x.is_leaf) == (True, True)


def test_tensor_without_history_may_be_written_freely(lib):
    x = lib.zeros(3)
    x[1:] = lib.tensor([1.0, 2.0])
    x[0] += 5

    assert x.tolist() == [5.0, 1.0, 2.0]


# Refused, with nothing changed


def test_out_takes_no_part_in_autograd(lib, raises):
    x, out = lib.ones(2, requires_grad=True), lib.zeros(2)
    with raises(
        RuntimeError,
        "add(): functions with out=... arguments don't support automatic differentiation, but one "
        "of the arguments requires grad.",
    ):
        lib.add(x, 1, out=out)

    assert out.tolist() == [0.0, 0.0]


def test_out_is_written_and_returned(lib):
    out = lib.zeros(2)
    found = lib.add(lib.ones(2), 1, out=out)

    assert found is out
    assert (out.tolist(), out._version) == ([2.0, 2.0], 1)


def test_in_place_op_cannot_lift_the_dtype_of_its_target(lib, raises):
    x = lib.ones(2, dtype=lib.int64)
    with raises(RuntimeError, "result type Float can't be cast to the desired output type Long"):
        x.add_(1.5)

    assert (x.tolist(), x.dtype) == ([1, 1], lib.int64)


def test_in_place_op_cannot_grow_its_target(lib, raises):
    x = lib.ones(2)
    with raises(RuntimeError, "output with shape [2] doesn't match the broadcast shape [3, 2]"):
        x.add_(lib.ones(3, 2))

    assert (x.tolist(), x._version) == ([1.0, 1.0], 0)


def test_expanded_target_is_refused(lib, raises):
    x = lib.ones(1)
    with raises(
        RuntimeError,
        "unsupported operation: more than one element of the written-to tensor refers to a single "
        "memory location. Please clone() the tensor before performing the operation.",
    ):
        x.expand(3).add_(1)

    assert x.tolist() == [1.0]


def test_view_made_under_no_grad_is_not_written_in_grad_mode(lib, raises):
    base = lib.ones(2, requires_grad=True) * 1
    with lib.no_grad():
        view = base[:1]
    with raises(
        RuntimeError,
        "A view was created in no_grad mode and is being modified inplace with grad mode enabled.",
    ):
        view.mul_(2)

    assert base.tolist() == [1.0, 1.0]


SHARED = "unsupported operation: some elements of the input tensor and the written-to tensor refer"


def test_source_that_overlaps_the_target_in_part_raises(lib, raises):
    x = lib.tensor([0.0, 1.0, 2.0, 3.0])
    for write in (
        lambda: x[1:].copy_(x[:-1]),
        lambda: x[1:].add_(x[:-1]),
        lambda: x.__setitem__(slice(1, None), x[:-1]),
        lambda: x.mul_(x[0]),
        lambda: lib.add(x[:-1], 1, out=x[1:]),
    ):
        with raises(RuntimeError, SHARED):
            write()
    assert (x.tolist(), x._version) == ([0.0, 1.0, 2.0, 3.0], 0)


def test_source_that_is_the_target_is_read_before_it_is_written(lib):
    x = lib.tensor([1.0, 2.0])
    x.add_(x)
    x.view(2).mul_(x)

    assert x.tolist() == [4.0, 16.0]


def test_places_of_a_tensor_cannot_be_filled_from_itself(lib, raises):
    x, places = lib.tensor([0.0, 1.0, 2.0, 3.0]), lib.tensor([0, 1])
    with raises(RuntimeError, SHARED):
        x.index_add_(0, places, x[:2])
    with raises(RuntimeError, SHARED):
        x[places] = x[2:]


def test_expanded_tensor_can_be_filled_but_not_added_to(lib, raises):
    x = lib.ones(1).expand(3)
    with raises(RuntimeError, "unsupported operation: more than one element of the written-to"):
        x.add_(1)
    x.fill_(3)

    assert x.tolist() == [3.0] * 3


def test_comparison_in_place_leaves_a_gradient_of_zero(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * 1
    y.eq_(1)
    y.sum().backward()

    assert (y.grad_fn.name(), x.grad.tolist()) == ("EqBackward0", [0.0, 0.0])


def test_resize_keeps_the_memory_and_counts_as_a_write(lib):
    x = lib.arange(4)
    x.resize_(2)
    x.resize_(2, 2)

    assert (x.tolist(), x._version) == ([[0, 1], [2, 3]], 2)


def test_tensor_that_requires_grad_is_not_resized(lib, raises):
    x = lib.ones(2, requires_grad=True)
    for tensor in (x, x * 1):
        with raises(RuntimeError, "cannot resize variables that require grad"):
            tensor.resize_(3)


def test_set_gives_a_tensor_another_memory(lib):
    x, y = lib.ones(3), lib.zeros(2)
    x.set_(y)
    y.add_(1)

    assert (x.tolist(), x._version) == ([1.0, 1.0], 1)


def test_expanded_out_is_not_written_even_if_its_shape_has_to_change(lib, raises):
    out = lib.zeros(3).expand(2, 3)
    with raises(RuntimeError, "unsupported operation: more than one element of the written-to"):
        lib.mul(lib.ones(4, 3), 2, out=out)

    assert tuple(out.shape) == (2, 3)


def test_out_of_another_shape_is_resized_with_a_warning(lib, warns):
    out, empty = lib.zeros(2), lib.zeros(0)
    with warns(UserWarning, "An output with one or more elements was resized since it had shape"):
        lib.add(lib.ones(3), 1, out=out)
    lib.add(lib.ones(3), 1, out=empty)

    assert out.tolist() == empty.tolist() == [2.0] * 3


def test_out_of_a_lower_dtype_raises(lib, raises):
    with raises(RuntimeError, "result type Float can't be cast to the desired output type Long"):
        lib.add(lib.ones(2), 1, out=lib.zeros(2, dtype=lib.int64))


def test_functions_with_an_underscore_write_into_their_argument(lib):
    x = lib.tensor([-1.0, 4.0])

    assert lib.relu_(x) is x
    assert lib.sqrt_(x).tolist() == x.tolist() == [0.0, 2.0]


def test_data_of_a_tensor_that_requires_grad_stays_floating(lib, raises):
    x = lib.ones(2, requires_grad=True)
    with raises(RuntimeError, "data set to a tensor that requires gradients must be floating"):
        x.data = lib.ones(2, dtype=lib.int64)


def test_mask_may_be_filled_with_a_number_of_the_same_tensor(lib):
    x = lib.arange(4.0)

    x[x > 1] = x[1]

    assert x.tolist() == [0.0, 1.0, 1.0, 1.0]
    leaf = lib.arange(4.0).requires_grad_()
    y = leaf * 1
    y[y > 1] = y[1]
    y.sum().backward()
    assert leaf.grad.tolist() == [1.0, 3.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "multiply",
    [
        lambda lib, x, out: lib.matmul(x, x, out=out),
        lambda lib, x, out: lib.mm(x, x, out=out),
        lambda lib, x, out: lib.linalg.matrix_power(x, 2, out=out),
    ],
    ids=["matmul", "mm", "matrix_power"],
)
def test_out_is_refused_where_a_gradient_is_wanted(lib, multiply):
    x, out = lib.eye(2).requires_grad_(), lib.zeros(2, 2)

    with pytest.raises(RuntimeError, match=r"\(\): functions with out=... arguments don't support"):
        multiply(lib, x, out)
    with lib.no_grad():
        multiply(lib, x, out)

    assert out.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_write_into_a_view_that_was_made_a_leaf_requiring_grad_raises(lib, raises):
    buffer = lib.zeros(3)
    part = buffer[1:]
    part.requires_grad_()

    with raises(RuntimeError, "a view of a leaf Variable that requires grad is being used in an"):
        part.mul_(2)


def test_write_into_a_view_of_a_detached_base_raises(lib, raises):
    base = lib.ones(3, requires_grad=True) * 1
    part = base[1:]
    base.detach_()

    with raises(RuntimeError, "a view of a leaf Variable that requires grad is being used in an"):
        part.mul_(2)


def test_element_of_a_tensor_is_written_all_over_it(lib, raises):
    x = lib.arange(6.0).reshape(2, 3)

    x[0] = x[0][1]
    x[:, 1:] = x[1, 0]
    assert x.tolist() == [[1, 3, 3], [3, 3, 3]]

    with raises(RuntimeError, "unsupported operation: some elements of the input tensor and the"):
        x[0, :2] = x[0, 1:]


def test_gradient_goes_to_the_element_that_is_written_all_over(lib):
    leaf = lib.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x = leaf * 1

    x[:] = x[1]
    x.sum().backward()

    assert leaf.grad.tolist() == [0, 3, 0]


def test_dimension_without_elements_has_as_many_parts_as_are_asked_for(lib):
    assert [part.shape for part in lib.ones(2, 0).unsafe_chunk(3, 1)] == [(2, 0)] * 3
