"""Kernels of chainrule/ops/arithmetic.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::add")
def add(xp: Any) -> Any:
    plain = xp.add

    def kernel(x: Any, y: Any, *, alpha: Any = 1) -> Any:
        return plain(x, y) if alpha == 1 else plain(x, alpha * y)

    return kernel


@ks.family("cr::sub")
def sub(xp: Any) -> Any:
    plain = xp.subtract

    def kernel(x: Any, y: Any, *, alpha: Any = 1) -> Any:
        return plain(x, y) if alpha == 1 else plain(x, alpha * y)

    return kernel


@ks.family("cr::rsub")
def rsub(xp: Any) -> Any:
    def kernel(x: Any, y: Any, *, alpha: Any = 1) -> Any:
        return xp.subtract(y, x) if alpha == 1 else xp.subtract(y, alpha * x)

    return kernel


@ks.family("cr::mul")
def mul(xp: Any) -> Any:
    return xp.multiply


@ks.family("cr::div")
def div(xp: Any) -> Any:
    def kernel(x: Any, y: Any, *, rounding_mode: str | None = None) -> Any:
        if rounding_mode is None:
            return xp.true_divide(x, y)
        return xp.floor_divide(x, y) if rounding_mode == "floor" else xp.trunc(xp.true_divide(x, y))

    return kernel
