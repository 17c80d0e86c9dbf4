"""Kernels of chainrule/ops/reductions.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::sum")
def sum(xp: Any) -> Any:
    def kernel(x: Any, *, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
        if dtype is not None:
            x = x.astype(dtype.name)
        axis = None if dim is None or dim == () or dim == [] else dim if isinstance(dim, int) else tuple(dim)
        return xp.sum(x, axis=axis, keepdims=keepdim)

    return kernel
