"""Whether tensors look at the same memory, so that a write would change what is yet to be read."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final

from ._warn import warn
from .errors import ShapeError
from .traces import levels_out
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHARED: Final = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a "
    "single memory location. Please clone() the tensor before performing the operation."
)
_REPEATED: Final = (
    "unsupported operation: more than one element of the written-to tensor refers to a single "
    "memory location. Please clone() the tensor before performing the operation."
)


def _is_repeated(target: Value) -> bool:
    shape, strides = target._array.shape, target._key.backend.strides(target._array)
    if 0 not in strides or 0 in shape:
        return False
    return any(step == 0 and size > 1 for step, size in zip(strides, shape, strict=True))


def check_distinct(target: Value, name: str) -> None:
    """Check that no two elements of *target* are one in memory, as those of an expanded one are.

    Raises:
        ShapeError: they are.
    """
    if _is_repeated(target):
        msg = f"{_REPEATED}\n{name}: several elements would be written to at once."
        raise ShapeError(msg)


#: What PyTorch still takes for an expanded tensor, with a warning, and an example of it.
_STILL_TAKEN: Final = {
    "index_put_": "tensor[indices] = tensor",
    "index_fill_": "tensor[mask] = scalar",
    "masked_fill_": "tensor[mask] = scalar",
}


def warn_if_repeated(target: Value, name: str) -> bool:
    """Return whether *name* writes into an expanded tensor all the same, after a warning."""
    example = _STILL_TAKEN.get(name)
    if example is None:
        return False
    if _is_repeated(target):
        warn(
            f"Use of {name} on expanded tensors is deprecated. Please clone() the tensor before "
            "performing this operation. This also applies to advanced indexing e.g. "
            f"{example}",
            UserWarning,
            stacklevel=levels_out(),
        )
    return True


def check_overlap(
    target: Value, sources: Iterable[Any], name: str, *, whole: bool = False, exact: bool = False
) -> None:
    """Check that none of *sources* shares a part of the memory of *target*.

    Args:
        target: What is about to be written to.
        sources: What is read meanwhile; what is no tensor counts for nothing.
        name: What writes.
        whole: Refuse a source that is all of the target too; elementwise ops take that.

        exact: A source that is all of the target must have its dimensions of size 1 too.

    Raises:
        ShapeError: one does. Where gaps make it hard to tell, it is let through, as in PyTorch.
    """
    storage = target._storage
    for source in sources:
        if not isinstance(source, Value):
            continue
        if source is target:
            shared = whole and bool(prod(target._array.shape))
        else:
            shared = (
                storage is not None
                and source._storage is storage
                and _shares(target, source, whole=whole, exact=exact)
            )
        if shared:
            msg = f"{_SHARED}\n{name}: what is read would change while it is written to."
            raise ShapeError(msg)


def _shares(one: Value, other: Value, *, whole: bool, exact: bool) -> bool:
    first, second = _extent(one), _extent(other)
    if first is None or second is None:
        return False
    if first == second:
        ranks_differ = len(one._array.shape) != len(other._array.shape)
        return whole or (exact and ranks_differ) or _steps(one) != _steps(other)
    return first[0] < second[1] and second[0] < first[1]


def _steps(value: Value) -> list[int]:
    """Return the strides of the dimensions that have any."""
    strides = value._key.backend.strides(value._array)
    return [s for s, size in zip(strides, value._array.shape, strict=True) if size != 1]


def _extent(value: Value) -> tuple[int, int] | None:
    """Return the first address and the one past the last, or None if there are gaps in between."""
    backend, array = value._key.backend, value._array
    steps = sorted(
        (step, size)
        for step, size in zip(backend.strides(array), array.shape, strict=True)
        if size != 1
    )
    expected = 1
    for step, size in steps:
        if step != expected:
            return None
        expected *= size
    if not expected:
        return None
    start = backend.data_ptr(array)
    return start, start + expected * value._key.dtype.itemsize
