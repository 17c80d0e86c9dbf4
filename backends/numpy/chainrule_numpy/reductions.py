"""Kernels of chainrule/ops/reductions.py: what NumPy does better than the family.

The ``reduce`` of a ufunc does what ``np.sum`` and ``np.mean`` do, without their Python code around:
it is quicker, and a warning about ∞ - ∞ comes from here, where it is filtered, not from NumPy.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from chainrule.backend import Array, KernelSet
from chainrule_xp.reductions import accumulator, mean_over
from chainrule_xp.reductions import mean as mean_of_family

ks = KernelSet("numpy")

_add: Any = np.add.reduce
_family = mean_of_family(np)


@ks.forward("cr::_sum_all")
def sum_all(x: Array, *, dtype: Any = None) -> Any:
    return _add(x, axis=None, dtype=accumulator(x, dtype))


@ks.forward("cr::_sum")
def sum(x: Array, *, dim: Any, keepdim: bool = False, dtype: Any = None) -> Any:
    return _add(x, axis=dim or None, dtype=accumulator(x, dtype), keepdims=keepdim)


@ks.forward("cr::_nansum")
def nansum(x: Array, *, dim: Any = (), keepdim: bool = False, dtype: Any = None) -> Any:
    numbers = np.where(np.isnan(x), x.dtype.type(0), x)
    return _add(numbers, axis=dim or None, dtype=accumulator(x, dtype), keepdims=keepdim)


@ks.forward("cr::_mean_all")
def mean_all(x: Array, *, dtype: Any = None) -> Any:
    if dtype is not None or x.itemsize == 2:
        return mean_over(np, x, dtype=dtype and dtype.name)
    return _add(x, axis=None) / x.size


@ks.forward("cr::_mean")
def mean(x: Array, *, dim: Any, keepdim: bool = False, dtype: Any = None) -> Any:
    if dtype is not None or x.itemsize == 2:
        return _family(x, dim=dim, keepdim=keepdim, dtype=dtype)
    count = prod([x.shape[d] for d in dim]) if dim else x.size
    return _add(x, axis=dim or None, keepdims=keepdim) / count
