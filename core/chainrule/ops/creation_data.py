"""Reading what a tensor is made from: numbers, and nested sequences of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, Final

from .. import dtypes
from ..dtypes import category_of_number, get_default_dtype
from ..errors import ArgumentError, AutogradError
from ..value import Value

if TYPE_CHECKING:
    from ..dtypes import DType

__all__: list[str] = []

_CATEGORIES: Final = {
    bool: dtypes.BOOL, int: dtypes.INTEGER, float: dtypes.FLOATING, complex: dtypes.COMPLEX,
}  # fmt: skip
_ADVICE: Final = "tensor: expected numbers, nested lists of them, or an array."


def _is_sequence(data: Any) -> bool:
    """Return whether *data* is a sequence of what may be numbers."""
    kind = data.__class__
    if kind is list or kind is tuple:
        return True
    return isinstance(data, Sequence) and not isinstance(data, (str, bytes, Value))


def _all_numbers(data: Any) -> bool:
    """Return whether a sequence holds Python numbers only: then it need not be walked in Python."""
    return set(map(type, data)) <= _CATEGORIES.keys()


def dtype_of(data: Any) -> DType:
    """Return the dtype that *data* asks for: the highest among its numbers.

    Raises:
        AutogradError, ArgumentError: something in it is no number; PyTorch's messages.
    """
    if _is_sequence(data):
        if not data:
            return get_default_dtype()
        if _all_numbers(data):
            kinds = set(map(type, data))
            return dtypes.default_of_category(max(_CATEGORIES[kind] for kind in kinds))
        found = dtype_of(data[0])
        for item in data[1:]:
            found = dtypes.promote_types(found, dtype_of(item))
        return found
    if isinstance(data, Value):
        return data._key.dtype
    if hasattr(data, "dtype"):
        return dtypes.by_name(str(data.dtype))
    try:
        return dtypes.default_of_category(category_of_number(data))
    except ArgumentError:
        kind = type(data).__name__
        if isinstance(data, (str, bytes)):
            msg = f"new(): invalid data type '{kind}'\n{_ADVICE}"
            raise ArgumentError(msg) from None
        msg = f"Could not infer dtype of {kind}\n{_ADVICE}"
        raise AutogradError(msg) from None


def shape_of(data: Any) -> tuple[int, ...]:
    """Return the shape of nested sequences: the lengths of the first of each."""
    lengths = []
    while _is_sequence(data):
        lengths.append(len(data))
        if not data:
            break
        data = data[0]
    if isinstance(data, Value):  # in a list, a tensor is a number
        return tuple(lengths) if lengths else tuple(data._array.shape)
    return (*lengths, *getattr(data, "shape", ()))


def nested_lists(data: Any, shape: tuple[int, ...], depth: int = 0) -> Any:
    """Return *data* as lists of numbers, after checking that they are as long as *shape* says.

    Raises:
        ValueError: a sequence is longer or shorter than the first of its depth.
        ArgumentError: a number stands where a sequence is expected, or the other way round.
    """
    if isinstance(data, Value):
        data = _only_number(data) if depth else data._key.backend.tolist(data._array)
    elif hasattr(data, "tolist"):
        data = data.tolist()
    if depth == len(shape):
        if _is_sequence(data):
            kind = type(data).__name__
            msg = f"'{kind}' object cannot be interpreted as an integer\n{_place(shape, depth)}"
            raise ArgumentError(msg)
        return data
    if not _is_sequence(data):
        msg = f"not a sequence\n{_place(shape, depth)}"
        raise ArgumentError(msg)
    if len(data) != shape[depth]:
        msg = (
            f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})\n"
            f"{_place(shape, depth)}"
        )
        raise ValueError(msg)
    if depth == len(shape) - 1 and _all_numbers(data):
        return data
    return [nested_lists(item, shape, depth + 1) for item in data]


def _only_number(item: Value) -> Any:
    """Return the number in a tensor of one element, as an item of a list.

    Raises:
        ValueError: there is not one.
    """
    if prod(item._array.shape) != 1:
        msg = (
            "only one element tensors can be converted to Python scalars\n"
            f"tensor: expected numbers in the list, got a tensor of shape "
            f"{tuple(item._array.shape)}. Use stack for tensors."
        )
        raise ValueError(msg)
    found = item._key.backend.tolist(item._array)
    while isinstance(found, list):
        found = found[0]
    return found


def _place(shape: tuple[int, ...], depth: int) -> str:
    return f"tensor: the first items make the shape {shape}, and one at depth {depth} does not fit."
