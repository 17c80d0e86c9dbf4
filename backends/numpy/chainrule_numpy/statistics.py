"""Kernels of chainrule/ops/statistics.py: what NumPy does better than the family."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.backend import Array, KernelSet
from chainrule_xp.statistics import deviation
from chainrule_xp.statistics import spread as spread_of_family

ks = KernelSet("numpy")

_add: Any = np.add.reduce


def _spread(x: Array, dim: Any, correction: Any, keepdim: bool) -> tuple[Any, Any]:
    """Return variance and mean over *dim*, with few calls and one array besides."""
    if x.dtype.kind != "f" or x.itemsize == 2:
        return spread_of_family(np, x, dim, correction, keepdim)
    axis = dim or None
    count = prod([x.shape[d] for d in dim]) if dim else x.size
    mean = _add(x, axis=axis, keepdims=True) / count
    away = x - mean
    if dim:
        away *= away
        total = _add(away, axis=axis, keepdims=keepdim)
    else:
        total = np.vdot(away, away)
        if keepdim:
            total = np.full((1,) * x.ndim, total)
    return _over(total, count - correction), mean if keepdim else mean.squeeze(axis)


def _over(total: Any, freedom: Any) -> Any:
    """Return ``total / freedom``; without freedom NaN or ∞, of which core has warned already."""
    if freedom > 0:
        return total / freedom
    with np.errstate(divide="ignore", invalid="ignore"):
        return total / 0


@ks.forward("cr::_var")
def var(x: Array, *, dim: Any, correction: Any, keepdim: bool = False) -> Any:
    return _spread(x, dim, correction, keepdim)[0]


@ks.forward("cr::_std")
def std(x: Array, *, dim: Any, correction: Any, keepdim: bool = False) -> Any:
    return deviation(np, _spread, x, dim, correction, keepdim)[0]


@ks.forward("cr::_var_mean")
def var_mean(x: Array, *, dim: Any, correction: Any, keepdim: bool = False) -> Any:
    return _spread(x, dim, correction, keepdim)


@ks.forward("cr::_std_mean")
def std_mean(x: Array, *, dim: Any, correction: Any, keepdim: bool = False) -> Any:
    return deviation(np, _spread, x, dim, correction, keepdim)
