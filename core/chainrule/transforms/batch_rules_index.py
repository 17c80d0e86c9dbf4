"""Batch rules of what picks and places elements by tensors of places."""

from __future__ import annotations

from math import prod
from typing import Any, Final, NamedTuple

from .. import dtypes, ops
from ..errors import AutogradError
from ..shapes import broadcast_shapes
from .batched import BatchedArray
from .batching import Call, one_by_one
from .wrapped import raw

# Note [Indexing a batch]
# -----------------------
# An index of one sample is turned into one of the batch: a tensor that counts the samples stands
# for the batch dimension, and broadcasts with the tensors of places. Where a slice stands between
# tensors, the indexed dimensions come first in the result, in the batch more often than in the
# sample; so the result of the inner index is permuted. What puts values permutes them back.

_MASK = (
    "vmap: We do not support batching operators that can support dynamic shape. Attempting to "
    "batch over indexing with a boolean mask."
)


class Inner(NamedTuple):
    """An index of the batch.

    Attributes:
        indices: One entry per inner dimension: a tensor of places or None.
        order: For every dimension of the batch of results, where it stands in the inner result.
        shape: Of one sample's result.
    """

    indices: list[Any]
    order: tuple[int, ...]
    shape: tuple[int, ...]


def batch_index(indices: Any, shape: tuple[int, ...], size: int, *, source: bool) -> Inner:
    """Return the index of the batch for *indices* of a sample of *shape*.

    Args:
        indices: Batched arrays or None.
        shape: Of what is indexed.
        size: Of the batch.
        source: Whether what is indexed has a batch dimension.
    """
    entries = _places(indices)
    used = [i for i, entry in enumerate(entries) if entry is not None]
    places = [entries[i] for i in used]
    found = tuple(broadcast_shapes(*(tuple(p.shape) for p in places)))
    adjacent = used == list(range(used[0], used[-1] + 1))
    rest = [n for i, n in enumerate(shape) if i not in used]
    before = used[0] if adjacent else 0
    result = (*rest[:before], *found, *rest[before:])
    batched = any(p.batched for p in places)
    inner: list[Any] = [None if e is None else _beside(e, len(found), batched) for e in entries]
    width = len(found)
    if source and not batched:
        first = 0 if adjacent else width
        order = (first, *range(first), *range(first + 1, len(result) + 1))
        return Inner([None, *inner], order, result)
    if not source:
        start = before if adjacent else 0
        order = (start, *range(start), *range(start + 1, len(result) + 1))
        return Inner(inner, order, result)
    count = _counting(places, size, width)
    # The samples' places come first in the inner result, then those within a sample.
    order = (0, *range(1 + width, 1 + width + before), *range(1, 1 + width),
             *range(1 + width + before, len(result) + 1))  # fmt: skip
    return Inner([count, *inner], order, result)


def _places(indices: Any) -> list[Any]:
    """Return *indices* with masks turned into places; a batched mask cannot be."""
    entries: list[Any] = []
    for index in indices:
        if index is None or index.tensor._key.dtype is not dtypes.bool_:
            entries.append(index)
            continue
        if index.batched:
            msg = f"{_MASK}\nvmap: use where() or masked_fill(), which keep the shape."
            raise AutogradError(msg)
        found = ops.nonzero(index.tensor, as_tuple=True)
        entries.extend(BatchedArray(index.level, one, False) for one in found)
    return entries


def _beside(index: Any, width: int, batched: bool) -> Any:
    """Return a tensor of places with *width* dimensions, behind the batch if there is one."""
    if not batched or not index.batched:
        return index.tensor
    missing = (1,) * (width - len(index.shape))
    return ops.reshape(index.tensor, (index.level.size, *missing, *index.shape))


def _counting(places: list[Any], size: int, width: int) -> Any:
    some = places[0].tensor
    numbers = ops.arange(size, device=some.device)
    return ops.reshape(numbers, (size, *(1,) * width))


def _inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def _index(call: Call) -> Any:
    source, indices = call.operands
    entries = batch_index(indices, source.shape, call.level.size, source=source.batched)
    found = raw._index(source.tensor, tuple(entries.indices))
    return ops.permute(found, entries.order)


