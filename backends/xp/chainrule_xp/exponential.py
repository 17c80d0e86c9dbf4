"""Kernels of chainrule/ops/exponential.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")

LOG_2 = 0.6931471805599453


@ks.family("cr::exp")
def exp(xp: Any) -> Any:
    return xp.exp


@ks.family("cr::exp2")
def exp2(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return xp.exp2(x) if x.dtype.kind == "f" else xp.exp(x * LOG_2)

    return kernel


@ks.family("cr::expm1")
def expm1(xp: Any) -> Any:
    return xp.expm1


@ks.family("cr::log")
def log(xp: Any) -> Any:
    return xp.log


@ks.family("cr::log1p")
def log1p(xp: Any) -> Any:
    return xp.log1p


@ks.family("cr::log2")
def log2(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        if x.dtype.kind == "f":
            return xp.log2(x)
        natural = xp.log(x)  # divided part by part: -inf + 0j by a complex number is NaN
        return natural.real / LOG_2 + 1j * (natural.imag / LOG_2)

    return kernel


@ks.family("cr::log10")
def log10(xp: Any) -> Any:
    return xp.log10


@ks.family("cr::xlogy")
def xlogy(xp: Any) -> Any:
    def kernel(x: Any, y: Any) -> Any:
        if not hasattr(y, "dtype"):
            y = xp.asarray(y, dtype=x.dtype)
        product = x * xp.log(y)
        return xp.where(xp.equal(x, 0) & ~xp.isnan(y), 0, product)

    return kernel


@ks.family("cr::logaddexp")
def logaddexp(xp: Any) -> Any:
    def kernel(x: Any, y: Any) -> Any:
        if x.dtype.kind == "f":
            return xp.logaddexp(x, y)
        smaller = x.real < y.real
        high, low = xp.where(smaller, y, x), xp.where(smaller, x, y)
        return xp.where(high == low, high + LOG_2, high + xp.log1p(xp.exp(low - high)))

    return kernel


@ks.family("cr::logaddexp2")
def logaddexp2(xp: Any) -> Any:
    return xp.logaddexp2


@ks.family("cr::sigmoid")
def sigmoid(xp: Any) -> Any:
    negative, exponential, reciprocal = xp.negative, xp.exp, xp.reciprocal

    def kernel(x: Any) -> Any:
        divisor = exponential(negative(x))
        divisor += 1
        return reciprocal(divisor)

    return kernel


@ks.family("cr::sigmoid_backward")
def sigmoid_backward(xp: Any) -> Any:
    def kernel(grad: Any, output: Any) -> Any:
        slope = 1 - output
        slope *= output
        if slope.dtype.kind == "c":
            slope = xp.conjugate(slope)
        return slope * grad  # which may be of a batch, where the output is not

    return kernel
