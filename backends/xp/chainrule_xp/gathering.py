"""Kernels of chainrule/ops/gathering.py, scattering.py, rows.py and embeddings.py.

Places are taken as they come: a backend that can look at values cheaply checks them first, as the
NumPy backend does, and raises an IndexError.
"""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backend import KernelSet

from .indexing import add_flat
from .slicing import at

ks = KernelSet("xp")


def _cells(xp: Any, shape: tuple[int, ...], dim: int, index: Any) -> Any:
    """Return the flat place in an array of *shape* that every place of *index* means."""
    if not shape:
        return index
    dim %= len(shape)
    flat, step = 0, 1
    for d in range(len(shape) - 1, -1, -1):
        if d == dim:
            flat = flat + index * step
        elif index.shape[d] > 1:
            line = (-1,) + (1,) * (len(shape) - 1 - d)
            flat = flat + (xp.arange(index.shape[d]) * step).reshape(line)
        step *= shape[d]
    return flat


def _dims(x: Any, index: Any) -> tuple[Any, Any]:
    """Return the array and the index with at least one dimension."""
    return (x if x.ndim else x.reshape(1)), (index if index.ndim else index.reshape(1))


@ks.family("cr::_gather")
def gather(xp: Any) -> Any:
    def kernel(x: Any, index: Any, *, dim: int, sparse_grad: bool = False) -> Any:
        if index.size == 0:
            return xp.zeros(index.shape, x.dtype)
        line, places = _dims(x, index)
        place = dim % line.ndim
        line = line[tuple(
            slice(None) if d == place else slice(n) for d, n in enumerate(places.shape)
        )]  # fmt: skip
        return xp.take_along_axis(line, places, place).reshape(index.shape)

    return kernel


@ks.family("cr::gather_backward")
def gather_backward(xp: Any) -> Any:
    def kernel(grad: Any, index: Any, *, input_sizes: tuple[int, ...], dim: int) -> Any:
        out = xp.zeros(input_sizes, grad.dtype)
        if index.size:
            places = index if index.ndim or not input_sizes else index.reshape(1)
            add_flat(xp, out, _cells(xp, input_sizes, dim, places), grad)
        return out

    return kernel


@ks.family("cr::_take")
def take(xp: Any) -> Any:
    return xp.take


@ks.family("cr::take_backward")
def take_backward(xp: Any) -> Any:
    def kernel(grad: Any, index: Any, *, input_sizes: tuple[int, ...]) -> Any:
        out = xp.zeros(input_sizes, grad.dtype)
        add_flat(xp, out, index, grad)
        return out

    return kernel


@ks.family("cr::_put")
def put(xp: Any) -> Any:
    def kernel(x: Any, index: Any, source: Any, *, accumulate: bool) -> Any:
        out = xp.array(x, order="C")
        if accumulate:
            add_flat(xp, out, index, source)
        else:
            out.reshape(-1)[index.reshape(-1)] = source.reshape(-1)
        return out

    return kernel


# Scattering


@ks.family("cr::_scatter")
def scatter(xp: Any) -> Any:
    def kernel(x: Any, index: Any, src: Any, *, dim: int) -> Any:
        out = xp.array(x, order="C")
        if index.size:
            places = index if index.ndim or not x.ndim else index.reshape(1)
            out.reshape(-1)[_cells(xp, x.shape, dim, places).reshape(-1)] = src.reshape(-1)
        return out

    return kernel


@ks.family("cr::_scatter_value")
def scatter_value(xp: Any) -> Any:
    def kernel(x: Any, index: Any, *, dim: int, value: Any) -> Any:
        out = xp.array(x, order="C")
        if index.size:
            places = index if index.ndim or not x.ndim else index.reshape(1)
            out.reshape(-1)[_cells(xp, x.shape, dim, places).reshape(-1)] = value
        return out

    return kernel


@ks.family("cr::_scatter_add")
def scatter_add(xp: Any) -> Any:
    def kernel(x: Any, index: Any, src: Any, *, dim: int) -> Any:
        out = xp.array(x, order="C")
        if index.size:
            places = index if index.ndim or not x.ndim else index.reshape(1)
            add_flat(xp, out, _cells(xp, x.shape, dim, places), src)
        return out

    return kernel


@ks.family("cr::_scatter_combined")
def scatter_combined(xp: Any) -> Any:
    def kernel(x: Any, index: Any, src: Any, *, dim: int, reduce: str) -> Any:
        out = xp.array(x, order="C")
        if index.size:
            places = index if index.ndim or not x.ndim else index.reshape(1)
            combine = xp.add if reduce == "add" else xp.multiply
            cells = _cells(xp, x.shape, dim, places).reshape(-1)
            combine.at(out.reshape(-1), cells, src.reshape(-1))
        return out

    return kernel


