"""Kernels of chainrule/ops/extrema.py: what NumPy does better than the family."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backend import Array, KernelSet

ks = KernelSet("numpy")

_largest: Any = np.maximum.reduce
_smallest: Any = np.minimum.reduce


@ks.forward("cr::_max_all")
def max_all(x: Array) -> Any:
    return _largest(x, axis=None)


@ks.forward("cr::_min_all")
def min_all(x: Array) -> Any:
    return _smallest(x, axis=None)


@ks.forward("cr::_amax")
def amax(x: Array, *, dim: Any = (), keepdim: bool = False) -> Any:
    return _largest(x, axis=dim or None, keepdims=keepdim)


@ks.forward("cr::_amin")
def amin(x: Array, *, dim: Any = (), keepdim: bool = False) -> Any:
    return _smallest(x, axis=dim or None, keepdims=keepdim)


@ks.forward("cr::_max_dim")
def max_dim(x: Array, *, dim: int, keepdim: bool = False) -> Any:
    axis = dim if x.ndim else None
    values = _largest(x, axis=axis, keepdims=keepdim)
    return values, x.argmax(axis=axis, keepdims=keepdim)


@ks.forward("cr::_min_dim")
def min_dim(x: Array, *, dim: int, keepdim: bool = False) -> Any:
    axis = dim if x.ndim else None
    values = _smallest(x, axis=axis, keepdims=keepdim)
    return values, x.argmin(axis=axis, keepdims=keepdim)
