"""Kernels of chainrule/ops/reductions.py. A *dim* of () stands for all dimensions."""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


def accumulator(x: Any, dtype: Any) -> Any:
    """Return the name of the dtype to sum *x* in; None for its own."""
    if dtype is not None:
        return dtype.name
    return "int64" if x.dtype.kind in "biu" else None


@ks.family("cr::_sum_all")
def sum_all(xp: Any) -> Any:
    return lambda x, *, dtype=None: xp.sum(x, dtype=accumulator(x, dtype))


@ks.family("cr::_sum")
def sum(xp: Any) -> Any:
    def kernel(x: Any, *, dim: Any, keepdim: bool = False, dtype: Any = None) -> Any:
        return xp.sum(x, axis=dim or None, dtype=accumulator(x, dtype), keepdims=keepdim)

    return kernel


@ks.family("cr::_nansum")
def nansum(xp: Any) -> Any:
    def kernel(x: Any, *, dim: Any = (), keepdim: bool = False, dtype: Any = None) -> Any:
        numbers = xp.where(xp.isnan(x), x.dtype.type(0), x)
        return xp.sum(numbers, axis=dim or None, dtype=accumulator(x, dtype), keepdims=keepdim)

    return kernel


def mean_over(
    xp: Any, x: Any, axis: Any = None, *, keepdim: bool = False, dtype: Any = None
) -> Any:
    """Return the mean over *axis*: 16-bit floats are summed in float32 and rounded once."""
    wide = "float32" if dtype is None and x.dtype == "float16" else dtype
    total = xp.sum(x, axis=axis, dtype=wide, keepdims=keepdim)
    mean = total / (x.size if axis is None else prod([x.shape[d] for d in axis]))
    return mean.astype("float16") if wide != dtype else mean


@ks.family("cr::_mean_all")
def mean_all(xp: Any) -> Any:
    return lambda x, *, dtype=None: mean_over(xp, x, dtype=dtype and dtype.name)


@ks.family("cr::_mean")
def mean(xp: Any) -> Any:
    def kernel(x: Any, *, dim: Any, keepdim: bool = False, dtype: Any = None) -> Any:
        name = None if dtype is None else dtype.name
        return mean_over(xp, x, dim or None, keepdim=keepdim, dtype=name)

    return kernel
