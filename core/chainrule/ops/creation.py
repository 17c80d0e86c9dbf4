"""New tensors from numbers, lists, arrays and buffers.

These are no ops: nothing is differentiated. They ask the backend that serves the device.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from .. import dtypes
from .. import value as _value
from ..backend import for_device
from ..device import Device
from ..dtypes import DType, category_of_number, get_default_dtype
from ..errors import ArgumentError, AutogradError, ShapeError
from ..shapes import normalize_size
from ..value import Value, new_value

if TYPE_CHECKING:
    from ..backend import DispatchKey
    from ..tensor import Number, Tensor

__all__ = [
    "arange", "as_tensor", "empty", "full", "get_default_device", "ones", "set_default_device",
    "tensor", "zeros",
]  # fmt: skip

_default_device = Device("cpu")


def get_default_device() -> Device:
    """Return the device of new tensors when none is named."""
    return _default_device


def set_default_device(device: Device | str | None) -> None:
    """Make *device* that of new tensors when none is named; None for the CPU.

    >>> import chainrule as cr
    >>> cr.set_default_device("cpu")
    """
    global _default_device  # noqa: PLW0603 - a process-wide setting, as in PyTorch
    _default_device = Device("cpu" if device is None else device)


def key_for(dtype: DType | None, device: Device | str | int | None) -> DispatchKey:
    """Return the dispatch key of a new tensor."""
    if dtype is None:
        dtype = get_default_dtype()
    elif not isinstance(dtype, DType):
        msg = f"argument 'dtype' must be torch.dtype, not {type(dtype).__name__}"
        raise ArgumentError(msg)
    where = _default_device if device is None else _as_device(device)
    backend = for_device(where)
    return backend.key(dtype, backend.canonical(where))


def _as_device(device: Device | str | int) -> Device:
    return Device("cuda", device) if isinstance(device, int) else Device(device)


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
        out: Taken for PyTorch's sake; must be None.
        dtype: Of the result.
        layout: Taken and ignored, as is *pin_memory*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded.

    >>> import chainrule as cr
    >>> cr.full((2,), 3)
    tensor([3, 3])
    """
    if isinstance(fill_value, Value):
        fill_value = fill_value._key.backend.tolist(fill_value._array)
    if dtype is None:
        dtype = dtypes.default_of_category(category_of_number(fill_value))
    key = key_for(dtype, device)
    return finish(key.backend.full(_checked(normalize_size((size,)) if not isinstance(size, int) else (size,)), fill_value, dtype, key.device), key, requires_grad)


def _checked(shape: tuple[int, ...]) -> tuple[int, ...]:
    for size in shape:
        if size < 0:
            msg = f"Trying to create tensor with negative dimension {size}: {list(shape)}"
            raise ShapeError(msg)
    return shape


def _filled(
    value: int | None,
    size: tuple[Any, ...],
    dtype: DType | None,
    device: Device | str | None,
    requires_grad: bool,
) -> Tensor:
    key = key_for(dtype, device)
    shape = _checked(normalize_size(size))
    backend = key.backend
    if value is None:
        array = backend.empty(shape, key.dtype, key.device)
    else:
        array = backend.full(shape, value, key.dtype, key.device)
    return finish(array, key, requires_grad)


