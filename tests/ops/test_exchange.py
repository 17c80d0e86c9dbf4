"""Memory shared with other libraries through DLPack and the buffer protocol."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import chainrule as cr


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "complex128"])
def test_array_and_tensor_share_memory_and_dtype(dtype):
    array = np.zeros((2, 3), dtype)
    tensor = cr.from_dlpack(array)
    array[0, 1] = 1

    assert tensor.dtype.name == dtype
    assert tensor.tolist() == array.tolist()

    tensor[1, 2] = 1
    assert array[1, 2] == 1


def test_tensor_goes_out_with_its_strides():
    tensor = cr.arange(6.0).view(2, 3).t()
    array = np.from_dlpack(tensor)

    assert array.strides == (4, 12)
    assert array.tolist() == tensor.tolist()


def test_tensor_goes_round_through_the_protocol():
    tensor = cr.ones(2)
    again = cr.from_dlpack(tensor)
    tensor.zero_()

    assert again.tolist() == [0.0, 0.0]


def test_capsule_is_taken():
    tensor = cr.ones(2)

    assert cr.from_dlpack(tensor.__dlpack__()).tolist() == [1.0, 1.0]


def test_copy_shares_nothing():
    array = np.ones(2)
    tensor = cr.from_dlpack(array, copy=True)
    array[0] = 7.0

    assert tensor.tolist() == [1.0, 1.0]


def test_history_cannot_go_out():
    tensor = cr.ones(2, requires_grad=True)
    with pytest.raises(BufferError, match=r"^Can't export tensors that require gradient"):
        tensor.__dlpack__()

    assert np.from_dlpack(tensor.detach()).tolist() == [1.0, 1.0]


def test_what_does_not_speak_the_protocol_is_refused():
    with pytest.raises(TypeError, match="expected an object with __dlpack__, got int"):
        cr.from_dlpack(3)
    with pytest.raises(BufferError, match="cannot be shared"):
        cr.from_dlpack(np.array(["text"]))


def test_device_is_told_in_dlpacks_numbers():
    assert cr.ones(2).__dlpack_device__() == (1, 0)


@pytest.mark.skipif(
    sys.version_info < (3, 12), reason="Python asks classes for a buffer since 3.12"
)
def test_memoryview_looks_at_the_memory():
    tensor = cr.zeros(2)
    memoryview(tensor)[0] = 4.0

    assert tensor.tolist() == [4.0, 0.0]


@pytest.mark.parametrize("name", ["float32", "float16", "int64", "int32", "uint8"])
def test_scalars_of_numpy_are_numbers(lib, name):
    two = getattr(np, name)(2)
    x = lib.tensor([1.0, 3.0], requires_grad=True)
    for result, expected in (
        (two * x, [2.0, 6.0]),
        (x * two, [2.0, 6.0]),
        (two / x, [2.0, 2 / 3]),
        (two - x, [1.0, -1.0]),
        (x**two, [1.0, 9.0]),
        (lib.add(x, two, alpha=2), [5.0, 7.0]),
        (x.clamp(min=two), [2.0, 3.0]),
        (lib.where(x > two, x, two), [2.0, 3.0]),
        (x.masked_fill(x > two, two), [1.0, 2.0]),
        (lib.full((2,), two, dtype=lib.float32), [2.0, 2.0]),
        (x.detach().clone().add_(two), [3.0, 5.0]),
    ):
        assert isinstance(result, lib.Tensor)
        assert result.dtype is lib.float32
        assert result.tolist() == pytest.approx(expected)
    assert (x > two).tolist() == [False, True]
    assert lib.arange(np.int64(2)).dtype is lib.int64


def test_tensors_of_one_element_in_a_list_are_numbers(lib):
    assert lib.tensor([lib.tensor([1.0]), lib.tensor([[2.0]])]).tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="only one element tensors can be converted"):
        lib.tensor([lib.ones(2), lib.ones(2)])


def test_conversions_take_a_memory_format(lib):
    x = lib.ones(2, 3)

    assert x.double(memory_format=lib.contiguous_format).dtype is lib.float64
    assert x.float(memory_format=lib.preserve_format) is x


def test_factors_may_be_tensors_of_one_element(lib):
    x, two = lib.ones(2), lib.tensor(2.0)

    assert lib.add(x, x, alpha=two).tolist() == [3.0, 3.0]
    assert x.clone().add_(x, alpha=-two).tolist() == [-1.0, -1.0]
    assert x.clone().sub_(x, alpha=two).tolist() == [-1.0, -1.0]
    assert x.clone().addcmul_(x, x, value=two).tolist() == [3.0, 3.0]
    assert x.clone().addcdiv_(x, x, value=two).tolist() == [3.0, 3.0]


def test_an_array_and_a_tensor_over_one_memory_have_shapes_of_their_own():
    array = np.arange(4.0)
    tensors = cr.from_numpy(array), cr.as_tensor(array)
    array.shape = (2, 2)
    given = tensors[0].numpy()
    given.shape = (4, 1)
    given.flags.writeable = False
    tensors[0].add_(1)

    assert [tuple(x.shape) for x in tensors] == [(4,), (4,)]
    assert given.ravel().tolist() == array.ravel().tolist() == [1.0, 2.0, 3.0, 4.0]
