"""Kernels of chainrule/ops/joining.py and splitting.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

from .slicing import at

ks = KernelSet("xp")


@ks.family("cr::_cat")
def cat(xp: Any) -> Any:
    join = xp.concatenate

    def kernel(arrays: list[Any], *, dim: int, dtype: Any = None) -> Any:
        if any(x.shape == (0,) for x in arrays):  # left out, whatever the others are
            arrays = [x for x in arrays if x.shape != (0,)] or arrays
        if dtype is None:
            return join(arrays, dim)
        return join([x.astype(dtype.name) for x in arrays], dim)

    return kernel


@ks.family("cr::_stack")
def stack(xp: Any) -> Any:
    join = xp.concatenate

    def kernel(arrays: list[Any], *, dim: int, dtype: Any = None) -> Any:
        place = dim if dim >= 0 else dim + arrays[0].ndim + 1
        index = (slice(None),) * place + (None,)
        if dtype is not None:
            arrays = [x.astype(dtype.name) for x in arrays]
        return join([x[index] for x in arrays], place)

    return kernel


@ks.family("cr::_block_diag")
def block_diag(xp: Any) -> Any:
    def kernel(arrays: list[Any], *, dtype: Any) -> Any:
        blocks = [x.reshape((1,) * (2 - x.ndim) + x.shape) for x in arrays]
        heights, widths = [x.shape[0] for x in blocks], [x.shape[1] for x in blocks]
        out = xp.zeros((sum(heights), sum(widths)), dtype.name)
        row = column = 0
        for block, height, width in zip(blocks, heights, widths, strict=True):
            out[row : row + height, column : column + width] = block
            row, column = row + height, column + width
        return out

    return kernel


@ks.forward("cr::_split")
def split(x: Any, *, split_size: int, dim: int) -> Any:
    size = x.shape[dim]
    starts = range(0, size, split_size) if size else (0,)
    return [x[at(x, dim, slice(i, i + split_size))] for i in starts]


@ks.forward("cr::_split_with_sizes")
def split_with_sizes(x: Any, *, split_sizes: tuple[int, ...], dim: int) -> Any:
    parts, start = [], 0
    for size in split_sizes:
        parts.append(x[at(x, dim, slice(start, start + size))])
        start += size
    return parts


@ks.forward("cr::_unbind")
def unbind(x: Any, *, dim: int) -> Any:
    return [x[at(x, dim, i)] for i in range(x.shape[dim])]
