"""Kernels of chainrule/ops/arithmetic.py: nobody waits to see whether a divisor is zero.

An integer divided by zero gives what CUDA gives, as in PyTorch on such a device.
"""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet
from chainrule_xp import arithmetic as family
from chainrule_xp.arithmetic import dtype_of

from .cuda import Elementwise, fused

ks = KernelSet("cupy")


@ks.family("cr::floor_divide")
def floor_divide(xp: Any) -> Any:
    return xp.floor_divide


@ks.family("cr::remainder")
def remainder(xp: Any) -> Any:
    return xp.remainder


@ks.family("cr::fmod")
def fmod(xp: Any) -> Any:
    return xp.fmod


@ks.family("cr::div")
def div(xp: Any) -> Any:
    def truncated(x: Any, y: Any) -> Any:
        if dtype_of(x, y).kind not in "iu":
            return xp.trunc(xp.true_divide(x, y))
        floor = xp.floor_divide(x, y)
        return floor + ((floor * y != x) & (xp.less(x, 0) != xp.less(y, 0)))

    def kernel(x: Any, y: Any, *, rounding_mode: str | None = None) -> Any:
        if rounding_mode is None:
            return xp.true_divide(x, y)
        return xp.floor_divide(x, y) if rounding_mode == "floor" else truncated(x, y)

    return kernel


_addcmul = Elementwise(
    "T x, T first, T second, Acc value", "out = x + value * (first * second);", "addcmul"
)
_addcdiv = Elementwise(
    "T x, T first, T second, Acc value", "out = x + value * (first / second);", "addcdiv"
)


@fused(ks, "cr::addcmul", family.addcmul)
def addcmul(x: Any, first: Any, second: Any, *, value: Any = 1) -> Any:
    return _addcmul(x, first, second, value)


@fused(ks, "cr::addcdiv", family.addcdiv)
def addcdiv(x: Any, first: Any, second: Any, *, value: Any = 1) -> Any:
    return _addcdiv(x, first, second, value)
