"""The Airy function, the Bessel functions J, Y and K, and orthogonal polynomials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..op import primitive
from .special_more import _unless_zero, i0, special_i1

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "special_airy_ai", "special_bessel_j0", "special_bessel_j1", "special_bessel_y0",
    "special_bessel_y1", "special_chebyshev_polynomial_t", "special_chebyshev_polynomial_u",
    "special_chebyshev_polynomial_v", "special_chebyshev_polynomial_w",
    "special_hermite_polynomial_h", "special_hermite_polynomial_he",
    "special_laguerre_polynomial_l", "special_legendre_polynomial_p",
    "special_modified_bessel_i0", "special_modified_bessel_i1", "special_modified_bessel_k0",
    "special_modified_bessel_k1", "special_scaled_modified_bessel_k0",
    "special_scaled_modified_bessel_k1", "special_shifted_chebyshev_polynomial_t",
    "special_shifted_chebyshev_polynomial_u", "special_shifted_chebyshev_polynomial_v",
    "special_shifted_chebyshev_polynomial_w", "special_spherical_bessel_j0",
]  # fmt: skip

special_modified_bessel_i0 = i0
special_modified_bessel_i1 = special_i1


@primitive(promote="float", refuses={"complex": "airy_ai_cpu"})
def special_airy_ai(self: Tensor) -> Tensor:
    """Return the Airy function Ai, the solution of ``y'' = x y`` that falls to zero.

    Gradient:
        ``grad`` times the derivative of Ai.

    Differs from PyTorch:
        Has a gradient; right to 14 digits in double precision, where PyTorch's has 5.

    >>> import chainrule as cr
    >>> cr.special.airy_ai(cr.tensor([-1.0, 0.0, 1.0]))
    tensor([0.5356, 0.3550, 0.1353])
    """


@primitive(promote="float", refuses={"complex": "airy_ai_cpu"})
def _airy_ai_slope(self: Tensor) -> Tensor:
    """Return the derivative of the Airy function."""


special_airy_ai.vjp(self=lambda grad, self: grad * _airy_ai_slope(self))
_airy_ai_slope.vjp(self=lambda grad, self: grad * self * special_airy_ai(self))


@primitive(promote="float", refuses={"complex": "bessel_j0_cpu"})
def special_bessel_j0(self: Tensor) -> Tensor:
    """Return the Bessel function of the first kind and order zero.

    Gradient:
        ``-grad * bessel_j1(self)``.

    Differs from PyTorch:
        Has a gradient.

    >>> import chainrule as cr
    >>> cr.special.bessel_j0(cr.tensor([0.0, 1.0]))
    tensor([1.0000, 0.7652])
    """


@primitive(promote="float", refuses={"complex": "bessel_j1_cpu"})
def special_bessel_j1(self: Tensor) -> Tensor:
    """Return the Bessel function of the first kind and order one.

    Gradient:
        ``grad * (bessel_j0(self) - result / self)``, one half at zero.

    >>> import chainrule as cr
    >>> cr.special.bessel_j1(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.4401])
    """


@primitive(promote="float", refuses={"complex": "bessel_y0_cpu"})
def special_bessel_y0(self: Tensor) -> Tensor:
    """Return the Bessel function of the second kind and order zero.

    Gradient:
        ``-grad * bessel_y1(self)``.

    >>> import chainrule as cr
    >>> cr.special.bessel_y0(cr.tensor([1.0]))
    tensor([0.0883])
    """


@primitive(promote="float", refuses={"complex": "bessel_y1_cpu"})
def special_bessel_y1(self: Tensor) -> Tensor:
    """Return the Bessel function of the second kind and order one.

    Gradient:
        ``grad * (bessel_y0(self) - result / self)``.

    >>> import chainrule as cr
    >>> cr.special.bessel_y1(cr.tensor([1.0]))
    tensor([-0.7812])
    """


@primitive(promote="float", refuses={"complex": "modified_bessel_k0_cpu"})
def special_modified_bessel_k0(self: Tensor) -> Tensor:
    """Return the modified Bessel function of the second kind and order zero.

    Gradient:
        ``-grad * modified_bessel_k1(self)``.

    >>> import chainrule as cr
    >>> cr.special.modified_bessel_k0(cr.tensor([1.0]))
    tensor([0.4210])
    """


@primitive(promote="float", refuses={"complex": "modified_bessel_k1_cpu"})
def special_modified_bessel_k1(self: Tensor) -> Tensor:
    """Return the modified Bessel function of the second kind and order one.

    Gradient:
        ``-grad * (modified_bessel_k0(self) + result / self)``.

    >>> import chainrule as cr
    >>> cr.special.modified_bessel_k1(cr.tensor([1.0]))
    tensor([0.6019])
    """


@primitive(promote="float", refuses={"complex": "scaled_modified_bessel_k0_cpu"})
def special_scaled_modified_bessel_k0(self: Tensor) -> Tensor:
    """Return ``exp(self) * modified_bessel_k0(self)``, which does not underflow.

    Gradient:
        ``grad * (result - scaled_modified_bessel_k1(self))``.

    >>> import chainrule as cr
    >>> cr.special.scaled_modified_bessel_k0(cr.tensor([1.0]))
    tensor([1.1445])
    """


@primitive(promote="float", refuses={"complex": "scaled_modified_bessel_k1_cpu"})
def special_scaled_modified_bessel_k1(self: Tensor) -> Tensor:
    """Return ``exp(self) * modified_bessel_k1(self)``, which does not underflow.

    Gradient:
        ``grad * (result - scaled_modified_bessel_k0(self) - result / self)``.

    >>> import chainrule as cr
    >>> cr.special.scaled_modified_bessel_k1(cr.tensor([1.0]))
    tensor([1.6362])
    """


@primitive(promote="float", refuses={"complex": "spherical_bessel_j0_cpu"})
def special_spherical_bessel_j0(self: Tensor) -> Tensor:
    """Return ``sin(self) / self``, one at zero.

    Gradient:
        ``grad * (cos(self) - result) / self``, zero at zero.

    >>> import chainrule as cr
    >>> cr.special.spherical_bessel_j0(cr.tensor([0.0, 1.0]))
    tensor([1.0000, 0.8415])
    """


special_bessel_j0.vjp(self=lambda grad, self: -grad * special_bessel_j1(self))
special_bessel_j1.vjp(
    self=lambda grad, self: (
        grad * _unless_zero(self, lambda x: special_bessel_j0(x) - special_bessel_j1(x) / x, 0.5)
    )
)
special_bessel_y0.vjp(self=lambda grad, self: -grad * special_bessel_y1(self))
special_bessel_y1.vjp(
    self=lambda grad, self, result: grad * (special_bessel_y0(self) - result / self)
)
special_modified_bessel_k0.vjp(self=lambda grad, self: -grad * special_modified_bessel_k1(self))
special_modified_bessel_k1.vjp(
    self=lambda grad, self, result: -grad * (special_modified_bessel_k0(self) + result / self)
)
special_scaled_modified_bessel_k0.vjp(
    self=lambda grad, self, result: grad * (result - special_scaled_modified_bessel_k1(self))
)
special_scaled_modified_bessel_k1.vjp(
    self=lambda grad, self, result: (
        grad * (result - special_scaled_modified_bessel_k0(self) - result / self)
    )
)
special_spherical_bessel_j0.vjp(
    self=lambda grad, self: (
        grad * _unless_zero(self, lambda x: (x * x.cos() - x.sin()) / (x * x), 0.0)
    )
)


# Polynomials


def _polynomial(name: str, described: str) -> Any:
    """Return the op of a sequence of polynomials; its kernel is a recurrence."""

    def op(self: Tensor, n: Tensor) -> Tensor: ...

    op.__name__ = op.__qualname__ = f"special_{name}"
    op.__doc__ = (
        f"Return the {described} polynomials of order *n* at each element.\n\n"
        "Args:\n    self: ``(*)``, real.\n    n: ``(*)`` that broadcasts, or a number: the orders;"
        " zero comes of negative ones.\n\nGradient:\n    None, as in PyTorch.\n"
    )
    made = primitive(promote="float", refuses={"complex": f"{name}_cpu"})(op)
    made.vjp(self=None, n=None)
    return made


special_chebyshev_polynomial_t = _polynomial("chebyshev_polynomial_t", "Chebyshev (first kind)")
special_chebyshev_polynomial_u = _polynomial("chebyshev_polynomial_u", "Chebyshev (second kind)")
special_chebyshev_polynomial_v = _polynomial("chebyshev_polynomial_v", "Chebyshev (third kind)")
special_chebyshev_polynomial_w = _polynomial("chebyshev_polynomial_w", "Chebyshev (fourth kind)")
special_shifted_chebyshev_polynomial_t = _polynomial(
    "shifted_chebyshev_polynomial_t", "shifted Chebyshev (first kind)"
)
special_shifted_chebyshev_polynomial_u = _polynomial(
    "shifted_chebyshev_polynomial_u", "shifted Chebyshev (second kind)"
)
special_shifted_chebyshev_polynomial_v = _polynomial(
    "shifted_chebyshev_polynomial_v", "shifted Chebyshev (third kind)"
)
special_shifted_chebyshev_polynomial_w = _polynomial(
    "shifted_chebyshev_polynomial_w", "shifted Chebyshev (fourth kind)"
)
special_hermite_polynomial_h = _polynomial("hermite_polynomial_h", "Hermite (physicists')")
special_hermite_polynomial_he = _polynomial("hermite_polynomial_he", "Hermite (probabilists')")
special_laguerre_polynomial_l = _polynomial("laguerre_polynomial_l", "Laguerre")
special_legendre_polynomial_p = _polynomial("legendre_polynomial_p", "Legendre")
