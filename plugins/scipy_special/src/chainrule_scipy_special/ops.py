"""The ops: signature, manual, and one gradient formula per input that has one.

Each needs a kernel. The formulas are tensor operations, so they can be differentiated again. The
numbers after DLMF are those of the NIST Digital Library of Mathematical Functions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from chainrule.ops import cos, exp, lgamma, log, log1p, sin, where
from chainrule.plugin import NOT_IMPLEMENTED, primitive

if TYPE_CHECKING:
    from chainrule import Tensor

    Number = float

_ORDER: Final = NOT_IMPLEMENTED("there is no closed form for the derivative in the order")
_SHAPE: Final = NOT_IMPLEMENTED("there is no closed form for the derivative in this parameter")


def special(function: Any) -> Any:
    """Return the op of this plugin that *function* states."""
    return primitive(namespace="scipy_special", promote="float")(function)


# Bessel and Struve functions


@special
def jv(v: Tensor | Number, x: Tensor) -> Tensor:
    """Return the Bessel function of the first kind of real order *v*.

    Gradient:
        In *x*: ``(J[v-1] - J[v+1]) / 2``. Source: DLMF 10.6.1.
    """


jv.vjp(v=_ORDER, x=lambda grad, v, x: grad * (jv(v - 1, x) - jv(v + 1, x)) / 2)


@special
def yv(v: Tensor | Number, x: Tensor) -> Tensor:
    """Return the Bessel function of the second kind of real order *v*.

    Gradient:
        In *x*: ``(Y[v-1] - Y[v+1]) / 2``. Source: DLMF 10.6.1.
    """


yv.vjp(v=_ORDER, x=lambda grad, v, x: grad * (yv(v - 1, x) - yv(v + 1, x)) / 2)


@special
def iv(v: Tensor | Number, x: Tensor) -> Tensor:
    """Return the modified Bessel function of the first kind of real order *v*.

    Gradient:
        In *x*: ``(I[v-1] + I[v+1]) / 2``. Source: DLMF 10.29.1.
    """


iv.vjp(v=_ORDER, x=lambda grad, v, x: grad * (iv(v - 1, x) + iv(v + 1, x)) / 2)


@special
def kv(v: Tensor | Number, x: Tensor) -> Tensor:
    """Return the modified Bessel function of the second kind of real order *v*.

    Gradient:
        In *x*: ``-(K[v-1] + K[v+1]) / 2``. Source: DLMF 10.29.1.
    """


kv.vjp(v=_ORDER, x=lambda grad, v, x: -grad * (kv(v - 1, x) + kv(v + 1, x)) / 2)


@special
def struve(v: Tensor | Number, x: Tensor) -> Tensor:
    """Return the Struve function of order *v*.

    Gradient:
        In *x*: ``H[v-1] - (v / x) H[v]``. Source: DLMF 11.4.27.
    """


struve.vjp(v=_ORDER, x=lambda grad, v, x, result: grad * (struve(v - 1, x) - v * result / x))


# Elliptic integrals


@special
def ellipk(m: Tensor) -> Tensor:
    """Return the complete elliptic integral of the first kind of the parameter *m*.

    Gradient:
        ``(E - (1 - m) K) / (2 m (1 - m))``, and its limit π/8 at 0. Source: DLMF 19.4.1.
    """


@special
def ellipe(m: Tensor) -> Tensor:
    """Return the complete elliptic integral of the second kind of the parameter *m*.

    Gradient:
        ``(E - K) / (2 m)``, and its limit -π/8 at 0. Source: DLMF 19.4.2.
    """


def _d_ellipk(grad: Tensor, m: Tensor, result: Tensor) -> Any:
    safe = where(m == 0, 0.5, m)
    slope = (ellipe(m) - (1 - m) * result) / (2 * safe * (1 - safe))
    return grad * where(m == 0, math.pi / 8, slope)


def _d_ellipe(grad: Tensor, m: Tensor, result: Tensor) -> Any:
    safe = where(m == 0, 0.5, m)
    return grad * where(m == 0, -math.pi / 8, (result - ellipk(m)) / (2 * safe))


ellipk.vjp(m=_d_ellipk)
ellipe.vjp(m=_d_ellipe)


# Exponential integrals and their relatives


@special
def exp1(x: Tensor) -> Tensor:
    """Return the exponential integral E1.

    Gradient:
        ``-exp(-x) / x``. Source: DLMF 6.2.1.
    """


exp1.vjp(x=lambda grad, x: -grad * exp(-x) / x)


@special
def expi(x: Tensor) -> Tensor:
    """Return the exponential integral Ei.

    Gradient:
        ``exp(x) / x``. Source: DLMF 6.2.5.
    """


expi.vjp(x=lambda grad, x: grad * exp(x) / x)


@special
def expn(x: Tensor, n: int) -> Tensor:
    """Return the generalised exponential integral of whole order *n*, at least 0.

    The order stands second, unlike in SciPy, since an op's tensors come first.

    Gradient:
        ``-E[n-1]``; of order 0, ``-exp(-x) (1 + 1/x) / x``. Source: DLMF 8.19.13.
    """


def _d_expn(grad: Tensor, x: Tensor, n: int) -> Any:
    return -grad * (expn(x, n - 1) if n > 0 else exp(-x) * (1 + 1 / x) / x)


expn.vjp(x=_d_expn)


@special
def dawsn(x: Tensor) -> Tensor:
    """Return Dawson's integral.

    Gradient:
        ``1 - 2 x F(x)``. Source: DLMF 7.10.
    """


dawsn.vjp(x=lambda grad, x, result: grad * (1 - 2 * x * result))


@special
def spence(z: Tensor) -> Tensor:
    """Return Spence's function, the dilogarithm of ``1 - z``.

    Gradient:
        ``log(z) / (1 - z)``, and its limit -1 at 1. Source: DLMF 25.12.2.
    """


def _d_spence(grad: Tensor, z: Tensor) -> Any:
    safe = where(z == 1, 2.0, z)
    return grad * where(z == 1, -1.0, log(safe) / (1 - safe))


spence.vjp(z=_d_spence)


@primitive(namespace="scipy_special", promote="float", outputs=("sine", "cosine"))
def fresnel(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the Fresnel integrals S and C.

    Gradient:
        ``sin(π x² / 2)`` and ``cos(π x² / 2)``. Source: DLMF 7.2.8.
    """


