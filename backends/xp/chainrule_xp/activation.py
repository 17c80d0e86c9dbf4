"""Kernels of chainrule/ops/activation.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet
from chainrule.errors import DTypeError

from .masks import keep_where, pick_where

ks = KernelSet("xp")


@ks.family("cr::relu")
def relu(xp: Any) -> Any:
    maximum = xp.maximum

    def kernel(x: Any) -> Any:
        return maximum(x, 0)

    return kernel


@ks.family("cr::threshold")
def threshold(xp: Any) -> Any:
    pick = pick_where(xp)

    def kernel(x: Any, *, threshold: Any, value: Any) -> Any:
        return pick(x <= threshold, x.dtype.type(value), x)

    return kernel


@ks.family("cr::threshold_backward")
def threshold_backward(xp: Any) -> Any:
    keep, above, at_most = keep_where(xp), xp.logical_not, xp.less_equal

    def kernel(grad: Any, x: Any, *, threshold: Any = 0) -> Any:
        return keep(above(at_most(x, threshold)), grad)  # NaN is not at most the threshold

    return kernel


@ks.family("cr::hardtanh")
def hardtanh(xp: Any) -> Any:
    def kernel(x: Any, *, min_val: Any = -1.0, max_val: Any = 1.0) -> Any:
        if x.dtype.kind in "iu":
            min_val, max_val = int(min_val), int(max_val)
            if x.dtype.kind == "u" and min(min_val, max_val) < 0:
                msg = (
                    "cannot do hardtanh on an unsigned type with negative limits\n"
                    f"hardtanh: got limits {min_val} and {max_val} for {x.dtype}."
                )
                raise DTypeError(msg)
        return xp.minimum(xp.maximum(x, min_val), max_val)

    return kernel


@ks.family("cr::hardtanh_backward")
def hardtanh_backward(xp: Any) -> Any:
    keep = keep_where(xp)

    def kernel(grad: Any, x: Any, *, min_val: Any = -1.0, max_val: Any = 1.0) -> Any:
        return keep((x > min_val) & (x < max_val), grad)

    return kernel


@ks.family("cr::leaky_relu")
def leaky_relu(xp: Any) -> Any:
    pick = pick_where(xp)

    def kernel(x: Any, *, negative_slope: Any = 0.01) -> Any:
        return pick(x > 0, x, x * negative_slope)

    return kernel


@ks.family("cr::leaky_relu_backward")
def leaky_relu_backward(xp: Any) -> Any:
    pick = pick_where(xp)

    def kernel(grad: Any, x: Any, *, negative_slope: Any = 0.01) -> Any:
        return pick(x > 0, grad, grad * negative_slope)

    return kernel


@ks.family("cr::_prelu_kernel")
def prelu(xp: Any) -> Any:
    pick = pick_where(xp)

    def kernel(x: Any, weight: Any) -> Any:
        return pick(x > 0, x, x * weight)

    return kernel


@ks.family("cr::hardsigmoid")
def hardsigmoid(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return xp.minimum(xp.maximum(x + 3, 0), 6) / 6

    return kernel


@ks.family("cr::hardsigmoid_backward")
def hardsigmoid_backward(xp: Any) -> Any:
    keep = keep_where(xp)

    def kernel(grad: Any, x: Any) -> Any:
        return keep((x > -3) & (x < 3), grad / 6)

    return kernel


@ks.family("cr::hardswish")
def hardswish(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return x * xp.minimum(xp.maximum(x + 3, 0), 6) / 6

    return kernel


@ks.family("cr::hardswish_backward")
def hardswish_backward(xp: Any) -> Any:
    keep, pick = keep_where(xp), pick_where(xp)

    def kernel(grad: Any, x: Any) -> Any:
        bent = keep(xp.logical_not(x <= -3), grad * (x / 3 + 0.5))
        return pick(x >= 3, grad, bent)

    return kernel


@ks.family("cr::hardshrink")
def hardshrink(xp: Any) -> Any:
    keep = keep_where(xp)

    def kernel(x: Any, *, lambd: Any = 0.5) -> Any:
        return keep(xp.logical_not((x >= -lambd) & (x <= lambd)), x)

    return kernel


@ks.family("cr::softshrink")
def softshrink(xp: Any) -> Any:
    # Beyond the bounds one of the two differences is the result and the other is 0; NaN stays.
    def kernel(x: Any, *, lambd: Any = 0.5) -> Any:
        return xp.maximum(x - lambd, 0) + xp.minimum(x + lambd, 0)

    return kernel


@ks.family("cr::hardshrink_backward")
def hardshrink_backward(xp: Any) -> Any:
    keep = keep_where(xp)

    def kernel(grad: Any, x: Any, *, lambd: Any = 0.5) -> Any:
        return keep((x > lambd) | (x < -lambd), grad)

    return kernel


@ks.family("cr::softshrink_backward")
def softshrink_backward(xp: Any) -> Any:
    return hardshrink_backward(xp)
