"""Reductions of segments: parts of a dimension that follow each other, of their own lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .. import dtypes, ops
from ..errors import ShapeError, UnsupportedDTypeError
from ..shapes import wrap_dim
from ._arguments import check_tensor
from .linalg_checks import fail

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = ["segment_reduce"]

#: What each reduction is called as one that scatters, and what an empty segment gives.
_REDUCTIONS: Final = {
    "sum": ("sum", 0.0),
    "mean": ("sum", 0.0),
    "prod": ("prod", 1.0),
    "max": ("amax", -float("inf")),
    "amax": ("amax", -float("inf")),
    "min": ("amin", float("inf")),
    "amin": ("amin", float("inf")),
}


def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Tensor | None = None,
    indices: Tensor | None = None,
    offsets: Tensor | None = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: Number | None = None,
) -> Tensor:
    """Return the sum, mean, product or extreme of each segment of *axis*.

    Args:
        data: ``(*, N, *)``, floating.
        reduce: ``"sum"``, ``"mean"``, ``"prod"``, ``"max"`` or ``"min"``.
        lengths: Integers ``(*, S)``, of segments that fill the axis; one row for each place of
            the dimensions before it.
        indices: Not supported, as in PyTorch.
        offsets: Integers ``(*, S + 1)`` in place of *lengths*: where each segment starts, and N.
        axis: The dimension of size N, the last of *lengths*.
        unsafe: Do not check the lengths.
        initial: What every segment starts with, beside its elements.

    Returns:
        ``(*, S, *)``. An empty segment gives *initial*, or else 0, 1 or an infinity, or NaN for
        the mean.

    Raises:
        RuntimeError: lengths are negative or do not sum to N, or an argument does not fit.

    Gradient:
        As of the reduction; equal extremes share it.

    >>> import chainrule as cr
    >>> cr.segment_reduce(cr.arange(6.0), "max", lengths=cr.tensor([2, 4]))
    tensor([1., 5.])
    """
    check_tensor("segment_reduce", data, "data")
    place = wrap_dim(axis, len(data._array.shape))
    counts = _checked(data, reduce, lengths, indices, offsets, place, unsafe=unsafe)
    name, identity = _REDUCTIONS[reduce]
    shape, total = tuple(data._array.shape), counts._array.shape[-1]
    rest = (1,) * (len(shape) - place - 1)
    # Where the lengths need not fill the axis, what is left over makes a segment more.
    index = _places(counts, shape[place]).reshape(*shape[: place + 1], *rest).expand(shape)
    room = (*shape[:place], total + 1, *shape[place + 1 :])
    start: Any = ops.full(
        room, identity if initial is None else initial, dtype=data._key.dtype, device=data.device
    )
    every: Any = ops.scatter_reduce(start, place, index, data, name)
    result = every.narrow_copy(place, 0, total)
    if reduce != "mean":
        return result  # type: ignore[no-any-return]  # an op's result
    sizes = counts.reshape(*counts.shape, *rest).to(data._key.dtype)
    return result / (sizes if initial is None else sizes.clamp(min=1))  # type: ignore[no-any-return]  # an op's result


def _checked(
    data: Tensor,
    reduce: str,
    lengths: Tensor | None,
    indices: Tensor | None,
    offsets: Tensor | None,
    place: int,
    *,
    unsafe: bool,
) -> Any:
    """Return the lengths of the segments, once all arguments are in order."""
    if reduce not in _REDUCTIONS:
        sentence = f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        fail(ShapeError, sentence, "segment_reduce: expected one of these words.")
    if data._key.category != dtypes.FLOATING:
        sentence = f"\"_segment_reduce_cpu\" not implemented for '{data._key.dtype.scalar_name}'"
        fail(UnsupportedDTypeError, sentence, "segment_reduce: convert with .float().")
    if indices is not None:
        sentence = "segment_reduce(): indices based reduction is not supported yet."
        fail(ShapeError, sentence, "segment_reduce: give lengths or offsets.")
    if lengths is None and offsets is None:
        sentence = "segment_reduce(): Either lengths or offsets must be defined."
        fail(ShapeError, sentence, "segment_reduce: expected one of them.")
    given: Any = lengths if offsets is None else offsets
    rank = len(given._array.shape)
    if place != rank - 1:
        sentence = (
            "segment_reduce(): Expected axis to be the last dimension of "
            f"{'lengths' if offsets is None else 'offsets'} but got {place}."
        )
        fail(ShapeError, sentence, f"segment_reduce: expected axis={rank - 1}.")
    counts = given if offsets is None else given.diff(dim=-1)
    if not unsafe:
        _check_lengths(counts, data._array.shape[place])
    return counts


def _check_lengths(counts: Any, size: int) -> None:
    if bool((counts < 0).any()):
        sentence = "lengths contains negative value!"
        fail(ShapeError, sentence, "segment_reduce: a segment has no or some elements.")
    if bool((counts.sum(-1) != size).any()):
        sentence = (
            "segment_reduce(): Expected all rows of lengths along axis to sum to "
            "data.size(lengths.dim()-1) when !unsafe."
        )
        fail(ShapeError, sentence, f"segment_reduce: expected lengths that sum to {size}.")


def _places(counts: Any, size: int) -> Any:
    """Return to which segment each place of the axis belongs: ``(*, N)`` from ``(*, S)``."""
    places = ops.arange(size, device=counts.device).expand(*counts.shape[:-1], size)
    return ops.searchsorted(counts.cumsum(-1), places, right=True)
