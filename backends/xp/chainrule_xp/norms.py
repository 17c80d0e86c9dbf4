"""Kernels of chainrule/ops/norms.py. A *dim* of () stands for all dimensions."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


def vector_norm_of(xp: Any, x: Any, ord: Any, axis: Any, keepdim: bool) -> Any:
    """Return the norm over *axis*."""
    if ord == 0:
        return xp.sum(x != 0, axis=axis, keepdims=keepdim, dtype=x.real.dtype)
    if ord == 2:
        squares = x.real * x.real + x.imag * x.imag if x.dtype.kind == "c" else x * x
        return xp.sqrt(xp.sum(squares, axis=axis, keepdims=keepdim))
    size = xp.abs(x)
    if ord == 1:
        return xp.sum(size, axis=axis, keepdims=keepdim)
    if ord == float("inf"):
        return xp.max(size, axis=axis, keepdims=keepdim)
    if ord == -float("inf"):
        return xp.min(size, axis=axis, keepdims=keepdim)
    return xp.sum(size**ord, axis=axis, keepdims=keepdim) ** (1 / ord)


@ks.family("cr::_vector_norm")
def vector_norm(xp: Any) -> Any:
    def kernel(x: Any, *, ord: Any, dim: Any = (), keepdim: bool = False, dtype: Any = None) -> Any:
        if dtype is not None:
            x = x.astype(dtype.name)
        if x.dtype == "float16":  # squares overflow early
            wide = x.astype("float32")
            return vector_norm_of(xp, wide, ord, dim or None, keepdim).astype("float16")
        return vector_norm_of(xp, x, ord, dim or None, keepdim)

    return kernel


@ks.family("cr::_norm")
def norm(xp: Any) -> Any:
    def kernel(x: Any, *, p: Any, dim: Any = (), keepdim: bool = False) -> Any:
        return vector_norm_of(xp, x, p, dim or None, keepdim)

    return kernel


@ks.family("cr::_dist")
def dist(xp: Any) -> Any:
    def kernel(x: Any, y: Any, *, p: Any) -> Any:
        return vector_norm_of(xp, x - y, p, None, keepdim=False)

    return kernel
