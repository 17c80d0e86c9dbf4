"""Hooks on tensors, on nodes and on leaves."""

from __future__ import annotations

import pytest


def test_hook_sees_the_gradient_and_may_replace_it(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * 2
    seen = []
    y.register_hook(lambda grad: seen.append(grad.tolist()))
    y.register_hook(lambda grad: grad * 10)
    y.sum().backward()

    assert seen == [[1.0, 1.0]]
    assert x.grad.tolist() == [20.0, 20.0]


def test_hooks_run_in_order_of_registration(lib):
    x = lib.ones(1, requires_grad=True)
    x.register_hook(lambda grad: grad + 1)
    x.register_hook(lambda grad: grad * 10)
    (x * 1).backward()

    assert x.grad.item() == 20.0


def test_hook_on_a_leaf_runs_before_accumulation(lib):
    x = lib.ones(1, requires_grad=True)
    x.register_hook(lambda grad: grad * 3)
    (x * 1).backward()
    (x * 1).backward()

    assert x.grad.item() == 6.0


def test_hook_runs_for_grad_too(lib):
    x = lib.ones(1, requires_grad=True)
    x.register_hook(lambda grad: grad * 3)

    assert lib.autograd.grad(x * 1, x)[0].item() == 3.0


def test_handle_removes_the_hook(lib):
    x = lib.ones(1, requires_grad=True)
    handle = x.register_hook(lambda grad: grad * 3)
    handle.remove()
    handle.remove()
    with x.register_hook(lambda grad: grad * 5):
        pass
    (x * 1).backward()

    assert x.grad.item() == 1.0


def test_hook_sees_the_gradient_of_the_whole_tensor_once(lib):
    x = lib.ones(1, requires_grad=True)
    y = x * 2
    seen = []
    y.register_hook(lambda grad: seen.append(grad.item()))
    (y * 3 + y * 4).backward()

    assert seen == [7.0]


def test_tensor_without_gradient_takes_no_hook(lib, raises):
    with raises(RuntimeError, "cannot register a hook on a tensor that doesn't require gradient"):
        lib.ones(1).register_hook(lambda grad: grad)


def test_what_a_hook_returns_is_checked(lib, raises):
    def backward_with(hook):
        y = lib.ones(2, requires_grad=True) * 2
        y.register_hook(hook)
        y.sum().backward()

    with raises(TypeError, "expected Variable, but hook returned 'int'"):
        backward_with(lambda grad: 1)
    with raises(RuntimeError, "hook '<lambda>' has changed the size of value"):
        backward_with(lambda grad: grad[:1])
    with raises(
        RuntimeError,
        "hook '<lambda>' has changed the type of value (was torch.FloatTensor got "
        "torch.DoubleTensor)",
    ):
        backward_with(lambda grad: grad.double())


def test_hook_of_a_node_sees_both_sides_and_may_replace_the_inputs(lib):
    x = lib.ones(1, requires_grad=True)
    y = x * 2
    seen = []

    def hook(grad_inputs, grad_outputs):
        seen.append((grad_inputs[0].item(), grad_outputs[0].item()))
        return (grad_inputs[0] * 10, *grad_inputs[1:])

    y.grad_fn.register_hook(hook)
    (y * 3).backward()

    assert seen == [(6.0, 3.0)]
    assert x.grad.item() == 60.0


def test_prehook_of_a_node_may_replace_its_gradient(lib):
    x = lib.ones(1, requires_grad=True)
    y = x * 2
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 10,))
    y.backward()

    assert x.grad.item() == 20.0


def test_hook_of_a_node_must_return_one_gradient_per_input(lib, raises):
    x, w = lib.ones(1, requires_grad=True), lib.ones(1, requires_grad=True)
    y = x * w
    y.grad_fn.register_hook(lambda grad_inputs, grad_outputs: (grad_inputs[0],))
    with raises(
        RuntimeError,
        "hook '<lambda>' has returned an incorrect number of values (got 1, but expected 2)",
    ):
        y.backward()


def test_hook_after_accumulation_sees_the_leaf_with_its_gradient(lib):
    x = lib.ones(1, requires_grad=True)
    seen = []
    x.register_post_accumulate_grad_hook(lambda leaf: seen.append((leaf is x, leaf.grad.item())))
    (x * 2).backward()
    (x * 2).backward()

    assert seen == [(True, 2.0), (True, 4.0)]


def test_optimizer_step_may_run_in_backward(lib):
    x = lib.ones(1, requires_grad=True)

    def step(leaf):
        with lib.no_grad():
            leaf -= 0.5 * leaf.grad
        leaf.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * 2).backward()

    assert (x.item(), x.grad) == (0.0, None)


def test_hook_after_accumulation_is_for_leaves_and_returns_nothing(lib, raises):
    x = lib.ones(1, requires_grad=True)
    with raises(
        RuntimeError, "post accumulate grad hooks cannot be registered on non-leaf tensors"
    ):
        (x * 2).register_post_accumulate_grad_hook(lambda leaf: None)

    x.register_post_accumulate_grad_hook(lambda leaf: 1)
    with raises(TypeError, "expected Variable, but hook returned 'int'"):
        (x * 2).backward()


class OwnError(Exception):
    """An exception that no library knows."""


def test_exception_of_a_hook_keeps_its_type_and_traceback(lib):
    def careless(grad):
        raise OwnError("here")

    y = lib.ones(1, requires_grad=True) * 2
    y.register_hook(careless)
    with pytest.raises(OwnError, match="here") as caught:
        y.backward()

    assert caught.traceback[-1].name == "careless"


def test_hook_on_a_view_made_under_no_grad_raises_once_its_base_was_written_to(lib, raises):
    base = lib.ones(2, requires_grad=True) * 1
    with lib.no_grad():
        view = base[:1]
    base.mul_(2)

    with raises(RuntimeError, "A view was created in no_grad mode and its base or another view"):
        view.register_hook(lambda grad: grad)


def test_hook_after_accumulation_may_not_return_a_tensor(lib, raises):
    leaf = lib.ones(2, requires_grad=True)
    leaf.register_post_accumulate_grad_hook(lambda leaf: leaf.grad)

    with raises(RuntimeError, "Tensor post accumulate grad hooks should return None."):
        leaf.sum().backward()
