"""More special functions: of Bessel, of the normal distribution, of entropy, of the gamma function.

What most programs use stands in special.py; these are imported when one is first called.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from ..errors import DomainError
from ..op import NOT_IMPLEMENTED, composite, primitive
from ._operands import into
from .linalg_checks import fail
from .special import digamma, lgamma

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = [
    "i0", "igamma", "igammac", "logit", "mvlgamma", "sinc", "special_entr", "special_erfcx",
    "special_i0e", "special_i1", "special_i1e", "special_log_ndtr", "special_ndtr",
    "special_ndtri", "special_xlog1py", "special_zeta",
]  # fmt: skip

_ROOT_TWO = math.sqrt(2.0)
_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


# Bessel functions


@primitive(promote="float", refuses={"complex": "i0_vml_cpu"})
def i0(self: Tensor) -> Tensor:
    """Return the modified Bessel function of the first kind and order zero.

    Gradient:
        ``grad * i1(self)``.

    >>> import chainrule as cr
    >>> cr.i0(cr.tensor([0.0, 1.0]))
    tensor([1.0000, 1.2661])
    """


@primitive(promote="float", nodes={"": "SpecialI0EBackward0"}, refuses={"complex": "i0e_cpu"})
def special_i0e(self: Tensor) -> Tensor:
    """Return ``exp(-abs(self)) * i0(self)``, which does not overflow.

    Gradient:
        ``grad * (i1e(self) - sign(self) * result)``.

    >>> import chainrule as cr
    >>> cr.special.i0e(cr.tensor([0.0, 1.0]))
    tensor([1.0000, 0.4658])
    """


@primitive(promote="float", refuses={"complex": "i1_cpu"})
def special_i1(self: Tensor) -> Tensor:
    """Return the modified Bessel function of the first kind and order one.

    Gradient:
        ``grad * (i0(self) - result / self)``, one half at zero.

    >>> import chainrule as cr
    >>> cr.special.i1(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.5652])
    """


@primitive(promote="float", nodes={"": "SpecialI1EBackward0"}, refuses={"complex": "i1e_cpu"})
def special_i1e(self: Tensor) -> Tensor:
    """Return ``exp(-abs(self)) * i1(self)``, which does not overflow.

    Gradient:
        ``grad * (i0e(self) - result * (sign(self) + 1 / self))``, one half at zero.

    >>> import chainrule as cr
    >>> cr.special.i1e(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2079])
    """


def _unless_zero(self: Any, value: Any, at_zero: float) -> Any:
    """Return *value* of a safe argument, but *at_zero* at zero."""
    safe = self.abs() > 1e-300 if self._key.dtype.itemsize == 8 else self.abs() > 1e-30
    return ops.where(safe, value(ops.where(safe, self, 1.0)), at_zero)


i0.vjp(self=lambda grad, self: grad * special_i1(self))
special_i0e.vjp(self=lambda grad, self, result: grad * (special_i1e(self) - self.sgn() * result))
special_i1.vjp(
    self=lambda grad, self, result: (
        grad * _unless_zero(self, lambda x: i0(x) - special_i1(x) / x, 0.5)
    )
)
special_i1e.vjp(
    self=lambda grad, self, result: (
        grad
        * _unless_zero(
            self, lambda x: special_i0e(x) - special_i1e(x) * (x.sgn() + x.reciprocal()), 0.5
        )
    )
)


# The normal distribution


@primitive(promote="float", refuses={"complex": "erfcx_cpu"})
def special_erfcx(self: Tensor) -> Tensor:
    """Return ``exp(self ** 2) * erfc(self)``, which neither underflows nor loses digits.

    Gradient:
        ``grad * (2 * self * result - 2 / sqrt(π))``.

    >>> import chainrule as cr
    >>> cr.special.erfcx(cr.tensor([0.0, 10.0]))
    tensor([1.0000, 0.0561])
    """


@primitive(promote="float", refuses={"complex": "ndtr"})
def special_ndtr(self: Tensor) -> Tensor:
    """Return the distribution function of the standard normal distribution.

    Gradient:
        ``grad * exp(-self ** 2 / 2) / sqrt(2 π)``.

    Differs from PyTorch:
        Is exact also in the lower tail, and is one node.

    >>> import chainrule as cr
    >>> cr.special.ndtr(cr.tensor([0.0, 1.0]))
    tensor([0.5000, 0.8413])
    """


@primitive(promote="float", refuses={"complex": "log_ndtr_cpu"})
def special_log_ndtr(self: Tensor) -> Tensor:
    """Return the logarithm of `ndtr`, exact in both tails.

    Gradient:
        ``grad * sqrt(2 / π) / erfcx(-self / sqrt(2))``.

    >>> import chainrule as cr
    >>> cr.special.log_ndtr(cr.tensor([0.0, -10.0]))
    tensor([ -0.6931, -53.2313])
    """


@primitive(promote="float", refuses={"complex": "ndtri_cpu"})
def special_ndtri(self: Tensor) -> Tensor:
    """Return the number whose `ndtr` is each element: the quantiles of the normal distribution.

    Gradient:
        ``grad * sqrt(2 π) * exp(result ** 2 / 2)``.

    >>> import chainrule as cr
    >>> cr.special.ndtri(cr.tensor([0.5, 0.975]))
    tensor([0.0000, 1.9600])
    """


special_erfcx.vjp(
    self=lambda grad, self, result: grad * (2 * self * result - 2 / math.sqrt(math.pi))
)
special_ndtr.vjp(self=lambda grad, self: grad * ((self * self * -0.5).exp() / _ROOT_TWO_PI))
special_log_ndtr.vjp(
    self=lambda grad, self, result: (
        grad * (math.sqrt(2 / math.pi) / special_erfcx(self * (-1 / _ROOT_TWO)))
    )
)
special_ndtri.vjp(self=lambda grad, result: grad * ((result * result * 0.5).exp() * _ROOT_TWO_PI))


# Logarithms and entropies


@composite(promote="float", refuses={"complex": "entr_cpu"})
def special_entr(self: Tensor) -> Tensor:
    """Return ``-self * log(self)``: zero at zero, -inf below.

    Gradient:
        ``grad * (-log(self) - 1)``.

    >>> import chainrule as cr
    >>> cr.special.entr(cr.tensor([0.25, 0.5]))
    tensor([0.3466, 0.3466])
    """
    inside = -self * ops.where(self > 0, self, 1.0).log()
    inside = ops.where(self.isnan(), self, inside)
    return ops.where(self < 0, -math.inf, inside)


special_entr.vjp(self=lambda grad, self: grad * ops.where(self.isnan(), self, -self.log() - 1))


@composite(
    promote="float", nodes={"": "SpecialXlog1PyBackward0"}, refuses={"complex": "xlog1py_cpu"}
)
def special_xlog1py(self: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Return ``self * log1p(other)``: zero where *self* is zero, NaN where *other* is.

    Gradient:
        ``grad * log1p(other)`` for *self*, zero where the result is defined to be; ``grad * self /
        (other + 1)`` for *other*.

    >>> import chainrule as cr
    >>> cr.special.xlog1py(cr.tensor([0.0, 2.0]), cr.tensor([-1.0, 1.0]))
    tensor([0.0000, 1.3863])
    """
    x: Any = self if hasattr(self, "_key") else ops.scalar_tensor(self)
    y: Any = other if hasattr(other, "_key") else ops.scalar_tensor(other)
    product = x * y.log1p()
    product = ops.where(x == 0, 0.0, product)
    return ops.where(y.isnan(), y, product)


