"""Copies: ``copy``, ``deepcopy`` and ``pickle``, of tensors, parameters and modules."""

from __future__ import annotations

import copy
import pickle
import warnings

import pytest


def leaf(lib):
    return lib.tensor([1.0, 2.0], requires_grad=True)


def pickled(item):
    return pickle.loads(pickle.dumps(item))  # noqa: S301 - what this process wrote


# Shallow


def test_shallow_copy_is_another_leaf_over_the_same_memory(lib):
    x = leaf(lib)
    x.note = "here"
    made = copy.copy(x)

    assert made is not x
    assert (made.requires_grad, made.is_leaf, made.note) == (True, True, "here")
    assert made.data_ptr() == x.data_ptr()


def test_shallow_copy_of_a_computed_tensor_leaves_the_history_behind(lib):
    made = copy.copy(leaf(lib) * 2)

    assert (made.requires_grad, made.grad_fn) == (True, None)


def test_shallow_copy_of_a_parameter_is_one(lib):
    p = lib.nn.Parameter(lib.ones(2))
    made = copy.copy(p)

    assert (type(made), made is p, made.requires_grad) == (type(p), False, True)
    assert made.data_ptr() == p.data_ptr()


# Deep


def test_deep_copy_has_the_gradient_and_attributes_and_none_of_the_memory(lib):
    x = leaf(lib)
    x.note = ["here"]
    (x * 2).sum().backward()
    made = copy.deepcopy(x)

    assert made.grad.tolist() == [2.0, 2.0]
    assert made.grad is not x.grad
    assert made.data_ptr() != x.data_ptr()
    assert (made.note, made.note is x.note) == (["here"], False)


def test_deep_copy_of_one_tensor_twice_is_one_tensor(lib):
    x = leaf(lib)
    first, second = copy.deepcopy([x, x])

    assert first is second


def test_deep_copies_share_memory_as_their_originals_do(lib):
    whole = lib.arange(6.0)
    first, second, third = copy.deepcopy([whole, whole[2:4], whole.detach()])
    first.zero_()

    assert second.tolist() == [0.0, 0.0]
    assert third.tolist() == [0.0] * 6
    assert whole.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_deep_copy_has_the_strides_of_the_original(lib):
    assert copy.deepcopy(lib.ones(2, 3).t()).stride() == (1, 3)


def test_deep_copy_has_no_hooks(lib):
    x = leaf(lib)
    x.register_hook(lambda grad: grad * 2)
    made = copy.deepcopy(x)
    (made * 1).sum().backward()

    assert made.grad.tolist() == [1.0, 1.0]


def test_deep_copy_of_a_module_keeps_tied_weights_tied(lib):
    first, second = lib.nn.Linear(2, 2, bias=False), lib.nn.Linear(2, 2, bias=False)
    second.weight = first.weight
    made = copy.deepcopy(lib.nn.Sequential(first, second))

    assert made[0].weight is made[1].weight
    assert made[0].weight is not first.weight
    assert len(list(made.parameters())) == 1


def test_module_that_keeps_a_computed_tensor_is_not_copied(lib, raises):
    module = lib.nn.Linear(2, 2)
    module.doubled = module.weight * 2
    with raises(
        RuntimeError,
        "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol",
    ):
        copy.deepcopy(module)


# Pickled


def test_pickled_tensor_keeps_its_flag_and_attributes_and_no_gradient(lib):
    x = leaf(lib)
    x.note = 3
    x.grad = lib.ones(2)
    made = pickled(x)

    assert (made.tolist(), made.requires_grad, made.note, made.grad) == ([1.0, 2.0], True, 3, None)


def test_computed_tensor_is_pickled_without_history(lib):
    made = pickled(leaf(lib) * 2)

    assert (made.tolist(), made.requires_grad, made.is_leaf) == ([2.0, 4.0], True, True)


@pytest.mark.parametrize("name", ["float16", "float64", "int8", "uint8", "bool", "complex64"])
def test_pickled_tensor_keeps_its_dtype(lib, name):
    dtype = getattr(lib, name)
    made = pickled(lib.ones(2, dtype=dtype))

    assert made.dtype is dtype
    assert made.tolist() == lib.ones(2, dtype=dtype).tolist()


def test_one_tensor_pickled_twice_is_one_tensor(lib):
    x = leaf(lib)
    first, second = pickled([x, x])

    assert first is second


def test_pickled_tensor_has_the_strides_of_the_original(lib):
    assert pickled(lib.ones(2, 3).t()).stride() == (1, 3)


def test_pickled_parameter_is_one_with_its_attributes(lib):
    p = lib.nn.Parameter(lib.ones(2), requires_grad=False)
    p.note = 3
    made = pickled(p)

    assert (type(made), made.requires_grad, made.note) == (type(p), False, 3)


def test_pickled_module_computes_the_same(lib):
    module = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.ReLU())
    x = lib.ones(1, 2)

    assert pickled(module)(x).tolist() == module(x).tolist()


def test_hook_is_left_behind_with_a_warning_unless_that_is_meant(lib, warns):
    x = leaf(lib)
    x.register_hook(print)
    with warns(UserWarning, f"backward hook {print!r} on tensor will not be serialized."):
        assert not pickled(x)._backward_hooks

    @lib.utils.hooks.unserializable_hook
    def meant(grad):
        return grad

    x = leaf(lib)
    x.register_hook(meant)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not pickled(x)._backward_hooks


def test_dtypes_sizes_and_devices_are_pickled_by_value(lib):
    assert pickled(lib.float32) is lib.float32
    assert copy.deepcopy(lib.float32) is lib.float32
    assert pickled(lib.Size([1, 2])) == (1, 2)
    assert pickled(lib.ones(1).device) == lib.ones(1).device


def test_handle_of_a_hook_is_found_under_its_old_path(lib):
    handle = leaf(lib).register_hook(lambda grad: grad)

    assert isinstance(handle, lib.utils.hooks.RemovableHandle)
