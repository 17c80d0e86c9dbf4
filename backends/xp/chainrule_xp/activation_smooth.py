"""Kernels of chainrule/ops/activation_smooth.py."""

from __future__ import annotations

from typing import Any, Final

from chainrule.backend import KernelSet

from .exponential import sigmoid
from .masks import pick_where

ks = KernelSet("xp")

ROOT_HALF: Final = 0.7071067811865476
ROOT_2_OVER_PI: Final = 0.7978845608028654
CUBIC: Final = 0.044715


@ks.family("cr::elu")
def elu(xp: Any) -> Any:
    # Each side is 0 where the other counts.
    def kernel(x: Any, *, alpha: Any = 1.0, scale: Any = 1, input_scale: Any = 1) -> Any:
        below = xp.expm1(xp.minimum(x, 0) * input_scale) * (alpha * scale)
        return below + xp.maximum(x, 0) * scale

    return kernel


@ks.family("cr::elu_backward")
def elu_backward(xp: Any) -> Any:
    pick = pick_where(xp)

    def kernel(grad: Any, x: Any, *, alpha: Any = 1.0, scale: Any = 1, input_scale: Any = 1) -> Any:
        below = xp.exp(xp.minimum(x, 0) * input_scale) * (alpha * scale * input_scale)
        return grad * (below if alpha * input_scale == 1 else pick(x > 0, scale, below))

    return kernel


@ks.family("cr::celu")
def celu(xp: Any) -> Any:
    plain = elu(xp)

    def kernel(x: Any, *, alpha: Any = 1.0) -> Any:
        return plain(x, alpha=alpha, input_scale=1 / alpha)

    return kernel


@ks.family("cr::gelu")
def gelu(xp: Any) -> Any:
    from . import normal_single, special  # their tables are read when first needed

    erf, single = special.erf(xp), normal_single.gelu(xp)

    def kernel(x: Any, *, approximate: str = "none") -> Any:
        if approximate == "tanh":
            t = xp.tanh(x * (CUBIC * (x * x) + 1) * ROOT_2_OVER_PI)
            t += 1
            t *= x
            t *= 0.5
            return t
        return x * 0.5 * (erf(x * ROOT_HALF) + 1) if x.dtype.itemsize == 8 else single(x)

    return kernel


@ks.family("cr::gelu_backward")
def gelu_backward(xp: Any) -> Any:
    from . import normal_single, special

    erf, single = special.erf(xp), normal_single.gelu_backward(xp)

    def kernel(grad: Any, x: Any, *, approximate: str = "none") -> Any:
        if approximate == "none" and x.dtype.itemsize < 8:
            return single(grad, x)
        square = x * x
        if approximate == "none":
            density = xp.exp(square * -0.5) * (0.5 * ROOT_2_OVER_PI)
            return grad * ((erf(x * ROOT_HALF) + 1) * 0.5 + x * density)
        t = xp.tanh(x * (CUBIC * square + 1) * ROOT_2_OVER_PI)
        slope = (square * (3 * CUBIC) + 1) * ROOT_2_OVER_PI
        slope *= x
        slope *= 1 - t * t
        slope += t
        slope += 1
        slope *= 0.5
        return slope * grad  # which may be of a batch, where the output is not

    return kernel


@ks.family("cr::silu")
def silu(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        divisor = xp.exp(-x)
        divisor += 1
        return x / divisor

    return kernel


@ks.family("cr::silu_backward")
def silu_backward(xp: Any) -> Any:
    logistic = sigmoid(xp)

    def kernel(grad: Any, x: Any) -> Any:
        s = logistic(x)
        slope = s * (x * (1 - s) + 1)
        return grad * (slope if slope.dtype.kind == "f" else xp.conjugate(slope))

    return kernel


@ks.family("cr::mish")
def mish(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return x * xp.tanh(xp.log1p(xp.exp(x)))

    return kernel


@ks.family("cr::mish_backward")
def mish_backward(xp: Any) -> Any:
    logistic = sigmoid(xp)

    def kernel(grad: Any, x: Any) -> Any:
        t = xp.tanh(xp.log1p(xp.exp(x)))
        return grad * (t + x * logistic(x) * (1 - t * t))

    return kernel


@ks.family("cr::softplus")
def softplus(xp: Any) -> Any:
    pick = pick_where(xp)

    def kernel(x: Any, *, beta: Any = 1, threshold: Any = 20) -> Any:
        scaled = x * beta
        return pick(scaled > threshold, x, xp.log1p(xp.exp(scaled)) / beta)

    return kernel


@ks.family("cr::softplus_backward")
def softplus_backward(xp: Any) -> Any:
    logistic, pick = sigmoid(xp), pick_where(xp)

    def kernel(grad: Any, x: Any, *, beta: Any = 1, threshold: Any = 20) -> Any:
        scaled = x * beta
        return pick(scaled > threshold, grad, grad * logistic(scaled))

    return kernel


@ks.family("cr::logsigmoid")
def logsigmoid(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.absolute(x)))

    return kernel


@ks.family("cr::log_sigmoid_backward")
def log_sigmoid_backward(xp: Any) -> Any:
    def kernel(grad: Any, x: Any) -> Any:
        return grad / (xp.exp(x) + 1)

    return kernel


def halves(x: Any, dim: int) -> tuple[Any, Any]:
    """Return the two halves of *x* along *dim*."""
    half = x.shape[dim] // 2
    ahead = (slice(None),) * (dim % x.ndim)
    return x[(*ahead, slice(half))], x[(*ahead, slice(half, None))]


@ks.family("cr::glu")
def glu(xp: Any) -> Any:
    logistic = sigmoid(xp)

    def kernel(x: Any, *, dim: int = -1) -> Any:
        first, second = halves(x, dim)
        return first * logistic(second)

    return kernel


@ks.family("cr::glu_backward")
def glu_backward(xp: Any) -> Any:
    logistic = sigmoid(xp)

    def kernel(grad: Any, x: Any, *, dim: int = -1) -> Any:
        first, second = halves(x, dim)
        s = logistic(second)
        ahead = grad * s
        return xp.concatenate([ahead, ahead * first * (1 - s)], axis=dim)

    return kernel
