"""Exponentials and logarithms, and the logistic function."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..op import composite, primitive
from ..value import Value
from .comparison import eq, le, logical_and
from .complex import conj
from .selection import masked_fill

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = [
    "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2", "sigmoid",
    "xlogy",
]  # fmt: skip

_LOG_2, _LOG_10 = math.log(2), math.log(10)


@primitive(promote="float")
def exp(self: Tensor) -> Tensor:
    """Return e to the power of each element.

    Gradient:
        ``grad * conj(result)``.

    >>> import chainrule as cr
    >>> cr.exp(cr.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """


exp.vjp(self=lambda grad, result: grad * conj(result))


@primitive(promote="float")
def exp2(self: Tensor) -> Tensor:
    """Return 2 to the power of each element.

    Gradient:
        ``grad * conj(result) * log(2)``.

    >>> import chainrule as cr
    >>> cr.exp2(cr.tensor([0.0, 3.0]))
    tensor([1., 8.])
    """


exp2.vjp(self=lambda grad, result: grad * conj(result) * _LOG_2)


@primitive(promote="float")
def expm1(self: Tensor) -> Tensor:
    """Return ``exp(self) - 1``, exact also near zero.

    Gradient:
        ``grad * conj(result + 1)``.

    >>> import chainrule as cr
    >>> cr.expm1(cr.tensor([1e-8]))
    tensor([1.0000e-08])
    """


expm1.vjp(self=lambda grad, result: grad * conj(result + 1))


@primitive(promote="float")
def log(self: Tensor) -> Tensor:
    """Return the natural logarithm.

    Gradient:
        ``grad / conj(self)``.

    >>> import chainrule as cr
    >>> cr.log(cr.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """


log.vjp(self=lambda grad, self: grad / conj(self))


@primitive(promote="float", nodes={"": "Log1PBackward0"})
def log1p(self: Tensor) -> Tensor:
    """Return ``log(1 + self)``, exact also near zero.

    Gradient:
        ``grad / conj(self + 1)``.

    >>> import chainrule as cr
    >>> cr.log1p(cr.tensor([1e-8]))
    tensor([1.0000e-08])
    """


log1p.vjp(self=lambda grad, self: grad / conj(self + 1))


@primitive(promote="float")
def log2(self: Tensor) -> Tensor:
    """Return the logarithm to the base 2.

    Gradient:
        ``grad / conj(self * log(2))``.

    >>> import chainrule as cr
    >>> cr.log2(cr.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """


log2.vjp(self=lambda grad, self: grad / conj(self * _LOG_2))


@primitive(promote="float")
def log10(self: Tensor) -> Tensor:
    """Return the logarithm to the base 10.

    Gradient:
        ``grad / conj(self * log(10))``.

    >>> import chainrule as cr
    >>> cr.log10(cr.tensor([1.0, 50.0]))
    tensor([0.0000, 1.6990])
    """


log10.vjp(self=lambda grad, self: grad / conj(self * _LOG_10))


@primitive(
    promote="float",
    refuses={"complex": "xlogy_cpu"},
    nodes={"self:Number": "XlogyBackward1", "other:Number": "XlogyBackward2", "": "XlogyBackward0"},
)
def xlogy(self: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Return ``self * log(other)``, broadcasting; 0 where *self* is 0, unless *other* is NaN.

    Args:
        self: ``(*)``, or a Python number.
        other: ``(*)`` that broadcasts with *self*, or a Python number.

    Gradient:
        ``grad * log(other)`` for *self*, ``grad * self / other`` for *other*. Where *self* is 0
        and *other* is not positive, *self* gets 0.

    >>> import chainrule as cr
    >>> cr.xlogy(cr.tensor([0.0, 2.0]), cr.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """


def _factor_gradient(grad: Tensor, self: Tensor, other: Tensor | Number) -> Any:
    slope = xlogy(grad, other)
    if not isinstance(other, Value):
        return slope if other > 0 else masked_fill(slope, eq(self, 0), 0)  # type: ignore[operator]  # xlogy takes no complex numbers
    return masked_fill(slope, logical_and(eq(self, 0), le(other, 0)), 0)


xlogy.vjp(self=_factor_gradient, other=lambda grad, self, other: grad * self / other)


@primitive(
    promote="arithmetic",
    refuses={"bool": "logaddexp_cpu", "integer": "logaddexp_cpu"},
)
def logaddexp(self: Tensor, other: Tensor) -> Tensor:
    """Return ``log(exp(self) + exp(other))`` without overflow, broadcasting.

    Gradient:
        ``grad / conj(1 + exp(other - self))`` for *self*; the same, exchanged, for *other*.

    >>> import chainrule as cr
    >>> cr.logaddexp(cr.tensor([0.0, 1000.0]), cr.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0007e+03])
    """


logaddexp.vjp(
    self=lambda grad, self, other: grad / conj(1 + exp(other - self)),
    other=lambda grad, self, other: grad / conj(1 + exp(self - other)),
)


@primitive(
    promote="arithmetic",
    refuses={"bool": "logaddexp2_cpu", "integer": "logaddexp2_cpu", "complex": "logaddexp2_cpu"},
)
def logaddexp2(self: Tensor, other: Tensor) -> Tensor:
    """Return ``log2(2 ** self + 2 ** other)`` without overflow, broadcasting.

    Gradient:
        ``grad / (1 + 2 ** (other - self))`` for *self*; the same, exchanged, for *other*.

    >>> import chainrule as cr
    >>> cr.logaddexp2(cr.tensor([3.0]), cr.tensor([3.0]))
    tensor([4.])
    """


logaddexp2.vjp(
    self=lambda grad, self, other: grad / (1 + exp2(other - self)),
    other=lambda grad, self, other: grad / (1 + exp2(self - other)),
)


@composite(promote="float")
def sigmoid(self: Tensor) -> Tensor:
    """Return ``1 / (1 + exp(-self))``, which lies between 0 and 1.

    Args:
        self: ``(*)``, any dtype.

    Returns:
        ``(*)``, floating or complex.

    Gradient:
        ``grad * conj(result * (1 - result))``.

    >>> import chainrule as cr
    >>> cr.sigmoid(cr.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    return 1 / (exp(-self) + 1)  # type: ignore[no-any-return]  # an op's result


@composite(promote="arithmetic")
def sigmoid_backward(grad_output: Tensor, output: Tensor) -> Tensor:
    """Return the gradient of `sigmoid` for that of its *output*."""
    return grad_output * conj((1 - output) * output)  # type: ignore[no-any-return]  # an op's result


sigmoid.vjp(self=lambda grad, result: sigmoid_backward(grad, result))
sigmoid_backward.vjp(
    grad_output=lambda grad, output: sigmoid_backward(grad, conj(output)),
    output=lambda grad, grad_output, output: conj(grad) * grad_output * (1 - conj(output) * 2),
)
