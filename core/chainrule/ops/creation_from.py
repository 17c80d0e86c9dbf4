"""New tensors over what is there already: arrays, buffers, other tensors."""

from __future__ import annotations

import warnings
from math import prod
from typing import TYPE_CHECKING, Any

from .._warn import warn_once
from ..dtypes import get_default_dtype
from ..errors import ArgumentError, ShapeError
from ..value import Value
from . import creation
from .copying import clone
from .creation import _from_array, _from_data, empty, finish, full, key_for
from .creation_like import key_like
from .striding import as_strided

if TYPE_CHECKING:
    from ..device import Device
    from ..dtypes import DType
    from ..tensor import Number, Tensor

__all__ = ["asarray", "empty_strided", "from_cupy", "from_numpy", "frombuffer", "scalar_tensor"]


def from_numpy(ndarray: Any) -> Tensor:
    """Return a tensor over the memory of a NumPy array: a change of one is seen in the other.

    Args:
        ndarray: A ``numpy.ndarray`` of a dtype that tensors have.

    Returns:
        A leaf on the CPU.

    Raises:
        TypeError: it is no array, or of another dtype.
        ValueError: it runs backwards through its memory, or is of the other byte order.

    >>> import numpy as np
    >>> import chainrule as cr
    >>> array = np.zeros(2)
    >>> x = cr.from_numpy(array)
    >>> array[0] = 5.0
    >>> x
    tensor([5., 0.], dtype=torch.float64)
    """
    if not (hasattr(ndarray, "__array_interface__") and hasattr(ndarray, "ctypes")):
        kind = type(ndarray)
        where = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        msg = (
            f"expected np.ndarray (got {where}{kind.__name__})\n"
            "from_numpy: use tensor() for numbers, and as_tensor() for what converts to an array."
        )
        raise ArgumentError(msg)
    if any(step < 0 for step in ndarray.strides):
        msg = (
            "At least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not currently supported. (You can probably work around this by making a "
            "copy of your array  with array.copy().) "
        )
        raise ValueError(msg)
    if not ndarray.dtype.isnative:
        msg = (
            "given numpy array has byte order different from the native byte order. Conversion "
            "between byte orders is currently not supported."
        )
        raise ValueError(msg)
    if not ndarray.flags.writeable:
        _warn_of_read_only("NumPy array", "array")
    return _from_array(ndarray, None, "cpu", requires_grad=False, copy=False)


def from_cupy(ndarray: Any) -> Tensor:
    """Return a tensor over the memory of a CuPy array: a change of one is seen in the other.

    Args:
        ndarray: A ``cupy.ndarray`` of a dtype that tensors have.

    Returns:
        A leaf on the device of the array. ``tensor.detach().cupy()`` gives an array back, again
        without a copy.

    Raises:
        TypeError: it is no array of CuPy, or of a dtype that tensors do not have.

    Differs from PyTorch:
        PyTorch has no such function; ``as_tensor`` and ``from_dlpack`` do the same there and here.
    """
    found = creation.find_foreign(ndarray) if hasattr(ndarray, "__cuda_array_interface__") else None
    if found is None:
        kind = type(ndarray)
        raise ArgumentError(
            f"from_cupy: expected cupy.ndarray, got {kind.__module__}.{kind.__name__}. Use "
            "from_dlpack() for arrays of other libraries, from_numpy() for those of NumPy."
        )
    backend, array = found
    key = backend.key(backend.dtype_of(array), backend.device_of(array))
    return finish(array, key)


def _warn_of_read_only(what: str, short: str) -> None:
    """Warn that writing into a tensor would write into memory that nobody may write into."""
    consequence = "writing to this tensor will result in undefined behavior."
    if short == "buffer":
        consequence = (
            "you can write to the underlying (supposedly non-writable) buffer using the tensor."
        )
    warn_once(
        f"The given {what} is not writable, and PyTorch does not support non-writable tensors. "
        f"This means {consequence} You may want to copy the {short} to protect its data or make "
        "it writable before converting it to a tensor.",
        UserWarning,
        stacklevel=3,
    )


