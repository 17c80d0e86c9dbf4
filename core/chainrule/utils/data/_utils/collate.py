"""Joining samples into a batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

from ....dtypes import float64
from ....ops import stack
from ....tensor import Tensor, as_tensor, tensor

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

#: Kinds of NumPy arrays of which no tensor is made: bytes, objects, text.
_NO_NUMBERS = frozenset("SaUO")

_EXPECTED = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)


def _is_array(item: Any) -> bool:
    """Return whether *item* is an array, or a number as arrays hold them, of NumPy's kind."""
    return hasattr(type(item), "__array_interface__") and not isinstance(item, (str, bytes))


def _is_number(item: Any) -> bool:
    """Return whether an array is a single number that cannot be written to."""
    return not hasattr(type(item), "__setitem__")


def default_convert(data: Any) -> Any:  # noqa: PLR0911 - one per kind of data
    """Return *data* with its NumPy arrays made tensors, also inside of lists, tuples and dicts.

    >>> default_convert([1, "a"])
    [1, 'a']
    """
    if isinstance(data, Tensor):
        return data
    if _is_array(data):
        return data if data.dtype.kind in _NO_NUMBERS else as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, tuple):
        return [default_convert(item) for item in data]  # a list, as ever
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence_like(data, [default_convert(item) for item in data])
    return data


def _mapping_like(like: Any, items: dict[Any, Any]) -> Any:
    """Return *items* as a mapping of the kind of *like*, where that can be made."""
    try:
        if isinstance(like, MutableMapping):
            made = copy.copy(like)  # keeps what else it knows, a default for instance
            made.update(items)
            return made
        return type(like)(items)
    except TypeError:
        return items


def _sequence_like(like: Any, items: list[Any]) -> Any:
    """Return *items* as a sequence of the kind of *like*, where that can be made."""
    try:
        if isinstance(like, MutableSequence):
            made = copy.copy(like)
            for position, item in enumerate(items):
                made[position] = item
            return made
        return type(like)(items)
    except TypeError:
        return items


def collate(batch: Any, *, collate_fn_map: dict[Any, Callable[..., Any]] | None = None) -> Any:
    """Return the samples of *batch* joined, by functions for the types of their parts.

    Args:
        batch: The samples.
        collate_fn_map: A function per type, or per tuple of types; it takes the parts of that type
            and *collate_fn_map*.

    Raises:
        TypeError: nothing joins parts of a type.
        RuntimeError: lists in the samples differ in length.
    """
    first = batch[0]
    functions = collate_fn_map or {}
    kind = type(first)
    if kind in functions:
        return functions[kind](batch, collate_fn_map=collate_fn_map)
    for types, function in functions.items():
        if isinstance(first, types):
            return function(batch, collate_fn_map=collate_fn_map)
    if _is_array(first) and functions is default_collate_fn_map:
        return _collate_numpy(batch)

    def join(parts: Any) -> Any:
        return collate(parts, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        return _mapping_like(first, {key: join([item[key] for item in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return kind(*(join(parts) for parts in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(item) != len(first) for item in batch):
            msg = "each element in list of batch should be of equal size"
            raise RuntimeError(msg)
        joined = [join(parts) for parts in zip(*batch, strict=True)]
        return joined if isinstance(first, tuple) else _sequence_like(first, joined)
    raise TypeError(_EXPECTED.format(kind))


def _collate_numpy(batch: Any) -> Any:
    """Return NumPy's arrays as one tensor, or its numbers as a vector."""
    first = batch[0]
    if _is_number(first):
        return as_tensor(batch)
    if first.dtype.kind in _NO_NUMBERS:
        raise TypeError(_EXPECTED.format(first.dtype))
    return stack([as_tensor(item) for item in batch])


def collate_tensor_fn(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    """Return tensors stacked."""
    return stack(list(batch))


def collate_float_fn(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    """Return floats as a vector of float64."""
    return tensor(batch, dtype=float64)


def collate_int_fn(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    """Return integers as a vector."""
    return tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: Any = None) -> Any:
    """Return texts as they are."""
    return batch


default_collate_fn_map: dict[Any, Callable[..., Any]] = {
    Tensor: collate_tensor_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch: Any) -> Any:
    """Return the samples of *batch* joined: numbers as vectors, tensors stacked.

    Dicts, lists and tuples are joined part by part, text stays as it is.

    Args:
        batch: The samples.

    Raises:
        TypeError: a sample has parts of another kind.
        RuntimeError: lists or tensors in the samples differ in size.

    >>> default_collate([(1, "a"), (2, "b")])
    [tensor([1, 2]), ('a', 'b')]
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
