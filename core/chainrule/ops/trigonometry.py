"""Trigonometric and hyperbolic functions, and their inverses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..op import composite, primitive
from .comparison import eq
from .complex import conj
from .power import rsqrt
from .selection import where

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "hypot", "sin", "sinh", "tan",
    "tanh",
]  # fmt: skip


@primitive(promote="float")
def sin(self: Tensor) -> Tensor:
    """Return the sine.

    Gradient:
        ``grad * conj(cos(self))``.

    >>> import chainrule as cr
    >>> cr.sin(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """


@primitive(promote="float")
def cos(self: Tensor) -> Tensor:
    """Return the cosine.

    Gradient:
        ``-grad * conj(sin(self))``.

    >>> import chainrule as cr
    >>> cr.cos(cr.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """


sin.vjp(self=lambda grad, self: grad * conj(cos(self)))
cos.vjp(self=lambda grad, self: -grad * conj(sin(self)))


@primitive(promote="float")
def tan(self: Tensor) -> Tensor:
    """Return the tangent.

    Gradient:
        ``grad * conj(1 + result ** 2)``.

    >>> import chainrule as cr
    >>> cr.tan(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """


tan.vjp(self=lambda grad, result: grad * conj(result * result + 1))


@primitive(promote="float")
def asin(self: Tensor) -> Tensor:
    """Return the angle between -π/2 and π/2 whose sine is each element.

    Gradient:
        ``grad / conj(sqrt(1 - self ** 2))``.

    >>> import chainrule as cr
    >>> cr.asin(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """


asin.vjp(self=lambda grad, self: grad * conj(rsqrt(1 - self * self)))


@primitive(promote="float")
def acos(self: Tensor) -> Tensor:
    """Return the angle between 0 and π whose cosine is each element.

    Gradient:
        ``-grad / conj(sqrt(1 - self ** 2))``.

    >>> import chainrule as cr
    >>> cr.acos(cr.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """


acos.vjp(self=lambda grad, self: -grad * conj(rsqrt(1 - self * self)))


@primitive(promote="float")
def atan(self: Tensor) -> Tensor:
    """Return the angle between -π/2 and π/2 whose tangent is each element.

    Gradient:
        ``grad / conj(1 + self ** 2)``.

    >>> import chainrule as cr
    >>> cr.atan(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """


atan.vjp(self=lambda grad, self: grad / conj(self * self + 1))


@primitive(promote="float")
def sinh(self: Tensor) -> Tensor:
    """Return the hyperbolic sine.

    Gradient:
        ``grad * conj(cosh(self))``.

    >>> import chainrule as cr
    >>> cr.sinh(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """


@primitive(promote="float")
def cosh(self: Tensor) -> Tensor:
    """Return the hyperbolic cosine.

    Gradient:
        ``grad * conj(sinh(self))``.

    >>> import chainrule as cr
    >>> cr.cosh(cr.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """


sinh.vjp(self=lambda grad, self: grad * conj(cosh(self)))
cosh.vjp(self=lambda grad, self: grad * conj(sinh(self)))


@primitive(promote="float")
def tanh(self: Tensor) -> Tensor:
    """Return the hyperbolic tangent.

    Gradient:
        ``grad * conj(1 - result ** 2)``.

    >>> import chainrule as cr
    >>> cr.tanh(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """


@composite(promote="arithmetic")
def tanh_backward(grad_output: Tensor, output: Tensor) -> Tensor:
    """Return the gradient of `tanh` for that of its *output*."""
    return grad_output * conj(1 - output * output)  # type: ignore[no-any-return]  # an op's result


tanh.vjp(self=lambda grad, result: tanh_backward(grad, result))
tanh_backward.vjp(
    grad_output=lambda grad, output: tanh_backward(grad, conj(output)),
    output=lambda grad, grad_output, output: conj(grad) * grad_output * conj(output) * -2,
)


@primitive(promote="float")
def asinh(self: Tensor) -> Tensor:
    """Return the number whose hyperbolic sine is each element.

    Gradient:
        ``grad / conj(sqrt(1 + self ** 2))``.

    >>> import chainrule as cr
    >>> cr.asinh(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """


asinh.vjp(self=lambda grad, self: grad * conj(rsqrt(self * self + 1)))


@primitive(promote="float")
def acosh(self: Tensor) -> Tensor:
    """Return the number from 0 on whose hyperbolic cosine is each element.

    Gradient:
        ``grad / conj(sqrt(self - 1) * sqrt(self + 1))``.

    >>> import chainrule as cr
    >>> cr.acosh(cr.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """


def _acosh_gradient(grad: Tensor, self: Tensor) -> Tensor:
    if self._key.complex:  # the square root of a product is not that of its factors
        return grad * conj(rsqrt(self - 1) * rsqrt(self + 1))  # type: ignore[no-any-return]  # an op's result
    return grad * rsqrt(self * self - 1)  # type: ignore[no-any-return]  # an op's result


acosh.vjp(self=_acosh_gradient)


@primitive(promote="float")
def atanh(self: Tensor) -> Tensor:
    """Return the number whose hyperbolic tangent is each element.

    Gradient:
        ``grad / conj(1 - self ** 2)``.

    >>> import chainrule as cr
    >>> cr.atanh(cr.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """


atanh.vjp(self=lambda grad, self: grad / conj(1 - self * self))


@primitive(promote="float", refuses={"complex": "atan2_cpu"})
def atan2(self: Tensor, other: Tensor) -> Tensor:
    """Return the angle between the positive x axis and the point ``(other, self)``, broadcasting.

    Args:
        self: ``(*)``, the ordinates, any real dtype.
        other: ``(*)`` that broadcasts with *self*, the abscissas.

    Returns:
        Radians between -π and π.

    Gradient:
        ``grad * other / (self ** 2 + other ** 2)`` for *self*,
        ``-grad * self / (self ** 2 + other ** 2)`` for *other*; 0 at the origin.

    >>> import chainrule as cr
    >>> cr.atan2(cr.tensor([1.0, 1.0]), cr.tensor([1.0, -1.0]))
    tensor([0.7854, 2.3562])
    """


def _inverse_square(self: Tensor, other: Tensor) -> Tensor:
    """Return one over the squared distance from the origin, and 0 at it."""
    square = self * self + other * other
    return where(eq(square, 0), 0, 1 / square)  # type: ignore[no-any-return]  # an op's result


atan2.vjp(
    self=lambda grad, self, other: grad * other * _inverse_square(self, other),
    other=lambda grad, self, other: -grad * self * _inverse_square(self, other),
)


@primitive(
    promote="arithmetic",
    refuses={"bool": "hypot_cpu", "integer": "hypot_cpu", "complex": "hypot_cpu"},
)
def hypot(self: Tensor, other: Tensor) -> Tensor:
    """Return ``sqrt(self ** 2 + other ** 2)`` without overflow, broadcasting.

    Gradient:
        ``grad * self / result`` for *self*, ``grad * other / result`` for *other*; NaN at the
        origin.

    >>> import chainrule as cr
    >>> cr.hypot(cr.tensor([3.0]), cr.tensor([4.0]))
    tensor([5.])
    """


hypot.vjp(
    self=lambda grad, self, result: grad * (self / result),
    other=lambda grad, other, result: grad * (other / result),
)

arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh
