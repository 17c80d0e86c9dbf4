"""Kernels of chainrule/ops/indexing.py, assignment.py and masking.py."""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


def key_of(indices: Any) -> tuple[Any, ...]:
    """Return a list of places as what stands in an array's square brackets."""
    return tuple(slice(None) if index is None else index for index in indices)


def add_flat(xp: Any, out: Any, places: Any, values: Any) -> None:
    """Add *values* to a contiguous array at flat *places*, a place as often as it is named."""
    adding(xp)(out.reshape(-1), places.reshape(-1), values.reshape(-1))


def adding(xp: Any) -> Any:
    """Return ``add.at``, or ``add_at`` of a namespace whose ufunc cannot add every dtype."""
    return getattr(xp, "add_at", None) or xp.add.at


@ks.forward("cr::_alias")
def alias(x: Any) -> Any:
    return x[...]


@ks.forward("cr::_basic_index")
def basic_index(x: Any, *, index: tuple[Any, ...]) -> Any:
    return x[index] if Ellipsis in index else x[(*index, ...)]


@ks.family("cr::basic_index_backward")
def basic_index_backward(xp: Any) -> Any:
    def kernel(grad: Any, *, input_sizes: tuple[int, ...], index: tuple[Any, ...]) -> Any:
        out = xp.zeros(input_sizes, grad.dtype)
        out[index] = grad
        return out

    return kernel


@ks.family("cr::_index")
def index(xp: Any) -> Any:
    def kernel(x: Any, indices: Any) -> Any:
        used = [dim for dim, one in enumerate(indices) if one is not None]
        if len(used) == 1 and indices[used[0]].dtype != bool:
            return x.take(indices[used[0]], used[0])
        return xp.asarray(x[key_of(indices)], order="C")

    return kernel


@ks.family("cr::index_backward")
def index_backward(xp: Any) -> Any:
    def kernel(grad: Any, indices: Any, *, input_sizes: tuple[int, ...]) -> Any:
        used = [one for one in indices if one is not None]
        if len(used) == 1 and used[0].dtype == bool:  # no place is named twice
            out = xp.zeros(input_sizes, grad.dtype)
            out[key_of(indices)] = grad
            return out
        return _added_up(xp, grad, indices, input_sizes)

    return kernel


def _added_up(xp: Any, grad: Any, indices: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of *shape* with *grad* added at *indices*.

    The indexed dimensions are brought to the front, where together they are one flat index of
    rows; adding at flat places is far quicker than at tuples of places.
    """
    places, dims = _expanded(indices)
    rest = [dim for dim in range(len(shape)) if dim not in dims]
    rows, row = [shape[dim] for dim in dims], [shape[dim] for dim in rest]
    places = xp.broadcast_arrays(*places)
    count, width, common = places[0].size, prod(row), places[0].ndim
    together = dims == list(range(dims[0], dims[0] + len(dims)))
    first = dims[0] if together else 0  # where an advanced index puts its dimensions
    moved = (*range(first, first + common), *range(first), *range(first + common, grad.ndim))
    flat: Any = 0
    for place, size in zip(places, rows, strict=True):
        flat = flat * size + xp.where(place < 0, place + size, place)
    out = xp.zeros((prod(rows), width), grad.dtype)
    cells = flat.reshape(count, 1) * width + xp.arange(width)
    add_flat(xp, out, cells, grad.transpose(moved))
    order = [0] * len(shape)
    for front, dim in enumerate([*dims, *rest]):
        order[dim] = front
    return xp.asarray(out.reshape(rows + row).transpose(order), order="C")


def _expanded(indices: Any) -> tuple[list[Any], list[int]]:
    """Return one array of places per indexed dimension, and the dimensions; masks spread out."""
    places: list[Any] = []
    dims: list[int] = []
    dim = 0
    for one in indices:
        if one is None:
            dim += 1
            continue
        spread = one.nonzero() if one.dtype == bool else (one,)
        places.extend(spread)
        dims.extend(range(dim, dim + len(spread)))
        dim += len(spread)
    return places, dims


@ks.family("cr::_index_put")
def index_put(xp: Any) -> Any:
    def kernel(x: Any, indices: Any, values: Any, *, accumulate: bool) -> Any:
        out = xp.array(x, order="C")
        if accumulate:
            adding(xp)(out, key_of(indices), values)
        else:
            out[key_of(indices)] = values
        return out

    return kernel


@ks.family("cr::_write_at_")
def write_at(xp: Any) -> Any:
    def kernel(
        targets: list[Any], values: list[Any], indices: list[Any], *, dims: tuple[int, ...],
        accumulate: bool,
    ) -> None:  # fmt: skip
        key = [slice(None)] * (dims[-1] + 1)
        for position, index in zip(dims, indices, strict=True):
            key[position] = index
        if accumulate:
            adding(xp)(targets[0], tuple(key), values[0])
        else:
            targets[0][tuple(key)] = values[0]

    return kernel


@ks.family("cr::_nonzero")
def nonzero(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        if x.ndim == 0:
            return xp.zeros((x.reshape(1).nonzero()[0].shape[0], 0), "int64")
        return xp.stack(x.nonzero()).T  # each dimension's places follow each other, as in PyTorch

    return kernel


@ks.family("cr::_masked_select")
def masked_select(xp: Any) -> Any:
    def kernel(x: Any, mask: Any) -> Any:
        x, mask = xp.broadcast_arrays(x, mask)
        return x[mask]

    return kernel


@ks.family("cr::masked_select_backward")
def masked_select_backward(xp: Any) -> Any:
    def kernel(grad: Any, mask: Any, *, input_sizes: tuple[int, ...]) -> Any:
        shape = _common(input_sizes, mask.shape)
        out = xp.zeros(shape, grad.dtype)
        out[xp.broadcast_to(mask, shape)] = grad
        return out

    return kernel


def _common(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that two shapes known to fit broadcast to."""
    ndim = max(len(left), len(right))
    padded = (1,) * (ndim - len(left)) + left, (1,) * (ndim - len(right)) + right
    return tuple(b if a == 1 else a for a, b in zip(*padded, strict=True))


@ks.family("cr::_masked_scatter")
def masked_scatter(xp: Any) -> Any:
    def kernel(x: Any, mask: Any, source: Any) -> Any:
        out = xp.array(x, order="C")
        places = mask.reshape(-1).nonzero()[0]
        if places.shape[0] > source.size:
            raise ValueError("masked_scatter: the source is too short")
        out.reshape(-1)[places] = source.reshape(-1)[: places.shape[0]]
        return out

    return kernel


@ks.family("cr::masked_scatter_backward")
def masked_scatter_backward(xp: Any) -> Any:
    def kernel(grad_output: Any, mask: Any, *, sizes: tuple[int, ...]) -> Any:
        out = xp.zeros(prod(sizes), grad_output.dtype)
        chosen = grad_output[mask]
        out[: chosen.shape[0]] = chosen
        return out.reshape(sizes)

    return kernel
