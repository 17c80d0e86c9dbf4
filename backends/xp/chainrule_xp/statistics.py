"""Kernels of chainrule/ops/statistics.py. A *dim* of () stands for all dimensions."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

from chainrule.backend import KernelSet

from .reductions import mean_over

ks = KernelSet("xp")


def spread(xp: Any, x: Any, dim: Any, correction: Any, keepdim: bool) -> tuple[Any, Any]:
    """Return variance and mean over *dim*: two passes, so that a large mean costs no precision."""
    axis = dim or None
    half = x.dtype == "float16"
    wide = x.astype("float32") if half else x
    center = mean_over(xp, wide, axis, keepdim=True)
    away = wide - center
    squares = (away * away.conj()).real if away.dtype.kind == "c" else away * away
    total = xp.sum(squares, axis=axis, keepdims=keepdim)
    count = x.size if axis is None else prod([x.shape[d] for d in axis])
    variance = total / max(count - correction, 0)
    mean = center if keepdim else xp.squeeze(center, axis=axis)
    return (variance.astype("float16"), mean.astype("float16")) if half else (variance, mean)


def shifted(x: Any, dim: Any) -> tuple[Any, Any]:
    """Return *x* less its first elements along *dim*, and these.

    Elements that are all the same then deviate by zero and not by the rounding of their mean, by
    which the gradient of a standard deviation divides.
    """
    first = x[tuple(slice(0, 1) if not dim or d in dim else slice(None) for d in range(x.ndim))]
    return x - first, first


def deviation(
    xp: Any, spread: Any, x: Any, dim: Any, correction: Any, keepdim: bool
) -> tuple[Any, Any]:
    """Return standard deviation and mean over *dim*, given what computes variance and mean."""
    if not x.size or x.dtype == "float16":  # which has no digits to spare
        variance, mean = spread(x, dim, correction, keepdim)
        return xp.sqrt(variance), mean
    moved, first = shifted(x, dim)
    variance, mean = spread(moved, dim, correction, keepdim)
    return xp.sqrt(variance), mean + first.reshape(mean.shape)


@ks.family("cr::_var")
def var(xp: Any) -> Any:
    def kernel(x: Any, *, dim: Any, correction: Any, keepdim: bool = False) -> Any:
        return spread(xp, x, dim, correction, keepdim)[0]

    return kernel


@ks.family("cr::_std")
def std(xp: Any) -> Any:
    def kernel(x: Any, *, dim: Any, correction: Any, keepdim: bool = False) -> Any:
        return deviation(xp, partial(spread, xp), x, dim, correction, keepdim)[0]

    return kernel


@ks.family("cr::_var_mean")
def var_mean(xp: Any) -> Any:
    def kernel(x: Any, *, dim: Any, correction: Any, keepdim: bool = False) -> Any:
        return spread(xp, x, dim, correction, keepdim)

    return kernel


@ks.family("cr::_std_mean")
def std_mean(xp: Any) -> Any:
    def kernel(x: Any, *, dim: Any, correction: Any, keepdim: bool = False) -> Any:
        return deviation(xp, partial(spread, xp), x, dim, correction, keepdim)

    return kernel
