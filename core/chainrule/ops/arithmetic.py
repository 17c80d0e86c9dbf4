"""Arithmetic of two operands: + - * / ** and their kin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..op import primitive
from .complex import conj

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = ["add", "div", "mul", "rsub", "sub"]


@primitive(promote="arithmetic")
def add(self: Tensor, other: Tensor, *, alpha: Number = 1) -> Tensor:
    """Return ``self + alpha * other``, broadcasting.

    Args:
        self: ``(*)``, any dtype.
        other: ``(*)`` that broadcasts with *self*, or a Python number.
        alpha: What *other* is multiplied with.

    Returns:
        The broadcast shape, in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Gradient:
        ``grad`` for *self*, ``grad * alpha`` for *other*.

    >>> import chainrule as cr
    >>> cr.add(cr.tensor([1, 2]), cr.tensor([10, 20]), alpha=2)
    tensor([21, 42])
    """


add.vjp(self=lambda grad: grad, other=lambda grad, alpha: _scaled(grad, alpha))


@primitive(promote="arithmetic")
def sub(self: Tensor, other: Tensor, *, alpha: Number = 1) -> Tensor:
    """Return ``self - alpha * other``, broadcasting.

    Args:
        self: ``(*)``, any dtype but bool.
        other: ``(*)`` that broadcasts with *self*, or a Python number.
        alpha: What *other* is multiplied with.

    Returns:
        The broadcast shape, in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast, or both are bool.

    Gradient:
        ``grad`` for *self*, ``-grad * alpha`` for *other*.

    >>> import chainrule as cr
    >>> cr.tensor([3.0, 2.0]) - 1
    tensor([2., 1.])
    """


sub.vjp(self=lambda grad: grad, other=lambda grad, alpha: -_scaled(grad, alpha))


@primitive(promote="arithmetic", nodes={"": "RsubBackward1"})
def rsub(self: Tensor, other: Tensor | Number, alpha: Number = 1) -> Tensor:
    """Return ``other - alpha * self``: the subtraction from the other side.

    Gradient:
        ``-grad * alpha`` for *self*, ``grad`` for *other*.

    >>> import chainrule as cr
    >>> 1 - cr.tensor([3.0, 2.0])
    tensor([-2., -1.])
    """


rsub.vjp(self=lambda grad, alpha: -_scaled(grad, alpha), other=lambda grad: grad)


def _scaled(grad: Tensor, alpha: Number) -> Tensor:
    return grad if alpha == 1 else grad * alpha


@primitive(promote="arithmetic")
def mul(self: Tensor, other: Tensor) -> Tensor:
    """Return ``self * other``, broadcasting.

    Args:
        self: ``(*)``, any dtype.
        other: ``(*)`` that broadcasts with *self*, or a Python number.

    Returns:
        The broadcast shape, in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Gradient:
        ``grad * conj(other)`` for *self*, ``grad * conj(self)`` for *other*.

    >>> import chainrule as cr
    >>> x = cr.tensor([2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([4., 6.])
    """


mul.vjp(
    self=lambda grad, other: grad * conj(other),
    other=lambda grad, self: grad * conj(self),
)


@primitive(promote="divide", nodes={"rounding_mode": "DivBackward2", "": "DivBackward0"})
def div(self: Tensor, other: Tensor, *, rounding_mode: str | None = None) -> Tensor:
    """Return ``self / other``, broadcasting; rounded if *rounding_mode* says so.

    Args:
        self: ``(*)``, any dtype.
        other: ``(*)`` that broadcasts with *self*, or a Python number.
        rounding_mode: None for the true quotient (integers give the default floating dtype),
            ``"trunc"`` towards zero, ``"floor"`` downwards; these two keep integers.

    Returns:
        The broadcast shape, in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast, or *rounding_mode* is none of the three.

    Gradient:
        ``grad / conj(other)`` for *self*, ``-grad * conj(self / other) / conj(other)`` for
        *other*; zero when the quotient is rounded.

    >>> import chainrule as cr
    >>> cr.tensor([7, -7]) / 2
    tensor([ 3.5000, -3.5000])
    >>> cr.div(cr.tensor([7, -7]), 2, rounding_mode="floor")
    tensor([ 3, -4])
    """


div.vjp(
    self=lambda grad, other, rounding_mode: (
        grad / conj(other) if rounding_mode is None else grad * 0
    ),
    other=lambda grad, self, other, rounding_mode: (
        -grad * conj(self / other / other) if rounding_mode is None else grad * 0
    ),
)
