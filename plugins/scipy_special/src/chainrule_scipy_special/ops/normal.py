"""Faddeeva's function, and what statistics and spectroscopy make of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from chainrule.ops import broadcast_tensors, exp
from chainrule.ops import complex as to_complex
from chainrule.plugin import primitive

from ._stating import along, like, special_of_reals

if TYPE_CHECKING:
    from chainrule import Tensor

    from ._stating import Number


@special_of_reals
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


wofz.vjp(z=lambda grad, z, result: along(grad, -2 * z * result + 2j / math.sqrt(math.pi)))


@special_of_reals
def voigt_profile(x: Tensor, sigma: Tensor | Number, gamma: Tensor | Number) -> Tensor:
    """Return the Voigt profile: a normal density of deviation *sigma* over a Cauchy of *gamma*.

    Gradient:
        With ``z = (x + i gamma) / (sigma √2)`` and w of `wofz`, the profile is
        ``Re w(z) / (sigma √(2π))``; in all three by the derivative of w, for positive *sigma*.
        Source: DLMF 7.19.3, 7.10.2.
    """


def _faddeeva(x: Tensor, sigma: Any, gamma: Any) -> tuple[Any, Any, Any]:
    """Return z, the complex derivative of the profile along x, and sigma as a tensor."""
    sigma, gamma = like(sigma, x), like(gamma, x)
    z = to_complex(*broadcast_tensors(x, gamma)) / (sigma * math.sqrt(2))
    slope = -2 * z * wofz(z) + 2j / math.sqrt(math.pi)
    return z, slope / (2 * math.sqrt(math.pi) * sigma**2), sigma


def _d_voigt_sigma(grad: Tensor, x: Tensor, sigma: Any, gamma: Any, result: Tensor) -> Any:
    z, slope, width = _faddeeva(x, sigma, gamma)
    return -grad * (result / width + (slope * z).real * math.sqrt(2))


voigt_profile.vjp(
    x=lambda grad, x, sigma, gamma: grad * _faddeeva(x, sigma, gamma)[1].real,
    sigma=_d_voigt_sigma,
    gamma=lambda grad, x, sigma, gamma: -grad * _faddeeva(x, sigma, gamma)[1].imag,
)
