"""Kernels of chainrule/ops/cumulative.py: NumPy accumulates with any ufunc."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backend import Array, KernelSet
from chainrule_xp.cumulative import running_extreme

ks = KernelSet("numpy")


def _run(accumulate: Any, x: Array, dim: int, dtype: Any) -> Any:
    """Return the running result of a ufunc, computed in *dtype*; a 0-d array is its own."""
    name = x.dtype if dtype is None else dtype.name
    return accumulate(x, axis=dim, dtype=name) if x.ndim else x.astype(name)


@ks.forward("cr::_cumsum")
def cumsum(x: Array, *, dim: int, dtype: Any = None) -> Any:
    return _run(np.add.accumulate, x, dim, dtype)


@ks.forward("cr::_cumprod")
def cumprod(x: Array, *, dim: int, dtype: Any = None) -> Any:
    return _run(np.multiply.accumulate, x, dim, dtype)


@ks.forward("cr::_cummax")
def cummax(x: Array, *, dim: int) -> Any:
    return running_extreme(np, x, dim, np.maximum.accumulate, np.maximum.accumulate)


@ks.forward("cr::_cummin")
def cummin(x: Array, *, dim: int) -> Any:
    return running_extreme(np, x, dim, np.minimum.accumulate, np.maximum.accumulate)
