"""Powers and roots."""

from __future__ import annotations

import cmath
import math
from typing import TYPE_CHECKING, Any

from ..dtypes import COMPLEX, complex128, float64
from ..grad_mode import mode
from ..op import primitive
from ..value import Value
from ._operands import category, into, zeros_of
from .comparison import eq, ge, logical_and
from .complex import conj, imag, real
from .exponential import log
from .selection import where

if TYPE_CHECKING:
    from ..dtypes import DType
    from ..tensor import Number, Tensor

__all__ = ["float_power", "pow", "reciprocal", "rsqrt", "sqrt", "square"]


@primitive(
    promote="arithmetic",
    refuses={"bool": "pow"},
    nodes={"self:Number": "PowBackward2", "exponent:Number": "PowBackward0", "": "PowBackward1"},
)
def pow(self: Tensor | Number, exponent: Tensor | Number) -> Tensor:
    """Return *self* to the power of *exponent*, broadcasting.

    Args:
        self: ``(*)``, any dtype, or a Python number.
        exponent: ``(*)`` that broadcasts with *self*, or a Python number; 2, 3, -1, 0.5 and the
            like are computed without logarithms.

    Returns:
        The broadcast shape, in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast, or integers are raised to a negative number.

    Gradient:
        ``grad * conj(exponent * self ** (exponent - 1))`` for *self*, zero where *exponent* is 0;
        ``grad * conj(result * log(self))`` for *exponent*, zero where *self* is 0 and *exponent*
        is not negative.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x**2).sum().backward()
    >>> x.grad
    tensor([2., 4., 6.])
    """


def _base_gradient(grad: Tensor, self: Tensor, exponent: Tensor | Number) -> Any:
    """Return ``grad * exponent * self ** (exponent - 1)``, but 0 for the exponent 0 at any base."""
    if not isinstance(exponent, Value):
        if exponent == 0:
            return zeros_of(grad)
        # Recorded, the powers 1 and 0 keep the way to self: derivatives of any order are there.
        if exponent == 1 and not mode.enabled:
            return grad
        slope = self if exponent == 2 and not mode.enabled else pow(self, exponent - 1)
        return grad * conj(slope * exponent)
    return where(eq(exponent, 0), 0, grad * conj(exponent * pow(self, exponent - 1)))


def _exponent_gradient(
    grad: Tensor, self: Tensor | Number, exponent: Tensor, result: Tensor
) -> Any:
    """Return ``grad * result * log(self)``, but 0 at base 0, where the logarithm is infinite."""
    if isinstance(self, Value):
        flat = logical_and(eq(self, 0), _from_zero_on(exponent))
        if exponent._key.complex:  # the logarithm of a negative base is complex then
            self = self.to(result.dtype)
        return grad * where(flat, 0, conj(result * log(self)))
    if self == 0:
        return grad * where(_from_zero_on(exponent), 0, conj(result * -math.inf))
    return grad * conj(result * _log_of_number(complex(self) if exponent._key.complex else self))


def _from_zero_on(exponent: Tensor) -> Any:
    """Return where ``0 ** exponent`` does not depend on the exponent."""
    if exponent._key.complex:
        return logical_and(eq(imag(exponent), 0), ge(real(exponent), 0))
    return ge(exponent, 0)


def _log_of_number(number: Number) -> Number:
    if isinstance(number, complex):
        return cmath.log(number)
    return math.log(number) if number > 0 else math.nan


pow.vjp(self=_base_gradient, exponent=_exponent_gradient)


def float_power(input: Tensor | Number, exponent: Tensor | Number, *, out: Any = None) -> Tensor:
    """Return *input* to the power of *exponent*, in float64 (complex128 if one is complex).

    Gradient:
        As of `pow`.

    >>> import chainrule as cr
    >>> cr.float_power(cr.tensor([2, 3]), 2)
    tensor([4., 9.], dtype=torch.float64)
    """
    dtype = dtype_of_power(input, exponent)
    return into(out, pow, _as_double(input, dtype), _as_double(exponent, dtype))  # type: ignore[no-any-return]  # an op's result


def dtype_of_power(input: Tensor | Number, exponent: Tensor | Number) -> DType:
    """Return the dtype of `float_power`."""
    either_complex = max(category(input), category(exponent)) == COMPLEX
    return complex128 if either_complex else float64


def _as_double(operand: Any, dtype: Any) -> Any:
    if isinstance(operand, Value):
        return operand.to(dtype)  # type: ignore[attr-defined]  # a Tensor
    return complex(operand) if dtype.is_complex else float(operand)


def square(input: Tensor, *, out: Any = None) -> Tensor:
    """Return the square of each element.

    Gradient:
        ``grad * conj(2 * input)``, by `pow`.

    >>> import chainrule as cr
    >>> cr.square(cr.tensor([2.0, -3.0]))
    tensor([4., 9.])
    """
    return into(out, pow, input, 2)  # type: ignore[no-any-return]  # an op's result


@primitive(promote="float")
def sqrt(self: Tensor) -> Tensor:
    """Return the square root.

    Gradient:
        ``grad / (2 * conj(result))``; infinite at 0.

    >>> import chainrule as cr
    >>> cr.sqrt(cr.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """


sqrt.vjp(self=lambda grad, result: grad / (conj(result) * 2))


@primitive(promote="float")
def rsqrt(self: Tensor) -> Tensor:
    """Return one over the square root.

    Gradient:
        ``grad * conj(-result ** 3 / 2)``.

    >>> import chainrule as cr
    >>> cr.rsqrt(cr.tensor([4.0, 16.0]))
    tensor([0.5000, 0.2500])
    """


rsqrt.vjp(self=lambda grad, result: grad * conj(pow(result, 3) * -0.5))


@primitive(promote="float")
def reciprocal(self: Tensor) -> Tensor:
    """Return one over each element.

    Gradient:
        ``-grad * conj(result ** 2)``.

    >>> import chainrule as cr
    >>> cr.reciprocal(cr.tensor([2.0, -4.0]))
    tensor([ 0.5000, -0.2500])
    """


reciprocal.vjp(self=lambda grad, result: -grad * conj(result * result))