def _d_fresnel(grads: Any, x: Tensor) -> Any:
    angle = math.pi / 2 * x * x
    return grads[0] * sin(angle) + grads[1] * cos(angle)


fresnel.vjp(x=_d_fresnel)


# Incomplete beta, hypergeometric functions, Owen's T


@special
def betainc(a: Tensor | Number, b: Tensor | Number, x: Tensor) -> Tensor:
    """Return the regularised incomplete beta function.

    Gradient:
        In *x*: ``x**(a-1) (1-x)**(b-1) / B(a, b)``. Source: DLMF 8.17.1.
    """


def _d_betainc(grad: Tensor, a: Any, b: Any, x: Tensor) -> Any:
    a, b = (v if hasattr(v, "shape") else x.new_full((), v) for v in (a, b))
    log_beta = lgamma(a) + lgamma(b) - lgamma(a + b)
    return grad * exp((a - 1) * log(x) + (b - 1) * log1p(-x) - log_beta)


betainc.vjp(a=_SHAPE, b=_SHAPE, x=_d_betainc)


@special
def hyp1f1(a: Tensor | Number, b: Tensor | Number, x: Tensor) -> Tensor:
    """Return Kummer's confluent hypergeometric function.

    Gradient:
        In *x*: ``(a / b) M(a+1, b+1, x)``. Source: DLMF 13.3.15.
    """


hyp1f1.vjp(a=_SHAPE, b=_SHAPE, x=lambda grad, a, b, x: grad * hyp1f1(a + 1, b + 1, x) * (a / b))


@special
def hyp2f1(a: Tensor | Number, b: Tensor | Number, c: Tensor | Number, x: Tensor) -> Tensor:
    """Return Gauss's hypergeometric function.

    Gradient:
        In *x*: ``(a b / c) F(a+1, b+1, c+1, x)``. Source: DLMF 15.5.1.
    """


hyp2f1.vjp(
    a=_SHAPE,
    b=_SHAPE,
    c=_SHAPE,
    x=lambda grad, a, b, c, x: grad * hyp2f1(a + 1, b + 1, c + 1, x) * (a * b / c),
)


@special
def owens_t(h: Tensor, a: Tensor | Number) -> Tensor:
    """Return Owen's T function.

    Gradient:
        In *h*: ``-exp(-h²/2) erf(a h / √2) / (2 √(2π))``; in *a*:
        ``exp(-h² (1 + a²) / 2) / (2π (1 + a²))``. Source: Owen, "Tables for computing bivariate
        normal probabilities", 1956.
    """


def _d_owens_h(grad: Tensor, h: Tensor, a: Any) -> Any:
    return -grad * exp(-h * h / 2) * (a * h / math.sqrt(2)).erf() / (2 * math.sqrt(2 * math.pi))


def _d_owens_a(grad: Tensor, h: Tensor, a: Any) -> Any:
    return grad * exp(-h * h * (1 + a * a) / 2) / (2 * math.pi * (1 + a * a))


owens_t.vjp(h=_d_owens_h, a=_d_owens_a)


# Faddeeva


@primitive(
    namespace="scipy_special",
    promote="float",
    refuses={"floating": "wofz: expected a complex tensor, got a real one"},
)
def wofz(z: Tensor) -> Tensor:
    """Return the Faddeeva function ``exp(-z²) erfc(-i z)`` of a complex *z*.

    Gradient:
        The conjugate of ``-2 z w(z) + 2i / √π``. Source: DLMF 7.10.2.
    """


wofz.vjp(z=lambda grad, z, result: grad * (-2 * z * result + 2j / math.sqrt(math.pi)).conj())


OPS: Final = (
    jv, yv, iv, kv, struve, ellipk, ellipe, exp1, expi, expn, dawsn, spence, fresnel, betainc,
    hyp1f1, hyp2f1, owens_t, wofz,
)  # fmt: skip
