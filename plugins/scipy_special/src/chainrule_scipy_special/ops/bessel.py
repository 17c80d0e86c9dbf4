"""Bessel, Airy and Struve functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.ops import where
from chainrule.plugin import primitive

from ._stating import NO_ORDER, along, special, special_of_reals

if TYPE_CHECKING:
    from chainrule import Tensor

    from ._stating import Number


@special
def jv(v: Tensor | Number, x: Tensor) -> Tensor:
    """Return the Bessel function of the first kind of real order *v*.

    Gradient:
        In *x*: ``(J[v-1] - J[v+1]) / 2``. Source: DLMF 10.6.1.
    """


jv.vjp(v=NO_ORDER, x=lambda grad, v, x: along(grad, (jv(v - 1, x) - jv(v + 1, x)) / 2))


@special
def yv(v: Tensor | Number, x: Tensor) -> Tensor:
    """Return the Bessel function of the second kind of real order *v*.

    Gradient:
        In *x*: ``(Y[v-1] - Y[v+1]) / 2``. Source: DLMF 10.6.1.
    """


yv.vjp(v=NO_ORDER, x=lambda grad, v, x: along(grad, (yv(v - 1, x) - yv(v + 1, x)) / 2))


@special
def iv(v: Tensor | Number, x: Tensor) -> Tensor:
    """Return the modified Bessel function of the first kind of real order *v*.

    Gradient:
        In *x*: ``(I[v-1] + I[v+1]) / 2``. Source: DLMF 10.29.1.
    """


iv.vjp(v=NO_ORDER, x=lambda grad, v, x: along(grad, (iv(v - 1, x) + iv(v + 1, x)) / 2))


@special
def kv(v: Tensor | Number, x: Tensor) -> Tensor:
    """Return the modified Bessel function of the second kind of real order *v*.

    Gradient:
        In *x*: ``-(K[v-1] + K[v+1]) / 2``. Source: DLMF 10.29.1.
    """


kv.vjp(v=NO_ORDER, x=lambda grad, v, x: along(-grad, (kv(v - 1, x) + kv(v + 1, x)) / 2))


@special_of_reals
def ive(v: Tensor | Number, x: Tensor) -> Tensor:
    """Return ``iv(v, x) * exp(-abs(x))``, which does not overflow.

    Gradient:
        In *x*: ``(ive[v-1] + ive[v+1]) / 2 - sign(x) ive[v]``. Source: DLMF 10.29.1.
    """


ive.vjp(
    v=NO_ORDER,
    x=lambda grad, v, x, result: grad * ((ive(v - 1, x) + ive(v + 1, x)) / 2 - x.sign() * result),
)


@special
def kve(v: Tensor | Number, x: Tensor) -> Tensor:
    """Return ``kv(v, x) * exp(x)``, which does not underflow.

    Gradient:
        In *x*: ``kve[v] - (kve[v-1] + kve[v+1]) / 2``. Source: DLMF 10.29.1.
    """


kve.vjp(
    v=NO_ORDER,
    x=lambda grad, v, x, result: along(grad, result - (kve(v - 1, x) + kve(v + 1, x)) / 2),
)


@special_of_reals
def struve(v: Tensor | Number, x: Tensor) -> Tensor:
    """Return the Struve function of order *v*.

    Gradient:
        In *x*: ``H[v-1] - (v / x) H[v]``. Source: DLMF 11.4.27.
    """


def _d_struve(grad: Tensor, v: Any, x: Tensor, result: Tensor) -> Any:
    ratio = where(x == 0, 0.0, result / where(x == 0, 1.0, x))  # 0 at 0, of positive orders
    return grad * (struve(v - 1, x) - v * ratio)


struve.vjp(v=NO_ORDER, x=_d_struve)


@primitive(namespace="scipy_special", promote="float", outputs=("ai", "aip", "bi", "bip"))
def airy(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return Airy's functions and their derivatives: Ai, Ai', Bi, Bi'.

    Gradient:
        Of Ai and Bi, the derivatives that stand beside them; of those, ``x Ai`` and ``x Bi``.
        Source: DLMF 9.2.1.
    """


def _d_airy(grads: Any, x: Tensor, ai: Tensor, aip: Tensor, bi: Tensor, bip: Tensor) -> Any:
    of_first = along(grads[0], aip) + along(grads[1], x * ai)
    return of_first + along(grads[2], bip) + along(grads[3], x * bi)


airy.vjp(x=_d_airy)
