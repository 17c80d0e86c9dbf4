"""Rows of a table looked up in bags, and each bag reduced to one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .. import dtypes
from ..errors import DomainError, DTypeError, ShapeError
from ..op import composite
from ._arguments import check_tensor
from .creation import arange
from .embeddings import embedding_backward
from .rows import index_add
from .scattering import scatter_add, scatter_reduce
from .searching import searchsorted
from .selection import where

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["embedding_bag"]

_SUM, _MEAN, _MAX = 0, 1, 2
MODES: Final = ("sum", "mean", "max")


def _bags(indices: Any, offsets: Any) -> Any:
    """Return the bag that every place of *indices* belongs to."""
    places = arange(indices._array.shape[0], dtype=offsets.dtype, device=offsets.device)
    return searchsorted(offsets, places, right=True) - 1


def _sizes(kept: Any, bags: Any, count: int) -> Any:
    """Return how many places of every bag are *kept*."""
    zeros = kept.new_zeros((count,), dtype=dtypes.int64)
    return index_add(zeros, 0, bags, kept.to(dtypes.int64))


@composite(nodes={"": "EmbeddingBagBackward0"}, saves=("offsets", "sparse"))
def _embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool,
    mode: int,
    sparse: bool,
    per_sample_weights: Tensor | None,
    include_last_offset: bool,
    padding_idx: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the bags' rows; of every place, its bag; the bags' sizes; and of maxima, the rows."""
    table: Any = weight
    places: Any = indices
    starts: Any = offsets[:-1] if include_last_offset else offsets
    factors: Any = per_sample_weights
    count, bags = starts._array.shape[0], _bags(places, starts)
    kept = places != padding_idx
    sizes = _sizes(kept, bags, count)
    rows = table.index_select(0, places)
    if mode == _MAX:
        values, chosen = _maxima(rows, places, bags, kept, count)
        return values, bags, sizes, chosen
    if factors is not None:
        rows = rows * factors.unsqueeze(1)
    rows = where(kept.unsqueeze(1), rows, 0)
    total = index_add(table.new_zeros((count, table._array.shape[1])), 0, bags, rows)
    if mode == _SUM:
        return total, bags, sizes * 0, sizes * 0
    total = total / sizes.clamp(1).unsqueeze(1).to(total.dtype)
    return total, bags, sizes, sizes.clone()


def _maxima(rows: Any, places: Any, bags: Any, kept: Any, count: int) -> tuple[Any, Any]:
    """Return the largest elements of every bag, zeros for an empty one, and their rows."""
    width, many = rows._array.shape[1], places._array.shape[0]
    hidden = where(kept.unsqueeze(1), rows, -float("inf"))
    index = bags.unsqueeze(1).expand(many, width)
    lowest = rows.new_full((count, width), -float("inf"))
    best = scatter_reduce(lowest, 0, index, hidden, "amax")
    number = arange(many, dtype=dtypes.int64, device=rows.device).unsqueeze(1)
    met = where((hidden == best.index_select(0, bags)) & kept.unsqueeze(1), number, many)
    none = places.new_full((count, width), many, dtype=dtypes.int64)
    first = scatter_reduce(none, 0, index, met, "amin")
    empty = first == many
    chosen = where(
        empty, 0, places.to(dtypes.int64).take(where(empty, 0, first)) if many else first * 0
    )
    return where(empty, 0, best), chosen


@_embedding_bag.vjp_joint("weight", "per_sample_weights")
def _embedding_bag_rule(
    grad: Any,
    weight: Any,
    indices: Any,
    result1: Any,
    result2: Any,
    result3: Any,
    per_sample_weights: Any,
    wanted: Any,
    scale_grad_by_freq: bool,
    mode: int,
    padding_idx: int,
) -> Any:
    if mode == _MAX:
        found = _to_maxima(grad, weight, result2, result3)
        return found, None
    rows = grad.index_select(0, result1)
    if mode == _MEAN:
        rows = rows / result2.clamp(1).index_select(0, result1).unsqueeze(1).to(rows.dtype)
    by_factor = None
    if per_sample_weights is not None:
        if wanted[1]:
            products = (rows * weight.index_select(0, indices)).sum(1)
            by_factor = where(indices != padding_idx, products, 0)
        rows = rows * per_sample_weights.unsqueeze(1)
    count = weight._array.shape[0]
    return embedding_backward(rows, indices, count, padding_idx, scale_grad_by_freq), by_factor