def _index_backward(call: Call) -> Any:
    grad, indices = call.operands
    shape = tuple(call.static("input_sizes"))
    entries = batch_index(indices, shape, call.level.size, source=True)
    moved = ops.permute(grad.whole(), _inverse(entries.order))
    return raw.index_backward(moved, tuple(entries.indices), (call.level.size, *shape))


def _index_put(call: Call) -> Any:
    target, indices, values = call.operands
    entries = batch_index(indices, target.shape, call.level.size, source=True)
    given = _spread(values, entries.shape, call.level.size)
    moved = ops.permute(given, _inverse(entries.order))
    return raw._index_put(target.whole(), tuple(entries.indices), moved, call.static("accumulate"))


def _spread(values: Any, shape: tuple[int, ...], size: int) -> Any:
    """Return *values* of every sample, broadcast to *shape*."""
    if not values.batched:
        return ops.expand(values.tensor, (size, *shape))
    missing = (1,) * (len(shape) - len(values.shape))
    tensor = ops.reshape(values.tensor, (size, *missing, *values.shape))
    return ops.expand(tensor, (size, *shape))


def _rows(index: Any) -> Any:
    """Return places along a dimension as a vector."""
    if index.shape:
        return index
    return BatchedArray(index.level, ops.unsqueeze(index.tensor, -1), index.batched)


def _at(dim: int, ndim: int, index: Any) -> list[Any]:
    return [*[None] * (dim % max(ndim, 1)), _rows(index)]


def _index_select(call: Call) -> Any:
    source, index = call.operands
    if not index.batched or not source.shape:
        return _select_same(call)
    indices = _at(call.static("dim"), len(source.shape), index)
    return _index(Call(call.op, call.level, [source, indices], {}))


def _select_same(call: Call) -> Any:
    """Select the same places of all samples, or of numbers."""
    source, index = call.operands
    if not source.shape:
        return ops.reshape(source.whole(), (call.level.size,))
    dim = call.static("dim") % len(source.shape)
    return call.run([source.tensor, index.tensor], dim=dim + 1)


def _index_select_backward(call: Call) -> Any:
    grad, index = call.operands
    shape = tuple(call.static("input_sizes"))
    if not shape:
        return ops.reshape(grad.whole(), (call.level.size,))
    dim = call.static("dim") % len(shape)
    if not index.batched:
        return call.run(
            [grad.whole(), index.tensor], input_sizes=(call.level.size, *shape), dim=dim + 1
        )
    indices = _at(dim, len(shape), index)
    grad = BatchedArray(call.level, grad.whole(), True)
    return _index_backward(Call(call.op, call.level, [grad, indices], {"input_sizes": shape}))


def _placed(accumulate: bool) -> Any:
    """Return the rule of index_add, or of index_copy."""

    def rule(call: Call) -> Any:
        target, index, source = call.operands
        if not target.shape:
            return one_by_one(call)
        dim = call.static("dim") % len(target.shape)
        if not index.batched:
            return call.run([target.whole(), index.tensor, source.whole()], dim=dim + 1)
        values = source.whole()
        if accumulate and call.static("alpha") != 1:
            values = values * call.static("alpha")
        if len(source.shape) < len(target.shape):
            values = ops.unsqueeze(values, dim + 1)
        return _index_put(Call(
            call.op, call.level,
            [target, _at(dim, len(target.shape), index), BatchedArray(call.level, values, True)],
            {"accumulate": accumulate},
        ))  # fmt: skip

    return rule


def _index_fill(call: Call) -> Any:
    target, index, value = call.operands
    if not target.shape:
        return one_by_one(call)
    dim = call.static("dim") % len(target.shape)
    differs = isinstance(value, BatchedArray) and value.batched
    if not index.batched and not differs:
        number = value.tensor if isinstance(value, BatchedArray) else value
        return call.run([target.whole(), index.tensor, number], dim=dim + 1)
    if not isinstance(value, BatchedArray):
        filled = ops.full((), value, dtype=target.tensor.dtype, device=target.tensor.device)
        value = BatchedArray(call.level, filled, False)
    operands = [target, _at(dim, len(target.shape), index), value]
    return _index_put(Call(call.op, call.level, operands, {"accumulate": False}))


