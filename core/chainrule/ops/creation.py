"""New tensors from numbers, lists, arrays and buffers.

These are no ops: nothing is differentiated. They ask the backend that serves the device.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import dtypes
from .._warn import warn
from ..backend import for_device
from ..device import Device, chosen
from ..dtypes import DType, category_of_number, get_default_dtype
from ..errors import (
    ArgumentError,
    AutogradError,
    DeviceError,
    DomainError,
    DTypeError,
    ShapeError,
)
from ..inplace import fill_out
from ..value import Value, new_value
from ._arguments import check_tensor, integers
from ._operands import refusal
from .creation_data import dtype_of, nested_lists, shape_of
from .creation_values import as_number, fit_value, fitted

if TYPE_CHECKING:
    from ..backend import Backend, DispatchKey
    from ..tensor import Number, Tensor

__all__ = [
    "arange", "as_tensor", "empty", "full", "get_default_device", "ones", "set_default_device",
    "tensor", "zeros",
]  # fmt: skip

_default_device = Device("cpu")


def get_default_device() -> Device:
    """Return the device of new tensors when none is named: that of a ``with`` block, or of all."""
    return chosen.devices[-1] if chosen.devices else _default_device


def set_default_device(device: Device | str | None) -> None:
    """Make *device* that of new tensors when none is named; None for the CPU.

    For a part of a program, use the device in a ``with`` block, which holds for its thread.

    >>> import chainrule as cr
    >>> cr.set_default_device("cpu")
    >>> with cr.device("cpu"):
    ...     x = cr.ones(2)
    """
    global _default_device  # noqa: PLW0603 - a process-wide setting, as in PyTorch
    _default_device = Device("cpu" if device is None else device)


def key_for(dtype: DType | None, device: Device | str | int | None, out: Any = None) -> DispatchKey:
    """Return the dispatch key of a new tensor: that of *out*, which it will be written to, if any.

    Raises:
        ArgumentError: *out* is no tensor.
        DTypeError: it has another dtype than the one that is given.
        DeviceError: it is on another device.
    """
    if out is not None:
        return _key_of_out(out, dtype, device)
    dtype = get_default_dtype() if dtype is None else dtypes.given(dtype)
    where = get_default_device() if device is None else Device(device)
    backend = for_device(where)
    return backend.key(dtype, backend.canonical(where))


def _key_of_out(out: Any, dtype: Any, device: Any) -> DispatchKey:
    check_tensor("out", out, "out")
    key: DispatchKey = out._key
    given = None if dtype is None else dtypes.given(dtype)
    if given not in {None, key.dtype}:
        msg = (
            f"dtype {given.scalar_name} does not match dtype of out parameter "
            f"({key.dtype.scalar_name})\nout: leave dtype out, or pass a tensor of that dtype."
        )
        raise DTypeError(msg)
    kind = key.device.type if device is None else Device(device).type
    if kind != key.device.type:
        msg = (
            f"device type {kind} does not match device type of out parameter ({key.device.type})\n"
            "out: leave device out, or pass a tensor that is there."
        )
        raise DeviceError(msg)
    return key


def finish(array: Any, key: DispatchKey, requires_grad: bool = False) -> Tensor:
    """Return a new leaf over *array*.

    Raises:
        RuntimeError: it is to require grad and is of an integer type.
    """
    made = new_value(array, key)
    if requires_grad:
        if not key.floating:
            msg = (
                "Only Tensors of floating point and complex dtype can require gradients\n"
                f"expected a floating or complex dtype, got {key.dtype}. Pass dtype=torch.float32."
            )
            raise AutogradError(msg)
        made._requires_grad = True
    return made  # type: ignore[no-any-return]  # the result class is Tensor


def full(
    size: Any,
    fill_value: Number,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a tensor of *size* filled with *fill_value*.

    Args:
        size: The shape.
        fill_value: A number, whose category decides the dtype where none is given.
        out: Where to write the result.
        dtype: Of the result.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded.

    Raises:
        RuntimeError: a size is negative, or *dtype* does not hold *fill_value*.

    >>> import chainrule as cr
    >>> cr.full((2,), 3)
    tensor([3, 3])
    """
    fill_value = as_number(fill_value)
    if dtype is None and out is None:
        dtype = dtypes.default_of_category(category_of_number(fill_value))
    if isinstance(size, int):
        msg = "full(): argument 'size' (position 1) must be tuple of ints, not int"
        raise ArgumentError(msg)
    shape = checked_size(integers("full", "size", (size,)))
    return _filled(fill_value, shape, out, dtype, device, requires_grad)


