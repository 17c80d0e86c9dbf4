"""Which tensors are recorded, which are leaves, and the ways out of the graph."""

from __future__ import annotations

import copy

import numpy as np
import pytest


def test_nothing_requires_grad_unless_asked(lib):
    x = lib.ones(2)

    assert (x.requires_grad, x.is_leaf, x.grad_fn, x.grad) == (False, True, None, None)


def test_result_requires_grad_if_an_input_does(lib):
    x, w = lib.ones(2), lib.ones(2, requires_grad=True)

    assert (x * x).requires_grad is False
    assert (x * w).requires_grad is True
    assert (x * w).sum().requires_grad is True


def test_computed_tensor_without_history_is_a_leaf(lib):
    x = lib.ones(2)

    assert (x * 2).is_leaf
    assert not (lib.ones(2, requires_grad=True) * 2).is_leaf


def test_flag_set_later_counts_from_then_on(lib):
    x = lib.ones(2)
    before = x * 2
    x.requires_grad = True

    assert (before.requires_grad, (x * 2).requires_grad) == (False, True)


CHANGE_LEAVES_ONLY = (
    "you can only change requires_grad flags of leaf variables. If you want to use a computed "
    "variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
)


def test_computed_tensor_cannot_be_told_to_forget(lib, raises):
    y = lib.ones(2, requires_grad=True) * 2
    with raises(RuntimeError, CHANGE_LEAVES_ONLY):
        y.requires_grad = False
    with raises(RuntimeError, CHANGE_LEAVES_ONLY):
        y.requires_grad_(False)


def test_asking_a_computed_tensor_for_what_it_does_changes_nothing(lib):
    y = lib.ones(2, requires_grad=True) * 2

    assert y.requires_grad_(True) is y


FLOATING_ONLY = "nly Tensors of floating point and complex dtype can require gradients"


def test_integers_cannot_require_grad(lib, raises):
    with raises(RuntimeError, "O" + FLOATING_ONLY):
        lib.tensor([1], requires_grad=True)
    with raises(RuntimeError, "O" + FLOATING_ONLY):
        lib.ones(2, dtype=lib.int64, requires_grad=True)
    with raises(RuntimeError, "O" + FLOATING_ONLY):
        lib.arange(3, requires_grad=True)
    with raises(RuntimeError, "O" + FLOATING_ONLY):
        lib.nn.Parameter(lib.tensor([1]))


def test_setting_the_flag_of_integers_raises_in_each_spelling(lib, raises):
    x = lib.tensor([1])
    with raises(RuntimeError, "o" + FLOATING_ONLY):
        x.requires_grad = True
    with raises(RuntimeError, "only Tensors of floating point dtype can require gradients"):
        x.requires_grad_()


def test_integers_may_be_frozen(lib):
    assert lib.nn.Parameter(lib.tensor([1]), requires_grad=False).requires_grad is False
    assert lib.tensor([1]).requires_grad_(False).requires_grad is False


def test_complex_tensors_can_require_grad(lib):
    assert lib.tensor([1j], requires_grad=True).requires_grad


def test_flag_must_be_a_bool(lib, raises):
    x = lib.ones(2)
    with raises(RuntimeError, "requires_grad must be a bool"):
        x.requires_grad = 1
    with raises(
        TypeError, "requires_grad_(): argument 'requires_grad' (position 1) must be bool, not int"
    ):
        x.requires_grad_(1)


def test_integer_results_never_require_grad(lib):
    x = lib.tensor([2.0, 1.0], requires_grad=True)

    assert not x.argmax().requires_grad
    assert not (x > 1).requires_grad
    assert not x.long().requires_grad
    assert not x.max(0).indices.requires_grad
    assert x.max(0).values.requires_grad


def test_factories_honour_the_flag_under_no_grad(lib):
    with lib.no_grad():
        x = lib.ones(2, requires_grad=True)
        p = lib.nn.Parameter(lib.ones(2))

    assert (x.requires_grad, p.requires_grad) == (True, True)


def test_copying_a_tensor_with_tensor_warns_and_detaches(lib, warns):
    x = lib.ones(2, requires_grad=True)
    with warns(
        UserWarning,
        "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() "
        "or sourceTensor.detach().clone().requires_grad_(True), rather than "
        "torch.tensor(sourceTensor).",
    ):
        y = lib.tensor(x)

    assert (y.requires_grad, y.is_leaf) == (False, True)


def test_as_tensor_gives_a_tensor_back_as_it_is(lib):
    x = lib.ones(2, requires_grad=True)

    assert lib.as_tensor(x) is x


# Ways out of the graph


def test_detach_shares_memory_and_version(lib):
    x = lib.ones(2, requires_grad=True)
    y = x * 2
    d = y.detach()

    assert (d.requires_grad, d.grad_fn) == (False, None)
    assert d.data_ptr() == y.data_ptr()
    d.add_(1)
    assert (y._version, d._version) == (1, 1)
    assert y.tolist() == [3.0, 3.0]


def test_detached_leaf_may_be_written_to_and_the_leaf_sees_it(lib):
    x = lib.ones(2, requires_grad=True)
    x.detach().add_(1)

    assert x.tolist() == [2.0, 2.0]
    assert x._version == 1


def test_write_through_detach_is_noticed_by_backward(lib, raises):
    y = lib.ones(2, requires_grad=True).exp()
    y.detach().add_(1)
    with raises(
        RuntimeError,
        "one of the variables needed for gradient computation has been modified by an inplace "
        "operation",
    ):
        y.sum().backward()