def frombuffer(
    buffer: Any,
    *,
    dtype: DType,
    count: int = -1,
    offset: int = 0,
    requires_grad: bool = False,
) -> Tensor:
    r"""Return a one-dimensional tensor over the memory of *buffer*.

    Args:
        buffer: Anything with Python's buffer protocol.
        dtype: What its bytes are read as.
        count: How many elements; -1 for all that follow.
        offset: How many bytes to skip.
        requires_grad: Whether operations on the result are recorded.

    Returns:
        ``(count,)``, on the CPU.

    Raises:
        ValueError: there is no element, or not a whole number of them.

    >>> import chainrule as cr
    >>> cr.frombuffer(bytearray(b"\x01\x02\x03"), dtype=cr.uint8, offset=1)
    tensor([2, 3], dtype=torch.uint8)
    """
    try:
        memory = memoryview(buffer).cast("B")
    except TypeError:
        kind = type(buffer).__name__
        msg = (
            "object does not implement Python buffer protocol.\n"
            f"frombuffer: expected bytes, a bytearray or an array, got {kind}."
        )
        raise ValueError(msg) from None
    key = key_for(dtype, "cpu")
    dtype = key.dtype
    _check_buffer(len(memory), dtype.itemsize, count, offset)
    if count < 0:
        count = (len(memory) - offset) // dtype.itemsize
    if memory.readonly:
        _warn_of_read_only("buffer", "buffer")
    part = memory[offset : offset + count * dtype.itemsize]
    return finish(key.backend.from_buffer(part, (count,), dtype, key.device), key, requires_grad)


def _check_buffer(length: int, size: int, count: int, offset: int) -> None:
    """Check that *count* elements of *size* bytes follow *offset* in a buffer of *length* bytes."""
    after = max(length - offset, 0)
    advice = f"frombuffer: the buffer has {length} bytes, {after} of them after the offset."
    if length == 0 or count == 0:
        msg = f"both buffer length ({length}) and count ({count}) must not be 0\n{advice}"
        raise ValueError(msg)
    if not 0 <= offset < length:
        msg = (
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length "
            f"({length} bytes) minus 1\n{advice}"
        )
        raise ValueError(msg)
    if count < 0 and (length - offset) % size:
        msg = (
            f"buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a "
            f"multiple of element size ({size})\n{advice}"
        )
        raise ValueError(msg)
    if count > 0 and offset + count * size > length:
        msg = (
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must "
            f"not be greater than actual buffer length ({length} bytes)\n{advice}"
        )
        raise ValueError(msg)


