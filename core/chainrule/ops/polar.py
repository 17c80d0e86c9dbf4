"""Polar coordinates of complex numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..op import primitive
from ._operands import into, zeros_of
from .comparison import eq
from .complex import check_parts, conj, real
from .pointwise import abs as magnitude
from .pointwise import sgn
from .selection import where

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["angle", "polar"]


@primitive(promote="float", dtype="real")
def angle(self: Tensor) -> Tensor:
    """Return the angle between the positive real axis and each number, in radians.

    Args:
        self: ``(*)``, any dtype. Negative real numbers have the angle π.

    Returns:
        ``(*)``, floating, between -π and π.

    Gradient:
        ``grad * 1j * self / abs(self) ** 2``; 0 at 0 and for real elements.

    >>> import chainrule as cr
    >>> cr.angle(cr.tensor([1.0, -1.0])), cr.angle(cr.tensor([1j]))
    (tensor([0.0000, 3.1416]), tensor([1.5708]))
    """


def _turn(grad: Tensor, self: Tensor) -> Tensor:
    """Return the direction in which the angle grows, over the radius, times *grad*."""
    if not self._key.complex:
        return zeros_of(grad)  # type: ignore[no-any-return]  # an op's result
    radius = magnitude(self)
    return grad * where(eq(radius, 0), 0, 1j * self / (radius * radius))  # type: ignore[no-any-return]  # an op's result


angle.vjp(self=_turn)


@primitive(nodes={"": "PolarBackward0"})
def _polar(abs: Tensor, angle: Tensor) -> Tensor:
    """Return complex numbers from their polar coordinates."""


_polar.vjp(
    abs=lambda grad, result: real(conj(grad) * sgn(result)),
    angle=lambda grad, result: real(conj(grad) * result * 1j),
)


def polar(abs: Tensor, angle: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return complex numbers with the distances *abs* from 0 and the angles *angle*, broadcasting.

    Args:
        abs: ``(*)``, floating, not negative.
        angle: ``(*)`` that broadcasts with *abs*, radians, of the same dtype.
        out: Where to write the result.

    Raises:
        RuntimeError: the dtypes differ or are not floating.

    Gradient:
        ``real(conj(grad) * sgn(result))`` for *abs*, ``real(conj(grad) * 1j * result)`` for
        *angle*; both 0 where *abs* is 0.

    >>> import chainrule as cr
    >>> cr.polar(cr.tensor([2.0]), cr.tensor([0.0]))
    tensor([2.+0.j])
    """
    check_parts("polar", abs, angle)
    return into(out, _polar, abs, angle)  # type: ignore[no-any-return]  # an op's result
