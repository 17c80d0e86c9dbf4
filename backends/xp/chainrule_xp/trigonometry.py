"""Kernels of chainrule/ops/trigonometry.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::sin")
def sin(xp: Any) -> Any:
    return xp.sin


@ks.family("cr::cos")
def cos(xp: Any) -> Any:
    return xp.cos


@ks.family("cr::tan")
def tan(xp: Any) -> Any:
    return xp.tan


@ks.family("cr::asin")
def asin(xp: Any) -> Any:
    return xp.arcsin


@ks.family("cr::acos")
def acos(xp: Any) -> Any:
    return xp.arccos


@ks.family("cr::atan")
def atan(xp: Any) -> Any:
    return xp.arctan


@ks.family("cr::sinh")
def sinh(xp: Any) -> Any:
    return xp.sinh


@ks.family("cr::cosh")
def cosh(xp: Any) -> Any:
    return xp.cosh


@ks.family("cr::tanh")
def tanh(xp: Any) -> Any:
    return xp.tanh


@ks.family("cr::tanh_backward")
def tanh_backward(xp: Any) -> Any:
    def kernel(grad: Any, output: Any) -> Any:
        slope = 1 - output * output
        if slope.dtype.kind == "c":
            slope = xp.conjugate(slope)
        return slope * grad  # which may be of a batch, where the output is not

    return kernel


@ks.family("cr::asinh")
def asinh(xp: Any) -> Any:
    return xp.arcsinh


@ks.family("cr::acosh")
def acosh(xp: Any) -> Any:
    return xp.arccosh


@ks.family("cr::atanh")
def atanh(xp: Any) -> Any:
    return xp.arctanh


@ks.family("cr::atan2")
def atan2(xp: Any) -> Any:
    return xp.arctan2


@ks.family("cr::hypot")
def hypot(xp: Any) -> Any:
    return xp.hypot