def checked_size(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return *shape*, after checking that no size is negative.

    Raises:
        ShapeError: one is.
    """
    for size in shape:
        if size < 0:
            msg = f"Trying to create tensor with negative dimension {size}: {list(shape)}"
            raise ShapeError(msg)
    return shape


def _filled(
    value: Number | None,
    shape: tuple[int, ...],
    out: Tensor | None,
    dtype: DType | None,
    device: Device | str | None,
    requires_grad: bool,
) -> Tensor:
    """Return a tensor of *shape* filled with *value*; with None, not filled."""
    key = key_for(dtype, device, out)
    if value is None:
        array = key.backend.empty(shape, key.dtype, key.device)
    else:
        array = key.backend.full(shape, fit_value(value, key.dtype), key.dtype, key.device)
    if out is not None:
        return into_out(out, finish(array, key), requires_grad)
    return finish(array, key, requires_grad)


def into_out(out: Any, made: Tensor, requires_grad: bool) -> Tensor:
    """Return *out* holding the new tensor *made*."""
    fill_out(out, made, resizes=True)
    return out.requires_grad_() if requires_grad else out  # type: ignore[no-any-return]  # it is out


def zeros(
    *sizes: Any,
    size: Any = None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a tensor of zeros. Arguments as of `full`; the size also as several integers.

    >>> import chainrule as cr
    >>> cr.zeros(2, dtype=cr.int64)
    tensor([0, 0])
    """
    shape = integers("zeros", "size", sizes, size)
    if min(shape, default=0) < 0:
        msg = f"zeros: Dimension size must be non-negative.\nzeros: got sizes {shape}."
        raise ShapeError(msg)
    return _filled(0, shape, out, dtype, device, requires_grad)


def ones(
    *sizes: Any,
    size: Any = None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return a tensor of ones. Arguments as of `zeros`.

    >>> import chainrule as cr
    >>> cr.ones(1, 2)
    tensor([[1., 1.]])
    """
    shape = checked_size(integers("ones", "size", sizes, size))
    return _filled(1, shape, out, dtype, device, requires_grad)


def empty(
    *sizes: Any,
    size: Any = None,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: object = None,
) -> Tensor:
    """Return a tensor whose values are whatever the memory held. Arguments as of `zeros`.

    >>> import chainrule as cr
    >>> cr.empty(2, 3).shape
    torch.Size([2, 3])
    """
    shape = checked_size(integers("empty", "size", sizes, size))
    return _filled(None, shape, out, dtype, device, requires_grad)


def arange(
    *bounds: Any,
    start: Number | None = None,
    end: Number | None = None,
    step: Number = 1,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the numbers from *start* up to before *end*.

    It is called as ``arange(end)``, ``arange(start, end)`` or ``arange(start, end, step)``.

    Args:
        bounds: *end*; *start* and *end*; or all three.
        start: The first number, zero by default.
        end: What no number reaches.
        step: From one number to the next.
        out: Where to write the result.
        dtype: Of the result; by default int64 if all three are whole, else floating.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded.

    Raises:
        RuntimeError: *step* is zero, or leads away from *end*.

    Differs from PyTorch:
        For every integer dtype the three numbers are rounded towards zero first; PyTorch does so
        for int64 only. Floating results may differ in the last place.

    >>> import chainrule as cr
    >>> cr.arange(1, 10, 3)
    tensor([1, 4, 7])
    """
    numbers = _range(bounds, start, end, step)
    if dtype is None and out is None and all(isinstance(n, int) for n in numbers):
        dtype = dtypes.int64
    key = key_for(dtype, device, out)
    dtype = key.dtype
    if dtype.category in {dtypes.BOOL, dtypes.COMPLEX}:
        raise refusal("arange", "arange_cpu", dtype)
    if dtype.category == dtypes.INTEGER and all(map(math.isfinite, numbers)):
        numbers = [int(number) for number in numbers]
    first, last, by = numbers
    array = key.backend.arange(first, by, _count(first, last, by), dtype, key.device)
    if out is not None:
        return into_out(out, finish(array, key), requires_grad)
    return finish(array, key, requires_grad)


def _range(given: tuple[Any, ...], start: Any, end: Any, step: Any) -> list[Any]:
    """Return start, end and step of a call of `arange`, as numbers."""
    if len(given) == 1 and end is None:
        end = given[0]
    elif given:
        start, end, step = (*given, *(start, end, step)[len(given) :])[:3]
    if end is None or len(given) > 3:
        kinds = ", ".join(type(item).__name__ for item in given)
        msg = (
            f"arange() received an invalid combination of arguments - got ({kinds}), but expected "
            "one of:\n * (Number end, *, ...)\n"
            " * (Number start, Number end, Number step = 1, *, ...)"
        )
        raise ArgumentError(msg)
    return [as_number(number) for number in (0 if start is None else start, end, step)]


def _count(first: float, last: float, by: float) -> int:
    """Return how many numbers there are from *first* before *last* in steps of *by*.

    Raises:
        DomainError: the steps do not lead there.
    """
    if not all(math.isfinite(number) for number in (first, last)):
        msg = f"unsupported range: {first} -> {last}\narange: expected finite bounds."
        raise DomainError(msg)
    if by == 0:
        msg = "step must be nonzero\narange: pass the distance between two numbers."
        raise DomainError(msg)
    if (last - first) * by < 0:
        msg = (
            "upper bound and lower bound inconsistent with step sign\n"
            f"arange: {first} does not come to {last} in steps of {by}."
        )
        raise DomainError(msg)
    return math.ceil((last - first) / by)


def tensor(
    data: Any,
    *,
    dtype: DType | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new tensor with the values of *data*: a number, nested lists, an array.

    Args:
        data: Its values are copied. A tensor is copied and detached, with a warning.
        dtype: Of the result; by default what the values ask for, floats being float32.
        device: Where.
        requires_grad: Whether operations on the result are recorded.
        pin_memory: Taken and ignored.

    Returns:
        A leaf.

    Raises:
        ValueError: the lists are not of equal lengths.
        RuntimeError: it is to require grad and is of an integer type.

    >>> import chainrule as cr
    >>> cr.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    if isinstance(data, Value):
        warn(
            "To copy construct from a tensor, it is recommended to use "
            "sourceTensor.detach().clone() or sourceTensor.detach().clone().requires_grad_(True), "
            "rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    return _from_data(data, dtype, device, requires_grad, copy=True)


def as_tensor(data: Any, dtype: DType | None = None, device: Device | str | None = None) -> Tensor:
    """Return *data* as a tensor, without a copy where none is needed; a fitting tensor as it is.

    >>> import chainrule as cr
    >>> x = cr.ones(2)
    >>> cr.as_tensor(x) is x
    True
    """
    if isinstance(data, Value):
        fits = (dtype is None or data._key.dtype is dtype) and (
            device is None or key_for(data._key.dtype, device) is data._key
        )
        given: Any = data
        return given if fits else given.to(device=device, dtype=dtype)  # type: ignore[no-any-return]  # a Tensor
    return _from_data(data, dtype, device, requires_grad=False, copy=False)


def _from_data(
    data: Any, dtype: DType | None, device: Device | str | None, requires_grad: bool, *, copy: bool
) -> Tensor:
    """Return a leaf with the values of *data*."""
    dtype = None if dtype is None else dtypes.given(dtype)
    if isinstance(data, Value):
        source = data._key
        wanted = source if dtype is None else source.of(dtype)
        if device is not None:
            wanted = key_for(wanted.dtype, device)
        copied: Any = data.detach()._copied_to(wanted)  # type: ignore[attr-defined]  # a Tensor
        return finish(copied._array, wanted, requires_grad)
    if hasattr(data, "__array_interface__"):
        return _from_array(data, dtype, device, requires_grad, copy=copy)
    if type(data).__module__ != "builtins":
        foreign = _from_foreign(data, dtype, device, requires_grad, copy=copy)
        if foreign is not None:
            return foreign
    found = dtype or dtype_of(data)
    shape = shape_of(data)
    key = key_for(found, device)
    values = nested_lists(data, shape)
    try:
        array = key.backend.from_list(values, shape, found, key.device)
    except (OverflowError, ValueError):  # a number that the dtype does not hold as it is
        array = key.backend.from_list(fitted(values, found), shape, found, key.device)
    return finish(array, key, requires_grad)


def _from_foreign(
    data: Any, dtype: DType | None, device: Device | str | None, requires_grad: bool, *, copy: bool
) -> Tensor | None:
    """Return a leaf over an array of another library, or None if *data* is no array.

    What it does by itself comes first; a backend that knows the type is asked where that fails.
    """
    refused = None
    if hasattr(data, "__array__") and not hasattr(data, "__cuda_array_interface__"):
        try:
            return _from_array(data, dtype, device, requires_grad, copy=copy)
        except TypeError as error:
            refused = error
    found = find_foreign(data)
    if found is not None:
        backend, array = found
        key = backend.key(backend.dtype_of(array), backend.device_of(array))
        stays = device is None or key_for(key.dtype, device) is key
        if not copy and stays and dtype in {None, key.dtype}:
            return finish(array, key, requires_grad)
        return _from_data(finish(array, key, False), dtype, device, requires_grad, copy=True)
    if refused is not None:
        raise refused
    return None


def _find_none(obj: Any) -> tuple[Backend, Any] | None:
    return None


#: Asked for an array of a type unknown here: gives its backend and an array of that, or None. The
#: plugin layer puts its discovery here.
find_foreign = _find_none


def _from_array(
    data: Any, dtype: DType | None, device: Device | str | None, requires_grad: bool, *, copy: bool
) -> Tensor:
    """Return a leaf over an array of NumPy's protocol, or over a copy of it."""
    array = data if hasattr(data, "strides") and hasattr(data, "ravel") else data.__array__()
    name = str(array.dtype)
    try:
        found = dtypes.by_name(name)
    except ArgumentError:
        msg = (
            f"can't convert np.ndarray of type numpy.{array.dtype.type.__name__}. The only "
            "supported types are: float64, float32, float16, complex64, complex128, int64, int32, "
            "int16, int8, uint8, and bool.\n"
            "tensor: convert the array first, as with .astype('float32')."
        )
        raise ArgumentError(msg) from None
    key = key_for(found, device)
    made = key.backend.from_numpy(array, key.device)
    if type(made) is not key.array_type:
        made = key.backend.wrap(made)
    if dtype is not None and dtype is not found:
        made, key = key.backend.astype(made, dtype), key.of(dtype)
    elif copy:
        made = key.backend.copy(made)
    elif made is data:
        made = data[...]  # the same memory; whose shape is set anew is the caller's array alone
    return finish(made, key, requires_grad)
