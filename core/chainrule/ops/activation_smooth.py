"""Smooth activation functions: of the exponential and its kin.

Each has a gradient op, ``<name>_backward``, for which a backend may have a kernel of its own. A
gradient op without a rule is differentiated through its body.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from ..errors import DomainError, ShapeError
from ..op import composite
from ..shapes import wrap_dim
from ._operands import floating_only
from .clamping import clamp_max
from .comparison import gt, le
from .complex import conj
from .exponential import exp, log1p, sigmoid
from .joining import cat
from .pointwise import abs
from .selection import where
from .slicing import narrow
from .special import erf
from .trigonometry import tanh

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = [
    "celu", "elu", "gelu", "glu", "logsigmoid", "mish", "selu", "silu", "softplus", "softsign",
    "tanhshrink",
]  # fmt: skip


@composite(promote="arithmetic", refuses=floating_only("elu_cpu"))
def elu(self: Tensor, alpha: Number = 1.0, scale: Number = 1, input_scale: Number = 1) -> Tensor:
    """Return each element, or ``alpha * (exp(self) - 1)`` where it is negative.

    Args:
        self: ``(*)``, floating.
        alpha: Minus the value towards minus infinity.
        scale: What the result is multiplied with.
        input_scale: What the exponent is multiplied with.

    Gradient:
        ``grad * scale`` for positive elements, else
        ``grad * scale * alpha * input_scale * exp(input_scale * self)``.

    >>> import chainrule as cr
    >>> cr.ops.elu(cr.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    below = (exp(self * input_scale) - 1) * (alpha * scale)
    return where(le(self, 0), below, self * scale)  # type: ignore[no-any-return]  # an op's result


@composite(promote="arithmetic")
def elu_backward(
    grad_output: Tensor,
    self: Tensor,
    alpha: Number = 1.0,
    scale: Number = 1,
    input_scale: Number = 1,
) -> Tensor:
    """Return the gradient of `elu` at *self* for that of its result."""
    below = exp(self * input_scale) * (alpha * scale * input_scale)
    return where(gt(self, 0), grad_output * scale, grad_output * below)  # type: ignore[no-any-return]  # an op's result


elu.vjp(
    self=lambda grad, self, alpha, scale, input_scale: elu_backward(
        grad, self, alpha, scale, input_scale
    )
)
elu_backward.vjp(
    grad_output=lambda grad, self, alpha, scale, input_scale: elu_backward(
        grad, self, alpha, scale, input_scale
    ),
    self=lambda grad, grad_output, self, alpha, scale, input_scale: where(
        gt(self, 0),
        0,
        grad * elu_backward(grad_output * input_scale, self, alpha, scale, input_scale),
    ),
)

#: The *alpha* and *scale* with which `elu` is `selu`.
SELU: Final = (1.6732632423543772, 1.0507009873554805)


def selu(input: Tensor) -> Tensor:
    """Return `elu` scaled so that mean 0 and variance 1 are kept from layer to layer.

    Source:
        G. Klambauer et al. (2017), Self-Normalizing Neural Networks: the two constants.

    >>> import chainrule as cr
    >>> cr.selu(cr.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return elu(input, *SELU)


@composite(promote="arithmetic", refuses=floating_only("elu_cpu"))
def celu(self: Tensor, alpha: Number = 1.0) -> Tensor:
    """Return each element, or ``alpha * (exp(self / alpha) - 1)`` where it is negative.

    Raises:
        RuntimeError: *alpha* is 0.

    Gradient:
        ``grad`` for positive elements, else ``grad * exp(self / alpha)``.

    >>> import chainrule as cr
    >>> cr.celu(cr.tensor([-1.0, 2.0]), 0.5)
    tensor([-0.4323,  2.0000])
    """
    return elu(self, alpha, 1, 1 / alpha)


celu.vjp(self=lambda grad, self, alpha: elu_backward(grad, self, alpha, 1, 1 / alpha))


@celu.checks
def _check_alpha(self: Tensor, alpha: Number) -> None:
    if alpha == 0:
        msg = "ZeroDivisionError: alpha cannot be 0 for CELU\ncelu: use relu() for alpha 0."
        raise DomainError(msg)


@composite(promote="arithmetic", refuses=floating_only("GeluKernelImpl"))
def gelu(self: Tensor, approximate: str = "none") -> Tensor:
    """Return each element times the probability that a normal variable is below it.

    Args:
        self: ``(*)``, floating.
        approximate: "none", or "tanh" for
            ``0.5 * self * (1 + tanh(sqrt(2 / π) * (self + 0.044715 * self ** 3)))``.

    Raises:
        RuntimeError: *approximate* is something else.

    Gradient:
        ``grad * (Φ(self) + self * φ(self))`` with the normal distribution Φ and its density φ, or
        the derivative of the approximation.

    Source:
        D. Hendrycks and K. Gimpel (2016), Gaussian Error Linear Units.

    >>> import chainrule as cr
    >>> cr.ops.gelu(cr.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    if approximate == "tanh":
        return self * 0.5 * (tanh(_tanh_argument(self)) + 1)  # type: ignore[no-any-return]  # an op's result
    return self * _normal_below(self)  # type: ignore[no-any-return]  # an op's result


_ROOT_HALF: Final = math.sqrt(0.5)
_ROOT_2_OVER_PI: Final = math.sqrt(2 / math.pi)
_CUBIC: Final = 0.044715


def _normal_below(self: Tensor) -> Tensor:
    return (erf(self * _ROOT_HALF) + 1) * 0.5  # type: ignore[no-any-return]  # an op's result


def _normal_density(self: Tensor) -> Tensor:
    return exp(self * self * -0.5) * (0.5 * _ROOT_2_OVER_PI)  # type: ignore[no-any-return]  # an op's result


def _tanh_argument(self: Tensor) -> Tensor:
    return (self + self * self * self * _CUBIC) * _ROOT_2_OVER_PI  # type: ignore[no-any-return]  # an op's result


@gelu.checks
def _check_approximation(self: Tensor, approximate: str) -> None:
    if approximate not in {"none", "tanh"}:
        msg = (
            "approximate argument must be either none or tanh.\n"
            f"gelu: expected 'none' or 'tanh', got {approximate!r}."
        )
        raise DomainError(msg)


@composite(promote="arithmetic")
def gelu_backward(grad_output: Tensor, self: Tensor, approximate: str = "none") -> Tensor:
    """Return the gradient of `gelu` at *self* for that of its result."""
    if approximate == "none":
        return grad_output * (_normal_below(self) + self * _normal_density(self))  # type: ignore[no-any-return]  # an op's result
    t = tanh(_tanh_argument(self))
    slope = (self * self * (3 * _CUBIC) + 1) * _ROOT_2_OVER_PI
    return grad_output * ((t + 1) * 0.5 + self * 0.5 * (1 - t * t) * slope)  # type: ignore[no-any-return]  # an op's result


def _gelu_curvature(grad: Tensor, grad_output: Tensor, self: Tensor, approximate: str) -> Any:
    """Return the second derivative of `gelu`, times both cotangents."""
    square = self * self
    if approximate == "none":
        return grad * grad_output * _normal_density(self) * (2 - square)
    t = tanh(_tanh_argument(self))
    slope = (square * (3 * _CUBIC) + 1) * _ROOT_2_OVER_PI
    bend = square * (3 * _CUBIC * _ROOT_2_OVER_PI)  # half of self times the slope's derivative
    return grad * grad_output * (1 - t * t) * (slope + bend - self * t * slope * slope)


gelu.vjp(self=lambda grad, self, approximate: gelu_backward(grad, self, approximate))
gelu_backward.vjp(
    grad_output=lambda grad, self, approximate: gelu_backward(grad, self, approximate),
    self=_gelu_curvature,
)


@composite(promote="arithmetic", refuses={"bool": "silu_cpu", "integer": "silu_cpu"})
def silu(self: Tensor) -> Tensor:
    """Return ``self * sigmoid(self)``.

    Gradient:
        ``grad * conj(s * (1 + self * (1 - s)))`` with ``s = sigmoid(self)``.

    Source:
        S. Elfwing, E. Uchibe and K. Doya (2017), Sigmoid-weighted linear units.

    >>> import chainrule as cr
    >>> cr.ops.silu(cr.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    return self * sigmoid(self)  # type: ignore[no-any-return]  # an op's result


@composite(dtype="same")
def silu_backward(grad_output: Tensor, self: Tensor) -> Tensor:
    """Return the gradient of `silu` at *self* for that of its result."""
    s = sigmoid(self)
    return grad_output * conj(s * (self * (1 - s) + 1))  # type: ignore[no-any-return]  # an op's result


silu.vjp(self=lambda grad, self: silu_backward(grad, self))


@composite(promote="arithmetic", refuses=floating_only("mish_cpu"))
def mish(self: Tensor) -> Tensor:
    """Return ``self * tanh(softplus(self))``.

    Gradient:
        ``grad * (t + self * sigmoid(self) * (1 - t ** 2))`` with ``t = tanh(softplus(self))``.

    Source:
        D. Misra (2019), Mish: A Self Regularized Non-Monotonic Activation Function.

    >>> import chainrule as cr
    >>> cr.ops.mish(cr.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    return self * tanh(softplus(self))  # type: ignore[no-any-return]  # an op's result


@composite(dtype="same")
def mish_backward(grad_output: Tensor, self: Tensor) -> Tensor:
    """Return the gradient of `mish` at *self* for that of its result."""
    t = tanh(softplus(self))
    return grad_output * (t + self * sigmoid(self) * (1 - t * t))  # type: ignore[no-any-return]  # an op's result


mish.vjp(self=lambda grad, self: mish_backward(grad, self))


@composite(promote="arithmetic", refuses=floating_only("softplus_cpu"))
def softplus(self: Tensor, beta: Number = 1, threshold: Number = 20) -> Tensor:
    """Return ``log(1 + exp(beta * self)) / beta``, a smooth relu.

    Args:
        self: ``(*)``, floating.
        beta: The sharpness of the bend.
        threshold: Where ``beta * self`` is above it, the result is *self*.

    Gradient:
        ``grad * sigmoid(beta * self)``, and ``grad`` above the threshold.

    >>> import chainrule as cr
    >>> cr.ops.softplus(cr.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    scaled = self * beta
    return where(gt(scaled, threshold), self, log1p(exp(scaled)) / beta)  # type: ignore[no-any-return]  # an op's result


@composite(promote="arithmetic")
def softplus_backward(
    grad_output: Tensor, self: Tensor, beta: Number = 1, threshold: Number = 20
) -> Tensor:
    """Return the gradient of `softplus` at *self* for that of its result."""
    scaled = self * beta
    return where(gt(scaled, threshold), grad_output, grad_output * sigmoid(scaled))  # type: ignore[no-any-return]  # an op's result


def _softplus_curvature(
    grad: Tensor, grad_output: Tensor, self: Tensor, beta: Number, threshold: Number
) -> Any:
    """Return the second derivative of `softplus`, times both cotangents."""
    scaled = self * beta
    s = sigmoid(scaled)
    return where(gt(scaled, threshold), 0, grad * grad_output * (s * (1 - s) * beta))


softplus.vjp(
    self=lambda grad, self, beta, threshold: softplus_backward(grad, self, beta, threshold)
)
softplus_backward.vjp(
    grad_output=lambda grad, self, beta, threshold: softplus_backward(grad, self, beta, threshold),
    self=_softplus_curvature,
)


@composite(
    promote="arithmetic",
    refuses=floating_only("log_sigmoid_cpu"),
    nodes={"": "LogSigmoidBackward0"},
    saves=("buffer",),
)
def logsigmoid(self: Tensor) -> Tensor:
    """Return ``log(sigmoid(self))``, exact also where the sigmoid is tiny or nearly 1.

    Gradient:
        ``grad * sigmoid(-self)``.

    >>> import chainrule as cr
    >>> cr.ops.logsigmoid(cr.tensor([-100.0, 0.0]))
    tensor([-100.0000,   -0.6931])
    """
    return clamp_max(self, 0) - log1p(exp(-abs(self)))  # type: ignore[no-any-return]  # an op's result


@composite(promote="arithmetic")
def log_sigmoid_backward(grad_output: Tensor, self: Tensor) -> Tensor:
    """Return the gradient of `logsigmoid` at *self* for that of its result."""
    return grad_output * sigmoid(-self)  # type: ignore[no-any-return]  # an op's result


def _log_sigmoid_curvature(grad: Tensor, grad_output: Tensor, self: Tensor) -> Any:
    """Return the second derivative of `logsigmoid`, times both cotangents."""
    s = sigmoid(self)
    return grad * grad_output * (s * (s - 1))


logsigmoid.vjp(self=lambda grad, self: log_sigmoid_backward(grad, self))
log_sigmoid_backward.vjp(
    grad_output=lambda grad, self: log_sigmoid_backward(grad, self), self=_log_sigmoid_curvature
)


@composite(refuses=floating_only("glu_cpu"), dtype="same")
def glu(self: Tensor, dim: int = -1) -> Tensor:
    """Return one half of *self* times the sigmoid of the other.

    Args:
        self: ``(*, 2N, *)``, floating.
        dim: The dimension of size 2N; its first half is multiplied.

    Returns:
        ``(*, N, *)``.

    Raises:
        RuntimeError: the size of *dim* is odd.

    Gradient:
        ``grad * sigmoid(b)`` for the first half, ``grad * a * s * (1 - s)`` for the second, with
        the halves a and b, and ``s = sigmoid(b)``.

    >>> import chainrule as cr
    >>> cr.ops.glu(cr.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """
    first, second = _halves(self, dim)
    return first * sigmoid(second)  # type: ignore[no-any-return]  # an op's result


def _halves(self: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    half = self._array.shape[dim] // 2
    return narrow(self, dim, 0, half), narrow(self, dim, half, half)


@glu.checks
def _check_halves(self: Tensor, dim: int) -> None:
    shape = self._array.shape
    if not shape:
        msg = (
            "glu does not support scalars because halving size must be even\n"
            "glu: expected at least one dimension."
        )
        raise ShapeError(msg)
    place = wrap_dim(dim, len(shape))
    if shape[place] % 2:
        msg = (
            f"Halving dimension must be even, but dimension {place} is size {shape[place]}\n"
            "glu: the two halves are multiplied with each other."
        )
        raise ShapeError(msg)


@composite(dtype="same")
def glu_backward(grad_output: Tensor, self: Tensor, dim: int = -1) -> Tensor:
    """Return the gradient of `glu` at *self* for that of its result."""
    first, second = _halves(self, dim)
    s = sigmoid(second)
    ahead = grad_output * s
    return cat([ahead, ahead * first * (1 - s)], dim)


glu.vjp(self=lambda grad, self, dim: glu_backward(grad, self, dim))


def softsign(input: Tensor) -> Tensor:
    """Return ``input / (1 + |input|)``.

    >>> import chainrule as cr
    >>> cr.ops.softsign(cr.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return input / (abs(input) + 1)  # type: ignore[no-any-return]  # an op's result


def tanhshrink(input: Tensor) -> Tensor:
    """Return ``input - tanh(input)``.

    >>> import chainrule as cr
    >>> cr.ops.tanhshrink(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """
    return input - tanh(input)  # type: ignore[no-any-return]  # an op's result
