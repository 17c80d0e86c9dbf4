"""Kernels of chainrule/ops/comparison.py, closeness.py and bitwise.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::eq")
def eq(xp: Any) -> Any:
    return xp.equal


@ks.family("cr::ne")
def ne(xp: Any) -> Any:
    return xp.not_equal


@ks.family("cr::lt")
def lt(xp: Any) -> Any:
    return xp.less


@ks.family("cr::le")
def le(xp: Any) -> Any:
    return xp.less_equal


@ks.family("cr::gt")
def gt(xp: Any) -> Any:
    return xp.greater


@ks.family("cr::ge")
def ge(xp: Any) -> Any:
    return xp.greater_equal


@ks.family("cr::logical_and")
def logical_and(xp: Any) -> Any:
    return xp.logical_and


@ks.family("cr::logical_or")
def logical_or(xp: Any) -> Any:
    return xp.logical_or


@ks.family("cr::logical_xor")
def logical_xor(xp: Any) -> Any:
    return xp.logical_xor


@ks.family("cr::logical_not")
def logical_not(xp: Any) -> Any:
    return xp.logical_not


@ks.family("cr::isnan")
def isnan(xp: Any) -> Any:
    return xp.isnan


@ks.family("cr::isinf")
def isinf(xp: Any) -> Any:
    return xp.isinf


@ks.family("cr::isfinite")
def isfinite(xp: Any) -> Any:
    return xp.isfinite


@ks.family("cr::isposinf")
def isposinf(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return x == xp.inf

    return kernel


@ks.family("cr::isneginf")
def isneginf(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return x == -xp.inf

    return kernel


@ks.family("cr::bitwise_not")
def bitwise_not(xp: Any) -> Any:
    return xp.bitwise_not


@ks.family("cr::bitwise_and")
def bitwise_and(xp: Any) -> Any:
    return xp.bitwise_and


@ks.family("cr::bitwise_or")
def bitwise_or(xp: Any) -> Any:
    return xp.bitwise_or


@ks.family("cr::bitwise_xor")
def bitwise_xor(xp: Any) -> Any:
    return xp.bitwise_xor


@ks.family("cr::bitwise_left_shift")
def bitwise_left_shift(xp: Any) -> Any:
    return xp.left_shift


@ks.family("cr::bitwise_right_shift")
def bitwise_right_shift(xp: Any) -> Any:
    return xp.right_shift
