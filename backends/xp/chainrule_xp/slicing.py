"""Kernels of chainrule/ops/slicing.py, diagonals.py and striding.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet
from chainrule.errors import KernelNotFoundError

ks = KernelSet("xp")


def at(x: Any, dim: int, item: Any) -> tuple[Any, ...]:
    """Return the index that has *item* at *dim* and takes all of what stands before and behind."""
    ndim: int = x.ndim
    return (slice(None),) * (dim % ndim) + (item, ...)


def _zeros(xp: Any, like: Any, shape: tuple[int, ...]) -> Any:
    return xp.zeros(shape, like.dtype)


@ks.forward("cr::_select")
def select(x: Any, *, dim: int, index: int) -> Any:
    return x[at(x, dim, index)]


@ks.family("cr::select_backward")
def select_backward(xp: Any) -> Any:
    def kernel(grad: Any, *, input_sizes: tuple[int, ...], dim: int, index: int) -> Any:
        out = _zeros(xp, grad, input_sizes)
        out[at(out, dim, index)] = grad
        return out

    return kernel


@ks.forward("cr::_slice")
def slice_(x: Any, *, dim: int, start: int, end: int, step: int) -> Any:
    return x[at(x, dim, slice(start, end, step))]


@ks.family("cr::slice_backward")
def slice_backward(xp: Any) -> Any:
    def kernel(
        grad: Any, *, input_sizes: tuple[int, ...], dim: int, start: int, end: int, step: int
    ) -> Any:
        out = _zeros(xp, grad, input_sizes)
        out[at(out, dim, slice(start, end, step))] = grad
        return out

    return kernel


@ks.family("cr::_select_scatter")
def select_scatter(xp: Any) -> Any:
    def kernel(x: Any, src: Any, *, dim: int, index: int) -> Any:
        out = xp.array(x, order="C")
        out[at(out, dim, index)] = src
        return out

    return kernel


@ks.family("cr::_slice_scatter")
def slice_scatter(xp: Any) -> Any:
    def kernel(x: Any, src: Any, *, dim: int, start: int | None, end: int | None, step: int) -> Any:
        out = xp.array(x, order="C")
        out[at(out, dim, slice(start, end, step))] = src
        return out

    return kernel


# Windows


@ks.family("cr::_unfold")
def unfold(xp: Any) -> Any:
    windows = xp.lib.stride_tricks.sliding_window_view

    def kernel(x: Any, *, dimension: int, size: int, step: int) -> Any:
        if x.ndim == 0:
            return x.reshape(1)[:size]
        if hasattr(x.flags, "writeable"):
            seen = windows(x, size, dimension, writeable=x.flags.writeable)
        else:  # a library in which every array can be written to
            seen = windows(x, size, dimension)
        return seen[at(x, dimension, slice(None, None, step))]

    return kernel


@ks.family("cr::unfold_backward")
def unfold_backward(xp: Any) -> Any:
    def kernel(
        grad_in: Any, *, input_sizes: tuple[int, ...], dim: int, size: int, step: int
    ) -> Any:
        if not input_sizes:
            return grad_in.sum()
        out = _zeros(xp, grad_in, input_sizes)
        place = dim % out.ndim
        reach = (grad_in.shape[place] - 1) * step + 1
        for shift in range(size):  # one place of all windows at a time: no two of them meet
            out[at(out, place, slice(shift, shift + reach, step))] += grad_in[..., shift]
        return out

    return kernel


@ks.family("cr::_as_strided")
def as_strided(xp: Any) -> Any:
    look = xp.lib.stride_tricks.as_strided

    def kernel(
        x: Any, *, size: tuple[int, ...], stride: tuple[int, ...], extent: int, layout: Any,
        storage_offset: int | None = None,
    ) -> Any:  # fmt: skip
        shift = 0 if storage_offset is None else storage_offset - layout[2]
        if shift < 0:
            raise KernelNotFoundError(
                f"as_strided: expected to start at the view or behind it, got {-shift} elements "
                "before. Call it on the tensor that the view was cut from."
            )
        if shift:  # only a flat view can step forward by any number of elements
            x = look(x, (extent - layout[2],), (x.itemsize,))[shift:]
        return look(x, size, tuple(n * x.itemsize for n in stride))

    return kernel


# Diagonals


def diagonal_of(x: Any, offset: int, dim1: int, dim2: int) -> Any:
    """Return a diagonal that can be written to where *x* can."""
    seen = x.diagonal(offset, dim1, dim2)
    if getattr(x.flags, "writeable", False) and not seen.flags.writeable:
        seen.flags.writeable = True
    return seen


@ks.forward("cr::_diagonal")
def diagonal(x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    return diagonal_of(x, offset, dim1, dim2)


@ks.family("cr::_diagonal_copy")
def diagonal_copy(xp: Any) -> Any:
    def kernel(x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
        return xp.array(x.diagonal(offset, dim1, dim2), order="C")

    return kernel


@ks.family("cr::diagonal_backward")
def diagonal_backward(xp: Any) -> Any:
    def kernel(
        grad: Any, *, input_sizes: tuple[int, ...], offset: int, dim1: int, dim2: int
    ) -> Any:
        out = _zeros(xp, grad, input_sizes)
        diagonal_of(out, offset, dim1, dim2)[...] = grad
        return out

    return kernel


@ks.family("cr::_diagonal_scatter")
def diagonal_scatter(xp: Any) -> Any:
    def kernel(x: Any, src: Any, *, offset: int, dim1: int, dim2: int) -> Any:
        out = xp.array(x, order="C")
        diagonal_of(out, offset, dim1, dim2)[...] = src
        return out

    return kernel


@ks.family("cr::_diag_embed")
def diag_embed(xp: Any) -> Any:
    def kernel(x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
        side, ndim = x.shape[-1] + abs(offset), x.ndim + 1
        shape = list(x.shape[:-1])
        for dim in sorted((dim1 % ndim, dim2 % ndim)):
            shape.insert(dim, side)
        out = _zeros(xp, x, tuple(shape))
        diagonal_of(out, offset, dim1, dim2)[...] = x
        return out

    return kernel


@ks.family("cr::_triu")
def triu(xp: Any) -> Any:
    return lambda x, *, diagonal: xp.triu(x, diagonal)


@ks.family("cr::_tril")
def tril(xp: Any) -> Any:
    return lambda x, *, diagonal: xp.tril(x, diagonal)


@ks.family("cr::_triangle_indices")
def triangle_indices(xp: Any) -> Any:
    def kernel(x: Any, *, offset: int, upper: bool) -> Any:
        rows, columns = xp.arange(x.shape[0])[:, None], xp.arange(x.shape[1])[None, :]
        inside = columns - rows >= offset if upper else columns - rows <= offset
        return xp.stack(xp.nonzero(inside)).astype(x.dtype)

    return kernel