def asarray(
    obj: Any,
    *,
    dtype: DType | None = None,
    device: Device | str | None = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:
    """Return *obj* as a tensor: itself, over its memory, or as a copy.

    Args:
        obj: A tensor, an array, a buffer, a number, or nested lists.
        dtype: Of the result; by default that of *obj*.
        device: Of the result; likewise.
        copy: True for a copy; False for none, or an error; None for one where it is needed.
        requires_grad: Of the result; by default as of *obj*.

    Raises:
        ValueError: *copy* is False, and the memory of *obj* cannot be shared.

    >>> import chainrule as cr
    >>> x = cr.ones(2)
    >>> cr.asarray(x) is x, cr.asarray([1, 2])
    (True, tensor([1, 2]))
    """
    if isinstance(obj, Value):
        return _tensor_as(obj, dtype, device, copy, requires_grad)
    if hasattr(obj, "__array_interface__"):
        return _array_as(obj, dtype, device, copy, requires_grad)
    if hasattr(obj, "__cuda_array_interface__"):
        shared = _from_data(obj, None, None, requires_grad=False, copy=False)
        return _tensor_as(shared, dtype, device, copy, requires_grad)
    if isinstance(obj, (bytes, bytearray, memoryview)) or type(obj).__module__ == "array":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # here a read-only buffer is no surprise
            made = frombuffer(obj, dtype=dtype or get_default_dtype())
        made = clone(made) if copy else made
        return made.requires_grad_(bool(requires_grad))
    if copy is False:
        msg = (
            "can't alias arbitrary sequence into a tensor.\n"
            f"asarray: {type(obj).__name__} has no memory to share. Leave copy=False out."
        )
        raise ValueError(msg)
    return _from_data(obj, dtype, device, bool(requires_grad), copy=True)


def _tensor_as(
    obj: Any,
    dtype: DType | None,
    device: Device | str | None,
    copy: bool | None,
    requires_grad: bool | None,
) -> Tensor:
    """Return a tensor as one of another dtype or device, or a copy of it."""
    ours = obj._key
    wanted = key_like(obj, dtype, device)
    if copy is False:
        _check_no_copy(ours.dtype, wanted.dtype)
        if ours.device != wanted.device:
            msg = (
                f"can't alias tensor from device '{ours.device}' to '{wanted.device}'.\n"
                "asarray: another device has other memory. Leave copy=False out."
            )
            raise ValueError(msg)
    made = obj
    if wanted is not ours:
        made = obj.to(device=wanted.device, dtype=wanted.dtype)
    elif copy:
        made = clone(obj)
    if requires_grad is None or requires_grad is made._requires_grad:
        return made  # type: ignore[no-any-return]  # a Tensor
    if made._node is not None:
        return made.detach()  # type: ignore[no-any-return]  # likewise
    return made.requires_grad_(requires_grad)  # type: ignore[no-any-return]  # likewise


def _check_no_copy(ours: DType, wanted: DType) -> None:
    if ours is not wanted:
        names = ours.scalar_name, wanted.scalar_name
        msg = (
            f"can't alias tensor with dtype '{names[0]}' into dtype '{names[1]}'.\n"
            "asarray: another dtype needs a copy. Leave copy=False out."
        )
        raise ValueError(msg)


def _array_as(
    obj: Any,
    dtype: DType | None,
    device: Device | str | None,
    copy: bool | None,
    requires_grad: bool | None,
) -> Tensor:
    """Return a NumPy array or scalar as a tensor."""
    if copy is False and not hasattr(obj, "ctypes"):
        msg = "can't alias NumPy scalars. Either remove copy=False or transform it in a ndarray. "
        raise RuntimeError(msg)
    if copy is False and dtype is not None:
        ours = _from_array(obj, None, "cpu", requires_grad=False, copy=False)
        _check_no_copy(ours._key.dtype, dtype)
    return _from_array(obj, dtype, device, bool(requires_grad), copy=bool(copy))


def scalar_tensor(
    s: Number,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a 0-d tensor of the default dtype, whatever kind of number *s* is.

    Args:
        s: A number.
        dtype: Of the result, where it is another.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded.

    >>> import chainrule as cr
    >>> cr.scalar_tensor(2)
    tensor(2.)
    """
    if not isinstance(s, (Value, int, float, complex)):
        kind = type(s).__name__
        msg = f"scalar_tensor(): argument 's' (position 1) must be Number, not {kind}"
        raise ArgumentError(msg)
    dtype = dtype or get_default_dtype()
    return full((), s, dtype=dtype, device=device, requires_grad=requires_grad)


def empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return whatever the memory held, with sizes and strides.

    Args:
        size: The shape.
        stride: How many elements apart in memory two neighbours are, per dimension.
        dtype: Of the result.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where.
        requires_grad: Whether operations on the result are recorded.
        pin_memory: See *layout*.

    Raises:
        RuntimeError: there are not as many strides as sizes, or one is negative.

    >>> import chainrule as cr
    >>> cr.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride):
        msg = (
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides "
            f"({len(stride)})\nempty_strided: pass one stride per dimension."
        )
        raise ShapeError(msg)
    if min((*size, *stride), default=0) < 0:
        msg = (
            f"Storage size calculation overflowed with sizes={list(size)} and "
            f"strides={list(stride)}\nempty_strided: sizes and strides must not be negative."
        )
        raise ShapeError(msg)
    last = sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    memory = empty(last + 1 if prod(size) else 0, dtype=dtype, device=device)
    key = memory._key
    return finish(as_strided(memory, size, stride)._array, key, requires_grad)
