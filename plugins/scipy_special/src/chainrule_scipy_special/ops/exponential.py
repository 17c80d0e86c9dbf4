"""Exponential integrals and their relatives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from chainrule.ops import cos, exp, log, log1p, sin, where
from chainrule.plugin import primitive

from ._stating import along, special, special_of_reals

if TYPE_CHECKING:
    from chainrule import Tensor


@special
def exp1(x: Tensor) -> Tensor:
    """Return the exponential integral E1.

    Gradient:
        ``-exp(-x) / x``. Source: DLMF 6.2.1.
    """


exp1.vjp(x=lambda grad, x: along(-grad, exp(-x) / x))


@special
def expi(x: Tensor) -> Tensor:
    """Return the exponential integral Ei.

    Gradient:
        ``exp(x) / x``. Source: DLMF 6.2.5.
    """


expi.vjp(x=lambda grad, x: along(grad, exp(x) / x))


@special_of_reals
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


dawsn.vjp(x=lambda grad, x, result: along(grad, 1 - 2 * x * result))


@special
def spence(z: Tensor) -> Tensor:
    """Return Spence's function, the dilogarithm of ``1 - z``.

    Gradient:
        ``log(z) / (1 - z)``, and its limit -1 at 1. Source: DLMF 25.12.2.
    """


def _d_spence(grad: Tensor, z: Tensor) -> Any:
    safe, offset = where(z == 1, 2.0, z), where(z == 1, 1.0, z - 1)
    logarithm = where(offset.abs() < 0.5, log1p(offset), log(safe))  # exact next to 1
    return along(-grad, where(z == 1, 1.0, logarithm / offset))


spence.vjp(z=_d_spence)


@primitive(namespace="scipy_special", promote="float", outputs=("sine", "cosine"))
def fresnel(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the Fresnel integrals S and C.

    Gradient:
        ``sin(π x² / 2)`` and ``cos(π x² / 2)``. Source: DLMF 7.2.8.
    """


def _d_fresnel(grads: Any, x: Tensor) -> Any:
    angle = math.pi / 2 * x * x
    return along(grads[0], sin(angle)) + along(grads[1], cos(angle))


fresnel.vjp(x=_d_fresnel)


@special
def lambertw(x: Tensor, k: int = 0) -> Tensor:
    """Return the branch *k* of Lambert's function, which solves ``w exp(w) = x``.

    Of a real tensor the result is real, NaN where the branch is not, unlike in SciPy, where it is
    always complex.

    Gradient:
        The conjugate of ``exp(-w) / (1 + w)``. Source: DLMF 4.13.4.
    """


def _d_lambertw(grad: Tensor, result: Tensor) -> Any:
    return along(grad, exp(-result) / (1 + result))


lambertw.vjp(x=_d_lambertw)
