"""Kernels of chainrule/ops/activation_smooth.py and of sigmoid and tanh: one launch each."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet
from chainrule_xp import activation_smooth as family
from chainrule_xp import exponential, trigonometry

from .cuda import Elementwise, fused

ks = KernelSet("cupy")

_sigmoid = Elementwise("T x", "out = 1 / (1 + exp(-x));", "sigmoid")
_sigmoid_backward = Elementwise("T grad, T y", "out = grad * ((1 - y) * y);", "sigmoid_backward")
_tanh_backward = Elementwise("T grad, T y", "out = grad * (1 - y * y);", "tanh_backward")

_elu = Elementwise(
    "T x, Acc below, Acc above, Acc inner",
    "out = x > 0 ? x * above : x <= 0 ? expm1(x * inner) * below : x;",
    "elu",
)
_elu_backward = Elementwise(
    "T grad, T x, Acc below, Acc above, Acc inner",
    "out = grad * (x > 0 ? above : exp(x * inner) * below * inner);",
    "elu_backward",
)
_gelu = Elementwise("T x", "out = x * (Acc)0.5 * erfc(x * (Acc)-0.7071067811865476);", "gelu")
_gelu_backward = Elementwise(
    "T grad, T x",
    "out = grad * ((Acc)0.5 * erfc(x * (Acc)-0.7071067811865476) "
    "+ x * exp(x * x * (Acc)-0.5) * (Acc)0.3989422804014327);",
    "gelu_backward",
)
#: The argument of the tangent in the approximation.
_INNER = "Acc u = x * ((Acc)0.044715 * (x * x) + 1) * (Acc)0.7978845608028654; Acc t = tanh(u);"
_gelu_tanh = Elementwise("T x", f"{_INNER} out = (t + 1) * x * (Acc)0.5;", "gelu_tanh")
_gelu_tanh_backward = Elementwise(
    "T grad, T x",
    f"{_INNER} Acc slope = ((Acc)0.134145 * (x * x) + 1) * (Acc)0.7978845608028654 * x;"
    " out = grad * (Acc)0.5 * (1 + t + slope * (1 - t * t));",
    "gelu_tanh_backward",
)
_silu = Elementwise("T x", "out = x / (1 + exp(-x));", "silu")
_silu_backward = Elementwise(
    "T grad, T x", "Acc s = 1 / (1 + exp(-x)); out = grad * (s * (x * (1 - s) + 1));",
    "silu_backward",
)  # fmt: skip
_mish = Elementwise("T x", "out = x * tanh(log1p(exp(x)));", "mish")
_mish_backward = Elementwise(
    "T grad, T x",
    "Acc t = tanh(log1p(exp(x))); Acc s = 1 / (1 + exp(-x));"
    " out = grad * (t + x * s * (1 - t * t));",
    "mish_backward",
)
_softplus = Elementwise(
    "T x, Acc beta, Acc bound",
    "Acc z = x * beta; out = z > bound ? x : log1p(exp(z)) / beta;",
    "softplus",
)
_softplus_backward = Elementwise(
    "T grad, T x, Acc beta, Acc bound",
    "Acc z = x * beta; out = z > bound ? grad : grad / (1 + exp(-z));",
    "softplus_backward",
)
_logsigmoid = Elementwise(
    "T x", "out = (x < 0 ? x : x > 0 ? (Acc)0 : x) - log1p(exp(-fabs(x)));", "logsigmoid"
)
_logsigmoid_backward = Elementwise(
    "T grad, T x", "out = grad / (exp(x) + 1);", "logsigmoid_backward"
)
_gate = Elementwise("T first, T second", "out = first / (1 + exp(-second));", "gate")

# What takes arrays alone; what takes numbers too has a function below.
fused(ks, "cr::sigmoid", exponential.sigmoid)(_sigmoid)
fused(ks, "cr::sigmoid_backward", exponential.sigmoid_backward)(_sigmoid_backward)
fused(ks, "cr::tanh_backward", trigonometry.tanh_backward)(_tanh_backward)
fused(ks, "cr::silu", family.silu)(_silu)
fused(ks, "cr::silu_backward", family.silu_backward)(_silu_backward)
fused(ks, "cr::mish", family.mish)(_mish)
fused(ks, "cr::mish_backward", family.mish_backward)(_mish_backward)
fused(ks, "cr::logsigmoid", family.logsigmoid)(_logsigmoid)
fused(ks, "cr::log_sigmoid_backward", family.log_sigmoid_backward)(_logsigmoid_backward)


@fused(ks, "cr::elu", family.elu)
def elu(x: Any, *, alpha: Any = 1.0, scale: Any = 1, input_scale: Any = 1) -> Any:
    return _elu(x, alpha * scale, scale, input_scale)


@fused(ks, "cr::elu_backward", family.elu_backward)
def elu_backward(
    grad: Any, x: Any, *, alpha: Any = 1.0, scale: Any = 1, input_scale: Any = 1
) -> Any:
    return _elu_backward(grad, x, alpha * scale, scale, input_scale)


@fused(ks, "cr::celu", family.celu)
def celu(x: Any, *, alpha: Any = 1.0) -> Any:
    return _elu(x, alpha, 1, 1 / alpha)


@fused(ks, "cr::gelu", family.gelu)
def gelu(x: Any, *, approximate: str = "none") -> Any:
    return (_gelu_tanh if approximate == "tanh" else _gelu)(x)


@fused(ks, "cr::gelu_backward", family.gelu_backward)
def gelu_backward(grad: Any, x: Any, *, approximate: str = "none") -> Any:
    kernel = _gelu_tanh_backward if approximate == "tanh" else _gelu_backward
    return kernel(grad, x)


@fused(ks, "cr::softplus", family.softplus)
def softplus(x: Any, *, beta: Any = 1, threshold: Any = 20) -> Any:
    return _softplus(x, beta, threshold)


@fused(ks, "cr::softplus_backward", family.softplus_backward)
def softplus_backward(grad: Any, x: Any, *, beta: Any = 1, threshold: Any = 20) -> Any:
    return _softplus_backward(grad, x, beta, threshold)


@fused(ks, "cr::glu", family.glu)
def glu(x: Any, *, dim: int = -1) -> Any:
    return _gate(*family.halves(x, dim))