def _masked_scatter(call: Call) -> Any:
    """Take elements of the source in the order in which the mask asks for them."""
    target, mask, source = call.operands
    size, shape = call.level.size, target.shape
    chosen = ops.reshape(_spread(mask, tuple(shape), size), (size, prod(shape)))
    places = (ops.cumsum(chosen, 1) - 1).clamp(0, max(prod(source.shape) - 1, 0))
    rows = ops.reshape(source.whole(), (size, prod(source.shape)))
    if not prod(source.shape):
        return ops.clone(target.whole())
    found = ops.reshape(ops.gather(rows, 1, places), (size, *shape))
    return ops.where(ops.reshape(chosen, (size, *shape)), found, target.whole())


# Flat places


def _flat_places(index: Any, count: int, size: int) -> Any:
    """Return flat places of every sample, counted from the front, as rows."""
    rows = ops.reshape(index.whole(), (size, prod(index.shape)))
    return ops.where(rows < 0, rows + count, rows)


def _take(call: Call) -> Any:
    source, index = call.operands
    size, count = call.level.size, prod(source.shape)
    rows = ops.reshape(source.whole(), (size, count))
    found = ops.gather(rows, 1, _flat_places(index, count, size))
    return ops.reshape(found, (size, *index.shape))


def _take_backward(call: Call) -> Any:
    grad, index = call.operands
    shape, size = tuple(call.static("input_sizes")), call.level.size
    places = _flat_places(index, prod(shape), size)
    rows = ops.reshape(grad.whole(), (size, prod(index.shape)))
    zeros = rows.new_zeros((size, prod(shape)))
    return ops.reshape(ops.scatter_add(zeros, 1, places, rows), (size, *shape))


def _put(call: Call) -> Any:
    target, index, source = call.operands
    size, count = call.level.size, prod(target.shape)
    places = _flat_places(index, count, size)
    rows = ops.reshape(target.whole(), (size, count))
    values = ops.reshape(source.whole(), (size, prod(source.shape)))
    place = ops.scatter_add if call.static("accumulate") else ops.scatter
    return ops.reshape(place(rows, 1, places, values), (size, *target.shape))


# Tables of rows


def _offsets(index: Any, rows: int, size: int) -> Any:
    """Return row numbers of every sample, in the table of all samples' rows."""
    first = ops.arange(size, device=index.tensor.device) * rows
    return index.whole() + ops.reshape(first, (size, *(1,) * len(index.shape)))


def _embedding(call: Call) -> Any:
    weight, indices = call.operands
    if not weight.batched:
        return call.run([weight.tensor, indices.tensor])
    size, (rows, *width) = call.level.size, weight.shape
    table = ops.reshape(weight.tensor, (size * rows, *width))
    found = call.run([table, _offsets(indices, rows, size)], padding_idx=-1)
    padding = call.static("padding_idx")
    if padding < 0:
        return found
    frozen = ops.unsqueeze(indices.whole() == padding, -1)
    return ops.where(frozen, found.detach(), found)


def _embedding_backward(call: Call) -> Any:
    grad, indices = call.operands
    if call.static("scale_grad_by_freq"):
        return one_by_one(call)
    size, rows = call.level.size, call.static("num_weights")
    given, padding = grad.whole(), call.static("padding_idx")
    if padding >= 0:
        given = ops.where(ops.unsqueeze(indices.whole() == padding, -1), 0, given)
    found = call.run(
        [given, _offsets(indices, rows, size)], num_weights=size * rows, padding_idx=-1
    )
    return ops.reshape(found, (size, rows, *found._array.shape[1:]))


#: The rules, by the op's name.
TABLE: Final[dict[str, Any]] = {
    "_index": _index,
    "index_backward": _index_backward,
    "_index_put": _index_put,
    "_index_select": _index_select,
    "index_select_backward": _index_select_backward,
    "_index_add": _placed(True),
    "_index_copy": _placed(False),
    "_index_fill": _index_fill,
    "_masked_scatter": _masked_scatter,
    "_take": _take,
    "take_backward": _take_backward,
    "_put": _put,
    "_embedding": _embedding,
    "embedding_backward": _embedding_backward,
}  # fmt: skip
