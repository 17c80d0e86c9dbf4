"""Kernels of chainrule/ops/copying.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::clone")
def clone(xp: Any) -> Any:
    def kernel(x: Any, *, memory_format: object = None) -> Any:
        return xp.array(x, copy=True, order="C")

    return kernel


@ks.family("cr::zero")
def zero(xp: Any) -> Any:
    return lambda x: xp.zeros(x.shape, x.dtype)