@ks.family("cr::_scatter_reduce")
def scatter_reduce(xp: Any) -> Any:
    combine = {
        "sum": xp.add, "mean": xp.add, "prod": xp.multiply, "amax": xp.maximum, "amin": xp.minimum,
    }  # fmt: skip

    def kernel(
        x: Any, index: Any, src: Any, *, dim: int, reduce: str, include_self: bool = True
    ) -> Any:
        out = xp.array(x, order="C")
        if not index.size:
            return out
        places = index if index.ndim or not x.ndim else index.reshape(1)
        cells, flat = _cells(xp, x.shape, dim, places).reshape(-1), out.reshape(-1)
        if not include_self:
            flat[cells] = _neutral(xp, reduce, out.dtype)
        combine[reduce].at(flat, cells, src.reshape(-1))
        if reduce == "mean":
            count = xp.full(flat.shape, 1 if include_self else 0)
            xp.add.at(count, cells, 1)
            count = xp.maximum(count, 1)
            out = flat / count if out.dtype.kind in "fc" else flat // count
        return out.reshape(x.shape).astype(x.dtype, copy=False)

    return kernel


def _neutral(xp: Any, reduce: str, dtype: Any) -> Any:
    """Return the number that changes nothing in a reduction."""
    if reduce in {"sum", "mean"}:
        return 0
    if reduce == "prod":
        return 1
    if dtype.kind == "f":
        return -xp.inf if reduce == "amax" else xp.inf
    if dtype.kind == "b":
        return reduce == "amin"
    bounds = xp.iinfo(dtype)
    return bounds.min if reduce == "amax" else bounds.max


# Rows


def _rows(x: Any, dim: int, index: Any) -> tuple[Any, Any]:
    return (x if x.ndim else x.reshape(1)), index.reshape(-1)


@ks.family("cr::_index_select")
def index_select(xp: Any) -> Any:
    def kernel(x: Any, index: Any, *, dim: int) -> Any:
        if x.ndim == 0:
            return xp.array(x)
        return x.take(index.reshape(-1), dim)

    return kernel


@ks.family("cr::index_select_backward")
def index_select_backward(xp: Any) -> Any:
    def kernel(grad: Any, index: Any, *, input_sizes: tuple[int, ...], dim: int) -> Any:
        out = xp.zeros(input_sizes, grad.dtype)
        _add_rows(xp, out, dim, index, grad)
        return out

    return kernel


def _add_rows(xp: Any, out: Any, dim: int, index: Any, source: Any) -> None:
    """Add rows to a contiguous array along *dim*."""
    if out.ndim == 0:
        out += source.reshape(())
        return
    dim %= out.ndim
    inner, size = prod(out.shape[dim + 1 :]), out.shape[dim]
    outer = xp.arange(prod(out.shape[:dim])).reshape(-1, 1, 1) * (size * inner)
    cells = outer + index.reshape(-1, 1) * inner + xp.arange(inner)
    add_flat(xp, out, cells, source)


@ks.family("cr::_index_add")
def index_add(xp: Any) -> Any:
    def kernel(x: Any, index: Any, source: Any, *, dim: int, alpha: Any = 1) -> Any:
        out = xp.array(x, order="C")
        _add_rows(xp, out, dim, index, source if alpha == 1 else source * alpha)
        return out

    return kernel


@ks.family("cr::_index_copy")
def index_copy(xp: Any) -> Any:
    def kernel(x: Any, index: Any, source: Any, *, dim: int) -> Any:
        out = xp.array(x, order="C")
        line = out if out.ndim else out.reshape(1)
        rows = index.reshape(-1)
        line[at(line, dim, rows)] = source if source.ndim else source.reshape(1)
        return out

    return kernel


@ks.family("cr::_index_fill")
def index_fill(xp: Any) -> Any:
    def kernel(x: Any, index: Any, value: Any, *, dim: int) -> Any:
        out = xp.array(x, order="C")
        line = out if out.ndim else out.reshape(1)
        line[at(line, dim, index.reshape(-1))] = value
        return out

    return kernel


# Embeddings


@ks.family("cr::_embedding")
def embedding(xp: Any) -> Any:
    def kernel(
        weight: Any, indices: Any, *, padding_idx: int = -1, scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Any:  # fmt: skip
        return weight.take(indices, 0)

    return kernel


@ks.family("cr::embedding_backward")
def embedding_backward(xp: Any) -> Any:
    def kernel(
        grad_output: Any, indices: Any, *, num_weights: int, padding_idx: int,
        scale_grad_by_freq: bool,
    ) -> Any:  # fmt: skip
        width, rows = grad_output.shape[-1], indices.reshape(-1)
        values = grad_output.reshape(-1, width)
        if scale_grad_by_freq:
            counts = xp.bincount(rows, minlength=num_weights)
            values = values / counts[rows].reshape(-1, 1).astype(values.dtype)
        out = xp.zeros((num_weights, width), grad_output.dtype)
        add_flat(xp, out, rows.reshape(-1, 1) * width + xp.arange(width), values)
        if padding_idx >= 0:
            out[padding_idx] = 0
        return out

    return kernel


@ks.family("cr::_one_hot")
def one_hot(xp: Any) -> Any:
    def kernel(x: Any, *, num_classes: int) -> Any:
        return (x[..., None] == xp.arange(num_classes)).astype("int64")

    return kernel
