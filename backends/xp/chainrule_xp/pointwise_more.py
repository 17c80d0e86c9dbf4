"""Kernels of chainrule/ops/pointwise_more.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import Array, KernelSet

ks = KernelSet("xp")


@ks.family("cr::heaviside")
def heaviside(xp: Any) -> Any:
    def kernel(x: Array, values: Array) -> Array:
        # NaN is no step: PyTorch's comparison makes it 0.
        step = (x > 0).astype(x.dtype)
        return xp.where(x == 0, values, step)

    return kernel


@ks.family("cr::frexp")
def frexp(xp: Any) -> Any:
    def kernel(x: Array) -> tuple[Array, Array]:
        mantissa, exponent = xp.frexp(x)
        finite = xp.isfinite(x)
        return mantissa, xp.where(finite, exponent, 0).astype(xp.int32)

    return kernel


@ks.family("cr::gcd")
def gcd(xp: Any) -> Any:
    return xp.gcd


@ks.family("cr::lcm")
def lcm(xp: Any) -> Any:
    return xp.lcm


@ks.family("cr::signbit")
def signbit(xp: Any) -> Any:
    def kernel(x: Array) -> Array:
        return xp.signbit(x) if x.dtype.kind == "f" else x < 0

    return kernel
