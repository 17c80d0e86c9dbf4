"""Kernels of chainrule/ops/activation.py: one launch each, forward and backward side by side."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet
from chainrule_xp import activation as family

from .cuda import Elementwise, fused

ks = KernelSet("cupy")

_threshold = Elementwise("T x, Acc bound, Acc value", "out = x <= bound ? value : x;", "threshold")
_threshold_backward = Elementwise(
    "T grad, T x, Acc bound", "out = x <= bound ? (Acc)0 : grad;", "threshold_backward"
)
_hardtanh = Elementwise(
    "T x, Acc low, Acc high",
    "Acc up = x < low ? low : x; out = up > high ? high : up;",
    "hardtanh",
)
_hardtanh_backward = Elementwise(
    "T grad, T x, Acc low, Acc high",
    "out = (x > low) & (x < high) ? grad : (Acc)0;",
    "hardtanh_backward",
)
_leaky_relu = Elementwise("T x, Acc slope", "out = x > 0 ? x : x * slope;", "leaky_relu")
_leaky_relu_backward = Elementwise(
    "T grad, T x, Acc slope", "out = x > 0 ? grad : grad * slope;", "leaky_relu_backward"
)
_prelu = Elementwise("T x, T weight", "out = x > 0 ? x : x * weight;", "prelu")

#: min(max(x + 3, 0), 6), which hands NaN on.
_RAMP = "Acc t = x + 3; t = t < 0 ? (Acc)0 : t; t = t > 6 ? (Acc)6 : t;"
_hardsigmoid = Elementwise("T x", f"{_RAMP} out = t / 6;", "hardsigmoid")
_hardsigmoid_backward = Elementwise(
    "T grad, T x", "out = (x > -3) & (x < 3) ? grad / 6 : (Acc)0;", "hardsigmoid_backward"
)
_hardswish = Elementwise("T x", f"{_RAMP} out = x * t / 6;", "hardswish")
_hardswish_backward = Elementwise(
    "T grad, T x",
    "out = x >= 3 ? grad : x <= -3 ? (Acc)0 : grad * (x / 3 + (Acc)0.5);",
    "hardswish_backward",
)
_hardshrink = Elementwise(
    "T x, Acc lambd", "out = (x >= -lambd) & (x <= lambd) ? (Acc)0 : x;", "hardshrink"
)
_softshrink = Elementwise(
    "T x, Acc lambd",
    "out = x > lambd ? x - lambd : x < -lambd ? x + lambd : x != x ? x : (Acc)0;",
    "softshrink",
)
_shrink_backward = Elementwise(
    "T grad, T x, Acc lambd",
    "out = (x > lambd) | (x < -lambd) ? grad : (Acc)0;",
    "shrink_backward",
)

# What takes arrays alone; what takes numbers too has a function below.
fused(ks, "cr::_prelu_kernel", family.prelu)(_prelu)
fused(ks, "cr::hardsigmoid", family.hardsigmoid)(_hardsigmoid)
fused(ks, "cr::hardsigmoid_backward", family.hardsigmoid_backward)(_hardsigmoid_backward)
fused(ks, "cr::hardswish", family.hardswish)(_hardswish)
fused(ks, "cr::hardswish_backward", family.hardswish_backward)(_hardswish_backward)


@fused(ks, "cr::threshold", family.threshold)
def threshold(x: Any, *, threshold: Any, value: Any) -> Any:
    return _threshold(x, threshold, value)


@fused(ks, "cr::threshold_backward", family.threshold_backward)
def threshold_backward(grad: Any, x: Any, *, threshold: Any = 0) -> Any:
    return _threshold_backward(grad, x, threshold)


@fused(ks, "cr::hardtanh", family.hardtanh)
def hardtanh(x: Any, *, min_val: Any = -1.0, max_val: Any = 1.0) -> Any:
    return _hardtanh(x, min_val, max_val)


@fused(ks, "cr::hardtanh_backward", family.hardtanh_backward)
def hardtanh_backward(grad: Any, x: Any, *, min_val: Any = -1.0, max_val: Any = 1.0) -> Any:
    return _hardtanh_backward(grad, x, min_val, max_val)


@fused(ks, "cr::leaky_relu", family.leaky_relu)
def leaky_relu(x: Any, *, negative_slope: Any = 0.01) -> Any:
    return _leaky_relu(x, negative_slope)


@fused(ks, "cr::leaky_relu_backward", family.leaky_relu_backward)
def leaky_relu_backward(grad: Any, x: Any, *, negative_slope: Any = 0.01) -> Any:
    return _leaky_relu_backward(grad, x, negative_slope)


@fused(ks, "cr::hardshrink", family.hardshrink)
def hardshrink(x: Any, *, lambd: Any = 0.5) -> Any:
    return _hardshrink(x, lambd)


@fused(ks, "cr::softshrink", family.softshrink)
def softshrink(x: Any, *, lambd: Any = 0.5) -> Any:
    return _softshrink(x, lambd)


@fused(ks, "cr::hardshrink_backward", family.hardshrink_backward)
def hardshrink_backward(grad: Any, x: Any, *, lambd: Any = 0.5) -> Any:
    return _shrink_backward(grad, x, lambd)


@fused(ks, "cr::softshrink_backward", family.softshrink_backward)
def softshrink_backward(grad: Any, x: Any, *, lambd: Any = 0.5) -> Any:
    return _shrink_backward(grad, x, lambd)