def test_write_through_data_is_not_noticed_and_spoils_the_gradient(lib):
    x = lib.ones(1, requires_grad=True)
    y = x.exp()
    y.data.add_(1)
    y.backward()

    assert y._version == 0
    assert x.grad.item() == pytest.approx(2.718281828 + 1, rel=1e-6)


def test_data_shares_memory_and_counts_for_itself(lib):
    x = lib.ones(2, requires_grad=True)
    d = x.data
    d.add_(1)

    assert d.data_ptr() == x.data_ptr()
    assert (x._version, d._version, d.requires_grad, d.is_leaf) == (0, 1, False, True)


def test_data_may_be_replaced_by_another_shape(lib):
    x = lib.ones(2, requires_grad=True)
    same = x
    x.data = lib.zeros(3)

    assert same is x
    assert (x.shape, x.requires_grad) == (lib.Size([3]), True)


def test_data_must_be_a_tensor(lib, raises):
    x = lib.ones(2)
    with raises(TypeError, "Variable data has to be a tensor, but got int"):
        x.data = 1


def test_detach_in_place_makes_a_leaf(lib):
    y = lib.ones(2, requires_grad=True) * 2
    same = y.detach_()

    assert same is y
    assert (y.is_leaf, y.requires_grad, y.grad_fn) == (True, False, None)


def test_detach_in_place_of_a_view_raises(lib, raises):
    y = (lib.ones(2, requires_grad=True) * 2).view(1, 2)
    with raises(
        RuntimeError,
        "Can't detach views in-place. Use detach() instead. If you are using "
        "DistributedDataParallel (DDP)",
    ):
        y.detach_()


def test_old_wrapper_returns_a_tensor(lib):
    v = lib.autograd.Variable(lib.ones(2), requires_grad=True)

    assert type(v) is lib.Tensor
    assert v.requires_grad
    assert isinstance(lib.ones(2), lib.autograd.Variable)
    assert lib.autograd.Variable is not lib.Tensor


def test_old_flag_volatile_warns(lib, warns):
    with warns(
        UserWarning,
        "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
    ):
        lib.autograd.Variable(lib.ones(2), volatile=True)


# Parameters


def test_parameter_is_a_leaf_that_requires_grad(lib):
    p = lib.nn.Parameter(lib.ones(2))

    assert isinstance(p, lib.Tensor)
    assert (p.is_leaf, p.requires_grad) == (True, True)


@pytest.mark.parametrize(
    "made", [lambda p: p * 2, lambda p: p.data, lambda p: p.detach(), lambda p: p.clone()]
)
def test_what_is_made_of_a_parameter_is_a_plain_tensor(lib, made):
    assert type(made(lib.nn.Parameter(lib.ones(2)))) is lib.Tensor


# Copies and the host


def test_leaf_is_deep_copied_with_its_flag_and_gradient(lib):
    x = lib.ones(2, requires_grad=True)
    x.sum().backward()
    y = copy.deepcopy(x)
    y.data.add_(1)

    assert (y.requires_grad, y.grad.tolist(), x.tolist()) == (True, [1.0, 1.0], [1.0, 1.0])
    assert y.grad is not x.grad


def test_computed_tensor_is_not_deep_copied(lib, raises):
    y = lib.ones(2, requires_grad=True) * 2
    with raises(
        RuntimeError,
        "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol "
        "at the moment.",
    ):
        copy.deepcopy(y)


NO_NUMPY = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."


@pytest.mark.parametrize("read", [lambda x: x.numpy(), np.asarray, np.sin])
def test_numpy_refuses_what_requires_grad(lib, raises, read):
    with raises(RuntimeError, NO_NUMPY):
        read(lib.ones(2, requires_grad=True))


def test_numbers_may_be_read_off_what_requires_grad(lib):
    x = lib.tensor([1.5], requires_grad=True)

    assert (x.item(), x.tolist()) == (1.5, [1.5])


def test_turning_what_requires_grad_into_a_number_warns(lib, warns):
    x = lib.tensor(1.5, requires_grad=True)
    with warns(
        UserWarning,
        "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.",
    ):
        assert float(x) == 1.5


# The object


@pytest.mark.parametrize("name", ["grad_fn", "is_leaf", "output_nr"])
def test_history_is_read_only(lib, name):
    x = lib.ones(2)
    with pytest.raises(AttributeError):
        setattr(x, name, None)


def test_gradient_may_be_deleted(lib):
    x = lib.ones(2, requires_grad=True)
    x.sum().backward()
    del x.grad

    assert x.grad is None


@pytest.mark.parametrize("name", ["data", "requires_grad", "_backward_hooks"])
def test_attributes_of_a_tensor_cannot_be_deleted(lib, name):
    x = lib.ones(2)
    with pytest.raises(RuntimeError):
        delattr(x, name)


def test_tensor_is_hashed_by_identity_and_compared_by_element(lib):
    x, y = lib.ones(2), lib.ones(2)

    assert hash(x) == id(x)
    assert {x: 1}[x] == 1
    assert (x == y).tolist() == [True, True]
    assert x in [x, y]


def test_view_made_under_no_grad_may_be_made_to_require_grad(lib):
    with lib.no_grad():
        weight = lib.ones(2, 3).t()
    weight.requires_grad_()

    (weight * 2).sum().backward()

    assert (weight.requires_grad, weight.is_leaf) == (True, True)
    assert weight.grad.tolist() == [[2.0, 2.0]] * 3


def test_write_into_the_base_leaves_a_view_that_was_made_a_leaf_requiring_grad(lib):
    base = lib.ones(2, 3)
    with lib.no_grad():
        weight = base.t()
    weight.requires_grad_()

    base.mul_(2)

    assert (weight.requires_grad, weight.tolist()) == (True, [[2.0, 2.0]] * 3)