def zeros(
    *size: Any,
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
    return _filled(0, size, dtype, device, requires_grad)


def ones(
    *size: Any,
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
    return _filled(1, size, dtype, device, requires_grad)


def empty(
    *size: Any,
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
    return _filled(None, size, dtype, device, requires_grad)


def arange(
    start: Number,
    end: Number | None = None,
    step: Number = 1,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the numbers from *start* (0 if only one number is given) up to before *end*.

    Raises:
        RuntimeError: *step* is zero, or leads away from *end*.

    >>> import chainrule as cr
    >>> cr.arange(1, 10, 3)
    tensor([1, 4, 7])
    """
    if end is None:
        start, end = 0, start
    numbers: list[Any] = [n.item() if isinstance(n, Value) else n for n in (start, end, step)]
    first, last, by = numbers
    if by == 0:
        msg = "step must be nonzero"
        raise ShapeError(msg)
    if (last - first) * by < 0:
        msg = "upper bound and lower bound inconsistent with step sign"
        raise ShapeError(msg)
    if dtype is None:
        whole = all(isinstance(n, int) for n in numbers)
        dtype = dtypes.int64 if whole else get_default_dtype()
    key = key_for(dtype, device)
    count = math.ceil((last - first) / by)
    return finish(key.backend.arange(first, by, count, dtype, key.device), key, requires_grad)


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
        warnings.warn(
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
    if isinstance(data, _value.result_class):
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
    if isinstance(data, Value):
        source = data._key
        wanted = source if dtype is None else source.of(dtype)
        if device is not None:
            wanted = key_for(wanted.dtype, device)
        copied: Any = data.detach()._copied_to(wanted)  # type: ignore[attr-defined]  # a Tensor
        return finish(copied._array, wanted, requires_grad)
    if hasattr(data, "__array_interface__") or hasattr(data, "__array__"):
        return _from_array(data, dtype, device, requires_grad, copy=copy)
    shape = _shape_of(data)
    found = dtype or _dtype_of_data(data)
    key = key_for(found, device)
    array = key.backend.from_list(_plain(data), shape, found, key.device)
    return finish(array, key, requires_grad)


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
            f"can't convert np.ndarray of type numpy.{name}. The only supported types are: float64, "
            "float32, float16, complex64, complex128, int64, int32, int16, int8, uint8, and bool.\n"
            f"tensor: convert the array first, for example with .astype('float32')."
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
    return finish(made, key, requires_grad)


def _plain(data: Any) -> Any:
    """Return nested lists of numbers: tensors and array scalars inside are read."""
    if isinstance(data, (list, tuple)):
        if _all_numbers(data):
            return data
        return [_plain(item) for item in data]
    if isinstance(data, Value):
        return data._key.backend.tolist(data._array)
    return data.item() if hasattr(data, "item") else data.tolist() if hasattr(data, "tolist") else data


_CATEGORIES = {bool: dtypes.BOOL, int: dtypes.INTEGER, float: dtypes.FLOATING, complex: dtypes.COMPLEX}


def _all_numbers(data: Any) -> bool:
    """Return whether a sequence holds Python numbers only: then it need not be walked in Python."""
    return set(map(type, data)) <= _CATEGORIES.keys()


def _shape_of(data: Any) -> tuple[int, ...]:
    """Return the shape of nested sequences, which must be regular."""
    if not isinstance(data, (list, tuple)):
        return tuple(getattr(data, "shape", ()))
    if not data or _all_numbers(data):
        return (len(data),)
    first = _shape_of(data[0])
    for position, item in enumerate(data):
        shape = _shape_of(item)
        if shape != first:
            if len(shape) != len(first) or not shape:
                msg = f"expected sequence of equal length, got an item of shape {shape} beside one of {first}"
            else:
                msg = f"expected sequence of length {first[0]} at dim 1 (got {shape[0]})"
            msg += f"\ntensor: item {position} does not fit the first. Nested lists must be regular."
            raise ValueError(msg)
    return (len(data), *first)


def _dtype_of_data(data: Any) -> DType:
    """Return the dtype that Python numbers ask for: the highest category among them."""
    if isinstance(data, (list, tuple)):
        if not data:
            return get_default_dtype()
        if _all_numbers(data):
            return dtypes.default_of_category(max(map(_CATEGORIES.__getitem__, set(map(type, data)))))
        found = _dtype_of_data(data[0])
        for item in data[1:]:
            found = dtypes.promote_types(found, _dtype_of_data(item))
        return found
    if isinstance(data, Value):
        return data._key.dtype
    if hasattr(data, "dtype"):
        return dtypes.by_name(str(data.dtype))
    try:
        return dtypes.default_of_category(category_of_number(data))
    except ArgumentError:
        kind = type(data).__name__
        if isinstance(data, str):
            msg = f"new(): invalid data type '{kind}'"
        else:
            msg = f"Could not infer dtype of {kind}"
            raise AutogradError(f"{msg}\ntensor: expected numbers, nested lists of them, or an array.") from None
        raise ArgumentError(f"{msg}\ntensor: expected numbers, nested lists of them, or an array.") from None
