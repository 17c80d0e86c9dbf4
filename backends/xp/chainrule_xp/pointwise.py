"""Kernels of chainrule/ops/pointwise.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::neg")
def neg(xp: Any) -> Any:
    return xp.negative


@ks.family("cr::exp")
def exp(xp: Any) -> Any:
    return xp.exp


@ks.family("cr::tanh")
def tanh(xp: Any) -> Any:
    return xp.tanh
