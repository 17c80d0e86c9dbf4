"""What stands in square brackets, taken apart into a basic and an advanced index."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .. import dtypes
from .._warn import warn
from ..errors import ArgumentError, DimError, MixedBackendError, ShapeError
from ..shapes import broadcast_shapes
from ..value import Value
from .creation import as_tensor, tensor
from .filling import kind_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..device import Device
    from ..tensor import Tensor

__all__: list[str] = []

WHOLE: Final = slice(None)
_INTEGERS: Final = (dtypes.int64, dtypes.int32)


class Parsed(NamedTuple):
    """What stood in the brackets.

    Attributes:
        basic: One entry per dimension of the result of the basic part, and integers: an integer,
            a slice, or None for a new dimension.
        indices: For every dimension of that result a tensor of places, or None; a mask stands for
            as many dimensions as it has. Empty if there is no tensor.
    """

    basic: list[Any]
    indices: list[Any]


def parse(input: Tensor, items: tuple[Any, ...]) -> Parsed:
    """Return the basic and the advanced part of the index *items* of *input*.

    Raises:
        IndexError: PyTorch's messages for what is no index, out of range, or too many.
        ValueError: a slice does not step forward.
    """
    entries = [_as_entry(item, input) for item in items]
    shape = input._array.shape
    missing = len(shape) - sum(taken_by(entry) for entry in entries)
    if missing < 0:
        msg = f"too many indices for tensor of dimension {len(shape)}"
        raise DimError(msg)
    basic: list[Any] = []
    indices: list[Any] = []
    dim, advanced = 0, False
    for position, entry in enumerate(entries):
        if isinstance(entry, bool):
            basic.append(None)
            indices.append(
                tensor([0] if entry else [], dtype=dtypes.int64, device=input._key.device)
            )
            advanced = True
        elif entry is None:
            basic.append(None)
            indices.append(None)
        elif isinstance(entry, int):
            check_place(entry, shape[dim], position)
            basic.append(entry)
        elif entry is Ellipsis:
            basic.extend([WHOLE] * missing)
            indices.extend([None] * missing)
            dim, missing = dim + missing, 0  # a second one has nothing left to stand for
        elif isinstance(entry, slice):
            basic.append(entry)
            indices.append(None)
        else:
            width = taken_by(entry)
            basic.extend([WHOLE] * width)
            indices.append(entry)
            advanced = True
        if entry is not Ellipsis:
            dim += taken_by(entry)
    return Parsed(basic, indices if advanced else [])


def taken_by(entry: Any) -> int:
    """Return how many dimensions of the tensor an entry takes."""
    if entry is None or entry is Ellipsis or isinstance(entry, bool):
        return 0
    if isinstance(entry, Value) and entry._key.dtype is dtypes.bool_:
        return len(entry._array.shape)
    return 1


def _as_entry(item: Any, input: Tensor) -> Any:
    """Return one item as an integer, bool, slice, None, Ellipsis, or tensor of places or mask."""
    if item is None or item is Ellipsis or isinstance(item, (int, bool)):
        return item
    if isinstance(item, slice):
        check_step(item.step)
        return item
    if isinstance(item, Value):
        return _tensor_entry(item)
    if isinstance(item, (list, tuple, range)):
        places = list(item)
        return _tensor_entry(
            tensor(places, device=input._key.device)
            if places
            else tensor(places, dtype=dtypes.int64, device=input._key.device)
        )
    if hasattr(item, "__array__") and getattr(item, "shape", ()) != ():
        return _tensor_entry(as_tensor(item, device=input._key.device))
    if isinstance(item, str):
        raise ArgumentError("new(): invalid data type 'str'\na tensor has no names of places.")
    try:
        return operator.index(item)
    except TypeError:
        msg = (
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are "
            f"valid indices (got {kind_name(item)})"
        )
        raise DimError(msg) from None


def bound(number: Any) -> int:
    """Return a part of a slice as an integer.

    Raises:
        ArgumentError: it is none.
    """
    try:
        return operator.index(number)
    except TypeError as error:
        if isinstance(number, Value):
            raise
        msg = f"slice indices must be integers or None or have an __index__ method\nindex: {error}."
        raise ArgumentError(msg) from None


def check_step(step: Any) -> None:
    """Check that a slice steps forward.

    Raises:
        ValueError: it does not.
    """
    if step is not None and bound(step) <= 0:
        msg = "slice step cannot be zero" if step == 0 else "step must be greater than zero"
        raise ValueError(msg)  # PyTorch's type


def _tensor_entry(places: Any) -> Any:
    """Return a tensor as an entry: a 0-d one as the integer or bool that it holds."""
    dtype, shape = places._key.dtype, places._array.shape
    if dtype is dtypes.uint8:
        warn(
            "indexing with dtype torch.uint8 is now deprecated, "
            "please use a dtype torch.bool instead.",
            UserWarning,
            stacklevel=5,
        )
        places = places.to(dtypes.bool_)
        dtype = dtypes.bool_
    if not shape and dtype.category <= dtypes.INTEGER and not places._key.backend.level:
        return places._key.backend.tolist(places._array)
    if dtype is dtypes.bool_ or dtype in _INTEGERS:
        return places
    msg = (
        "tensors used as indices must be long, int, byte or bool tensors\n"
        f"index: got a tensor of {dtype}. Convert it with .long()."
    )
    raise DimError(msg)


def check_place(place: int, size: int, position: int) -> None:
    if not -size <= place < size:
        msg = f"index {place} is out of bounds for dimension {position} with size {size}"
        raise DimError(msg)


def placed(input: Tensor, indices: Sequence[Any]) -> list[Any]:
    """Return *indices* where the tensor is that they index: those on the CPU may come from there.

    Raises:
        MixedBackendError: one is on another device.
    """
    device = input._key.device
    return [
        index if index is None or index._key.device == device else _brought(index, device)
        for index in indices
    ]


def _brought(index: Any, device: Device) -> Any:
    if index._key.device.type == "cpu":
        return index.to(device)
    msg = (
        f"indices should be either on cpu or on the same device as the indexed tensor ({device})\n"
        f"index: got one on {index._key.device}. Move it with .to(...)."
    )
    raise MixedBackendError(msg)


def check_masks(shape: tuple[int, ...], indices: Sequence[Any]) -> None:
    """Check that every mask among *indices* has the shape of the dimensions that it stands for.

    Raises:
        DimError: one has not.
    """
    dim = 0
    for index in indices:
        if index is None or index._key.dtype is not dtypes.bool_:
            dim += 1
            continue
        for place, size in enumerate(index._array.shape):
            if size != shape[dim + place]:
                msg = (
                    f"The shape of the mask {list(index._array.shape)} at index {place} does not "
                    f"match the shape of the indexed tensor {list(shape)} at index {dim + place}"
                )
                raise DimError(msg)
        dim += len(index._array.shape)


def items_of(index: Any) -> tuple[Any, ...]:
    """Return what stands in the brackets as a tuple; a list of more than integers counts as one."""
    if isinstance(index, tuple):
        return index
    if isinstance(index, list) and len(index) < 32:
        several = (Value, list, tuple, slice, type(None), type(Ellipsis))
        if any(isinstance(item, several) for item in index):
            return tuple(index)
    return (index,)


def explain(shape: tuple[int, ...], indices: Sequence[Any]) -> None:
    """Raise PyTorch's error for tensors of places that do not fit *shape*, if it has one."""
    used = [_places(index) for index in indices if index is not None]
    shapes = [size for found, size in used for _ in found]
    try:
        broadcast_shapes(*shapes)
    except ShapeError:
        listed = ", ".join(str(list(size)) for size in shapes)
        msg = (
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {listed}"
        )
        raise DimError(msg) from None
    dims = _dims_of(indices)
    flat = [places for found, _ in used for places in found]
    for number, (places, dim) in enumerate(zip(flat, dims, strict=True)):
        size = shape[dim]
        for place in places:
            if size == 0:
                msg = f"index is out of bounds for dimension with size {size}"
                raise DimError(msg)
            check_place(place, size, number)


def _dims_of(indices: Sequence[Any]) -> list[int]:
    """Return the dimension that each tensor of places is for; a mask counts as several."""
    dims: list[int] = []
    dim = 0
    for index in indices:
        width = 1 if index is None else taken_by(index)
        if index is not None:
            dims.extend(range(dim, dim + width))
        dim += width
    return dims


def _places(index: Any) -> tuple[list[list[int]], tuple[int, ...]]:
    """Return the places an index names, per dimension, as Python integers, and their shape."""
    backend = index._key.backend
    if index._key.dtype is dtypes.bool_:
        count = sum(_flat(backend.tolist(index._array)))
        return [[] for _ in index._array.shape], (count,)
    return [_flat(backend.tolist(index._array))], tuple(index._array.shape)


def _flat(nested: Any) -> list[int]:
    if not isinstance(nested, list):
        return [nested]
    return [item for part in nested for item in _flat(part)]
