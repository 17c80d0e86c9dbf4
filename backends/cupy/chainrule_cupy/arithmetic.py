"""Kernels of chainrule/ops/arithmetic.py: nobody waits to see whether a divisor is zero.

An integer divided by zero gives what CUDA gives, as in PyTorch on such a device.
"""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet
from chainrule_xp import arithmetic as family

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
    return family.division(xp.true_divide, xp.floor_divide, family.truncated_quotient(xp))


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
