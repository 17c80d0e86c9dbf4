"""Kernels of chainrule/ops/products.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

from .reductions import accumulator

ks = KernelSet("xp")


@ks.family("cr::_prod_all")
def prod_all(xp: Any) -> Any:
    return lambda x, *, dtype=None: xp.prod(x, dtype=accumulator(x, dtype))


@ks.family("cr::_prod")
def prod(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int, keepdim: bool = False, dtype: Any = None) -> Any:
        axis = dim if x.ndim else None
        return xp.prod(x, axis=axis, dtype=accumulator(x, dtype), keepdims=keepdim)

    return kernel
