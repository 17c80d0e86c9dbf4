"""Kernels of chainrule/ops/products.py: what NumPy does better than the family."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backend import Array, KernelSet
from chainrule_xp.reductions import accumulator

ks = KernelSet("numpy")

_multiply: Any = np.multiply.reduce


@ks.forward("cr::_prod_all")
def prod_all(x: Array, *, dtype: Any = None) -> Any:
    return _multiply(x, axis=None, dtype=accumulator(x, dtype))


@ks.forward("cr::_prod")
def prod(x: Array, *, dim: int, keepdim: bool = False, dtype: Any = None) -> Any:
    axis = dim if x.ndim else None
    return _multiply(x, axis=axis, dtype=accumulator(x, dtype), keepdims=keepdim)
