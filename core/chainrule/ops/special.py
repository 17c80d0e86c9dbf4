"""Special functions: of the normal distribution's tail, and of the factorial's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..errors import DomainError
from ..op import primitive
from ._operands import into
from .exponential import exp

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["digamma", "erf", "erfc", "erfinv", "lgamma", "polygamma"]

_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)


@primitive(promote="float", refuses={"complex": "erf_vml_cpu"})
def erf(self: Tensor) -> Tensor:
    """Return the error function: ``2 / sqrt(π)`` times the integral of ``exp(-t²)`` from 0 on.

    Gradient:
        ``grad * 2 / sqrt(π) * exp(-self ** 2)``.

    >>> import chainrule as cr
    >>> cr.erf(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """


@primitive(promote="float", refuses={"complex": "erfc_vml_cpu"})
def erfc(self: Tensor) -> Tensor:
    """Return ``1 - erf(self)``, exact also where it is tiny.

    Gradient:
        ``-grad * 2 / sqrt(π) * exp(-self ** 2)``.

    >>> import chainrule as cr
    >>> cr.erfc(cr.tensor([0.0, 5.0]))
    tensor([1.0000e+00, 1.5375e-12])
    """


@primitive(promote="float", refuses={"complex": "erfinv_vml_cpu"})
def erfinv(self: Tensor) -> Tensor:
    """Return the number whose error function is each element; infinite at -1 and 1, NaN beyond.

    Gradient:
        ``grad * sqrt(π) / 2 * exp(erfinv(self) ** 2)``.

    >>> import chainrule as cr
    >>> cr.erfinv(cr.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4769])
    """


def _squared_exp(x: Tensor, sign: int) -> Tensor:
    return exp(x * x * sign)


erf.vjp(self=lambda grad, self: grad * (_squared_exp(self, -1) * _TWO_OVER_ROOT_PI))
erfc.vjp(self=lambda grad, self: grad * (_squared_exp(self, -1) * -_TWO_OVER_ROOT_PI))
erfinv.vjp(self=lambda grad, self: grad * (_squared_exp(erfinv(self), 1) / _TWO_OVER_ROOT_PI))


@primitive(promote="float", refuses={"complex": "lgamma_vml_cpu"})
def lgamma(self: Tensor) -> Tensor:
    """Return the logarithm of the magnitude of the gamma function.

    Gradient:
        ``grad * digamma(self)``.

    >>> import chainrule as cr
    >>> cr.lgamma(cr.tensor([1.0, 5.0]))
    tensor([0.0000, 3.1781])
    """


@primitive(promote="float", refuses={"complex": "digamma"})
def digamma(self: Tensor) -> Tensor:
    """Return the derivative of the logarithm of the gamma function.

    Gradient:
        ``grad * polygamma(1, self)``.

    >>> import chainrule as cr
    >>> cr.digamma(cr.tensor([1.0, 2.0]))
    tensor([-0.5772,  0.4228])
    """


@primitive(promote="float", refuses={"complex": "polygamma"})
def _polygamma(self: Tensor, n: int) -> Tensor:
    """Return the derivative of order *n* of digamma."""


lgamma.vjp(self=lambda grad, self: grad * digamma(self))
digamma.vjp(self=lambda grad, self: grad * _polygamma(self, 1))
_polygamma.vjp(self=lambda grad, self, n: grad * _polygamma(self, n + 1))


@_polygamma.checks
def _check_order(self: Tensor, n: int) -> None:
    if n < 0:
        msg = (
            "polygamma(n, x) does not support negative n.\n"
            f"polygamma: expected an order from 0 on, got {n}."
        )
        raise DomainError(msg)


def polygamma(n: int, input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the derivative of order *n* of `digamma`.

    Args:
        n: The order; 0 gives `digamma` itself.
        input: ``(*)``, any real dtype.
        out: Where to write the result.

    Raises:
        RuntimeError: *n* is negative.

    Gradient:
        ``grad * polygamma(n + 1, input)``.

    >>> import chainrule as cr
    >>> cr.polygamma(1, cr.tensor([1.0]))
    tensor([1.6449])
    """
    return into(out, _polygamma, input, n)  # type: ignore[no-any-return]  # an op's result