special_xlog1py.vjp(
    self=lambda grad, self, other: (
        grad * ops.where((_t(self) == 0) & (_t(other) <= -1), 0.0, _t(other).log1p())
    ),
    other=lambda grad, self, other: grad * _t(self) / (_t(other) + 1),
)


def _t(x: Any) -> Any:
    """Return a number as a tensor."""
    return x if hasattr(x, "_key") else ops.scalar_tensor(x, dtype=dtypes.float64)


@composite(promote="float", refuses={"complex": "logit_cpu"})
def logit(self: Tensor, eps: float | None = None) -> Tensor:
    """Return ``log(self / (1 - self))``, the inverse of `sigmoid`.

    Args:
        self: ``(*)``, any real dtype.
        eps: Clamp to between *eps* and ``1 - eps`` first.

    Returns:
        ``(*)``, infinite at 0 and 1, NaN outside.

    Gradient:
        ``grad / (self * (1 - self))``; where clamped, zero; without *eps*, NaN outside of 0 to 1.

    >>> import chainrule as cr
    >>> cr.logit(cr.tensor([0.5, 0.75]))
    tensor([0.0000, 1.0986])
    """
    if eps is not None:
        self = self.clamp(eps, 1 - eps)
    return (self / (1 - self)).log()


def _logit_rule(grad: Any, self: Any, eps: float | None) -> Any:
    low, high = (0.0, 1.0) if eps is None else (eps, 1 - eps)
    outside = 0.0 if eps is not None else math.nan
    inside = (self >= low) & (self <= high)
    return ops.where(inside, grad / (self * (1 - self)), outside)


logit.vjp(self=_logit_rule)


@primitive(promote="float")
def sinc(self: Tensor) -> Tensor:
    """Return ``sin(π self) / (π self)``, one at zero.

    Gradient:
        ``grad * (cos(π self) - result) / self``, zero at zero; so are its derivatives the limits.

    >>> import chainrule as cr
    >>> cr.sinc(cr.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """


#: Coefficients of sin(t)/t as a polynomial of t², the highest first.
_SINC_SERIES = [(-1) ** k / math.factorial(2 * k + 1) for k in range(9, 0, -1)]


