"""Writing into tensors that have a history, and through views of them."""

from __future__ import annotations

import pytest


def names_of(node, depth=3):
    """Return the names of *node* and of what its first input leads to."""
    found = []
    while node is not None and len(found) < depth:
        found.append(node.name())
        node = node.next_functions[0][0] if node.next_functions else None
    return found


def test_computed_tensor_may_be_changed_and_the_gradient_is_right(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.mul_(3)
    y.add_(1)
    y.sum().backward()

    assert y.tolist() == [7.0, 13.0]
    assert names_of(y.grad_fn) == ["AddBackward0", "MulBackward0", "MulBackward0"]
    assert x.grad.tolist() == [6.0, 6.0]


def test_write_of_what_requires_grad_makes_the_target_require_it(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    y = lib.ones(2)
    same = y.mul_(x)
    (y * y).sum().backward()

    assert same is y
    assert (y.requires_grad, y.is_leaf, y.grad_fn.name()) == (True, False, "MulBackward0")
    assert x.grad.tolist() == [2.0, 4.0]


def test_in_place_op_saves_its_result(lib):
    x = lib.tensor([0.5, 1.0], dtype=lib.float64, requires_grad=True)
    y = x * 1
    y.exp_()
    y.sum().backward()

    assert x.grad.tolist() == pytest.approx([1.6487212707, 2.7182818285])


def test_in_place_op_on_what_was_saved_raises_at_backward(lib):
    x = lib.ones(2, requires_grad=True)
    y = x.exp()
    y.mul_(2)

    with pytest.raises(
        RuntimeError,
        match=r"which is output 0 of (ExpBackward0|MulBackward0|Exp|Mul), is at version 1",
    ):
        y.sum().backward()


def test_in_place_op_that_needs_its_own_old_input_raises_at_backward(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * 1
    y.mul_(y)

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_assignment_to_an_item_of_a_buffer_records_it(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    buffer = lib.zeros(4)
    buffer[1:3] = x * 3
    (buffer * lib.tensor([10.0, 20.0, 30.0, 40.0])).sum().backward()

    assert buffer.grad_fn.name() == "torch::autograd::CopySlices"
    assert buffer.tolist() == [0.0, 3.0, 6.0, 0.0]
    assert x.grad.tolist() == [60.0, 90.0]


def test_overwritten_elements_get_no_gradient(lib):
    x = lib.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y[1] = 0.0
    y.sum().backward()

    assert y.tolist() == [2.0, 0.0, 6.0]
    assert x.grad.tolist() == [2.0, 0.0, 2.0]


def test_write_through_a_view_changes_the_base_and_its_history(lib):
    x = lib.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    base = x * 1
    view = base.view(2, 2)[0]
    view.mul_(10)
    base.sum().backward()

    assert base.tolist() == [10.0, 20.0, 3.0, 4.0]
    assert base.grad_fn.name() == "torch::autograd::CopySlices"
    assert x.grad.tolist() == [10.0, 10.0, 1.0, 1.0]


def test_view_follows_what_is_written_into_its_base(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    base = x * 1
    view = base.view(2, 1)
    base.mul_(5)
    view.sum().backward()

    assert view.tolist() == [[5.0], [10.0]]
    assert x.grad.tolist() == [5.0, 5.0]


def test_view_of_a_buffer_begins_to_require_grad_with_it(lib):
    x = lib.tensor([2.0], requires_grad=True)
    buffer = lib.ones(3)
    view = buffer[:2]
    buffer.mul_(x)

    assert (buffer.requires_grad, view.requires_grad) == (True, True)
    view.sum().backward()
    assert x.grad.item() == 2.0


def test_sibling_view_sees_the_write(lib):
    x = lib.tensor([1.0, 2.0, 3.0], requires_grad=True)
    base = x * 1
    left, right = base[:2], base[1:]
    left.mul_(10)
    right.sum().backward()

    assert right.tolist() == [20.0, 3.0]
    assert x.grad.tolist() == [0.0, 10.0, 1.0]


@pytest.mark.parametrize(
    ("divide", "name"),
    [
        (lambda x: x.unbind(), "Unbind"),
        (lambda x: x.split(1), "Split"),
        (lambda x: x.chunk(2), "Split"),
    ],
)
def test_output_of_a_function_with_several_views_is_not_written(lib, raises, divide, name):
    base = lib.ones(2, 2, requires_grad=True) * 1
    part = divide(base)[0]
    with raises(
        RuntimeError,
        f"Output 0 of {name} is a view and is being modified inplace. This view is the "
        "output of a function that returns multiple views. Such functions do not allow the output "
        "views to be modified inplace. You should replace the inplace operation by an out-of-place "
        "one.",
    ):
        part.mul_(2)

    assert base.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_hook_set_before_a_write_sees_the_gradient_of_the_old_value(lib):
    x = lib.ones(1, requires_grad=True)
    y = x * 2
    seen = []
    y.register_hook(lambda grad: seen.append(grad.item()))
    y.mul_(10)
    y.backward()

    assert seen == [10.0]


def test_retained_gradient_is_that_of_the_tensor_after_the_write(lib):
    x = lib.ones(1, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.mul_(10)
    (y * 3).backward()

    assert y.grad.item() == 3.0


def test_copy_is_recorded_with_its_source(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    y = lib.zeros(2, dtype=lib.float64)
    y.copy_(x)
    (y * 3).sum().backward()

    assert y.grad_fn.name() == "torch::autograd::CopyBackwards"
    assert (x.grad.tolist(), x.grad.dtype) == ([3.0, 3.0], lib.float32)


def test_filled_tensor_forgets_its_history(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * 2
    y.zero_()
    y.sum().backward()

    assert x.grad.tolist() == [0.0, 0.0]


def test_gradient_of_a_base_is_laid_out_as_the_base_before_it_is_viewed(lib):
    for write in (lambda b: b.as_strided((2, 2), (4, 1), 1), lambda b: b.view(-1)[2:5]):
        for read in (lambda b: b.sum(), lambda b: (b.t() * lib.arange(12.0).reshape(4, 3)).sum()):
            x = lib.ones(3, 4, requires_grad=True)
            base = x * 1
            write(base).mul_(3.0)
            read(base).backward()

            y = lib.ones(3, 4, requires_grad=True)
            factor = lib.ones(3, 4)
            write(factor).mul_(3.0)
            read(y * factor).backward()
            assert x.grad.tolist() == y.grad.tolist()


def test_gradient_of_a_turned_base_is_laid_out_as_it(lib):
    x = lib.ones(4, 3, requires_grad=True)
    base = (x * 1).t().detach().requires_grad_()
    turned = base * 1
    turned.as_strided((3,), (1,)).mul_(2.0)
    turned.sum().backward()

    assert base.grad.sum().item() == 15.0


def test_view_with_a_hook_is_used_before_and_after_it_is_written(lib):
    x = lib.ones(3, requires_grad=True)
    base = x * 1
    view = base[:2]
    seen = []
    view.register_hook(lambda grad: seen.append(grad.tolist()))
    before = view * 2
    view -= 1
    (before.sum() + base.sum()).backward()

    assert x.grad.tolist() == [3.0, 3.0, 1.0]
    assert seen == [[2.0, 2.0]]