def _to_maxima(grad: Any, weight: Any, sizes: Any, chosen: Any) -> Any:
    """Return ``grad`` at the rows that the largest elements came from."""
    kept = where((sizes > 0).unsqueeze(1), grad, 0)
    return scatter_add(weight.new_zeros(tuple(weight._array.shape)), 0, chosen, kept)


_embedding_bag.vjp(indices=None, offsets=None)


def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the rows of *weight* that *indices* name, reduced per bag.

    Args:
        weight: ``(V, D)``.
        indices: ``(M)``, int64 or int32, from 0 to V - 1.
        offsets: ``(B)``, where each bag begins, the first at 0.
        scale_grad_by_freq: Divide the gradient of a row by how often it was looked up.
        mode: 0 for the sum of a bag, 1 for its mean, 2 for its largest elements.
        sparse: Taken and ignored: the gradient is dense.
        per_sample_weights: ``(M)``, factors of the rows, for sums.
        include_last_offset: The last of *offsets* is the end of the last bag.
        padding_idx: A row that takes no part.

    Returns:
        The bags ``(B, D)``; of every index its bag ``(M)``; the bags' sizes ``(B)``; and of the
        largest elements the rows ``(B, D)``.

    Raises:
        RuntimeError: offsets or indices are out of range.

    Gradient:
        ``grad`` of a bag added to its rows, by their shares.

    >>> import chainrule as cr
    >>> table = cr.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> cr.embedding_bag(table, cr.tensor([0, 1, 1]), cr.tensor([0, 2]))[0]
    tensor([[4., 6.],
            [3., 4.]])
    """
    for place, (name, given) in enumerate(
        (("weight", weight), ("indices", indices), ("offsets", offsets)), 1
    ):
        check_tensor("embedding_bag", given, name, place)
    rows = weight._array.shape[0]
    _check_places(indices, offsets, rows)
    if padding_idx is None:
        padding = -1
    elif -rows <= padding_idx < rows:
        padding = padding_idx % rows
    else:
        msg = (
            f"padding_idx must be within the number of embeddings, -{rows} through {rows - 1}, but "
            f"got {padding_idx}"
        )
        raise DomainError(msg)
    return _embedding_bag(
        weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights,
        include_last_offset, padding,
    )  # fmt: skip


def _check_places(indices: Any, offsets: Any, rows: int) -> None:
    """Check that indices name rows, and offsets places of them."""
    if indices._key.backend.level or offsets._key.backend.level:
        return  # under vmap every sample has places of its own; the kernel finds wrong ones
    for number, (name, given) in enumerate((("indices", indices), ("offsets", offsets)), 1):
        if given._key.dtype not in {dtypes.int64, dtypes.int32}:
            msg = (
                f"Expected tensor for argument #{number} '{name}' to have one of the following "
                f"scalar types: Long, Int; but got torch.{given._key.dtype.scalar_name}Tensor "
                "instead (while checking arguments for embedding_bag)"
            )
            raise DTypeError(msg)
    count = indices._array.shape[0]
    first = offsets._array.shape[0] and int(offsets[0].item())
    if first:
        msg = (
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
            f"position 0. However, got {first}"
        )
        raise ShapeError(msg)
    last = offsets._array.shape[0] and int(offsets[-1].item())
    if last > count:
        msg = (
            f"offsets[-1] can not be greater than input's length {count} but got offsets[-1] of "
            f"{last}"
        )
        raise ShapeError(msg)
    if not count:
        return
    wrong = (indices < 0) | (indices >= rows)
    if bool(wrong.any()):
        place = int(wrong.to(dtypes.int64).argmax())
        msg = (
            f"Index {place} of input takes value {int(indices[place])} which is not in the valid "
            f"range [0, {rows})"
        )
        raise DomainError(msg)