def _sinc_rule(grad: Any, self: Any) -> Any:
    """Return the gradient; near zero by the series, which has right derivatives of any order."""
    t = self * math.pi
    small = t.abs() < 0.5  # there nine terms have all digits
    inside = ops.where(small, t, 0)
    outside = ops.where(small, 1, t)
    square, near = inside * inside, ops.zeros_like(t)
    for number, coefficient in enumerate(_SINC_SERIES):
        near = near * square + 2 * (len(_SINC_SERIES) - number) * coefficient
    far = (outside.cos() - outside.sin() / outside) / outside
    slope = ops.where(small, near * inside + 0.0, far) * math.pi  # no -0 at zero
    return grad * slope.conj()


sinc.vjp(self=_sinc_rule)


# The gamma function


@primitive(promote="float", nodes={"": "SpecialZetaBackward0"}, refuses={"complex": "zeta_cpu"})
def _zeta(self: Tensor, other: Tensor) -> Tensor:
    """Return the zeta function of Hurwitz."""


_zeta.vjp(
    self=NOT_IMPLEMENTED("the derivative by the exponent has no formula"),
    other=lambda grad, self, other: grad * -_t(self) * _zeta(_t(self) + 1, other),
)


def special_zeta(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Return the sum of ``(other + k) ** -input`` over k from 0 on: the zeta function of Hurwitz.

    Args:
        input: ``(*)``, or a number, the exponent, larger than 1.
        other: ``(*)`` that broadcasts, or a number.
        out: Where to write the result.

    Raises:
        RuntimeError: in the backward pass, *input* requires grad.

    Gradient:
        ``-grad * input * zeta(input + 1, other)`` for *other*.

    >>> import chainrule as cr
    >>> cr.special.zeta(cr.tensor([2.0]), cr.tensor([1.0]))
    tensor([1.6449])
    """
    if not hasattr(input, "_key"):
        input = ops.scalar_tensor(input, dtype=other._key.dtype, device=other.device)
    return into(out, _zeta, input, other)


@primitive(promote="float", refuses={"complex": "igamma"})
def igamma(self: Tensor, other: Tensor) -> Tensor:
    """Return the lower incomplete gamma function of order *self* up to *other*: from 0 to 1.

    Args:
        self: ``(*)``, the order, not negative.
        other: ``(*)`` that broadcasts, not negative.

    Raises:
        RuntimeError: in the backward pass, *self* requires grad.

    Gradient:
        ``grad * other ** (self - 1) * exp(-other) / gamma(self)`` for *other*.

    >>> import chainrule as cr
    >>> cr.igamma(cr.tensor([1.0]), cr.tensor([1.0]))
    tensor([0.6321])
    """


@primitive(promote="float", refuses={"complex": "igammac"})
def igammac(self: Tensor, other: Tensor) -> Tensor:
    """Return one minus `igamma`, exact also where it is tiny.

    Gradient:
        That of `igamma`, negative.

    >>> import chainrule as cr
    >>> cr.igammac(cr.tensor([1.0]), cr.tensor([1.0]))
    tensor([0.3679])
    """


def _density(a: Any, x: Any) -> Any:
    """Return the derivative of `igamma` by its end: the density of the gamma distribution."""
    a, x = _t(a), _t(x)
    return ((a - 1) * x.log() - x - lgamma(a)).exp()


_NO_ORDER = NOT_IMPLEMENTED("the derivative by the order has no formula")
igamma.vjp(self=_NO_ORDER, other=lambda grad, self, other: grad * _density(self, other))
igammac.vjp(self=_NO_ORDER, other=lambda grad, self, other: -grad * _density(self, other))


@composite(promote="float", nodes={"": "MvlgammaBackward0"})
def _mvlgamma(self: Tensor, p: int) -> Tensor:
    """Return the logarithm of the multivariate gamma function."""
    places = ops.arange(p, dtype=self._key.dtype, device=self.device) * -0.5
    return lgamma(self.unsqueeze(-1) + places).sum(-1) + p * (p - 1) / 4 * math.log(math.pi)


def _mvlgamma_rule(grad: Any, self: Any, p: int) -> Any:
    places = ops.arange(p, dtype=grad._key.dtype, device=grad.device) * -0.5
    return grad * digamma(self.unsqueeze(-1) + places).sum(-1)


_mvlgamma.vjp(self=_mvlgamma_rule)


@composite
def mvlgamma(self: Tensor, p: int) -> Tensor:
    """Return the logarithm of the multivariate gamma function of dimension *p*.

    Args:
        self: ``(*)``, any real dtype, larger than ``(p - 1) / 2``.
        p: The dimension.

    Raises:
        RuntimeError: *p* is not positive.

    Gradient:
        ``grad`` times the sum of ``digamma(self - j / 2)`` over j from 0 to p - 1.

    >>> import chainrule as cr
    >>> cr.mvlgamma(cr.tensor([2.0]), 2)
    tensor([0.4516])
    """
    if p < 1:
        sentence = "p has to be greater than or equal to 1"
        fail(DomainError, sentence, f"mvlgamma: got {p}.")
    return _mvlgamma(self, p)
