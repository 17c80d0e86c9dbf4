"""Kernels of chainrule/ops/linalg.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::mm")
def mm(xp: Any) -> Any:
    return xp.matmul


@ks.family("cr::addmm")
def addmm(xp: Any) -> Any:
    def kernel(x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
        product = xp.matmul(a, b)
        if alpha != 1:
            product *= alpha
        product += x if beta == 1 else beta * x
        return product

    return kernel
