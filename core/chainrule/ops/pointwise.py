"""Functions of one operand, element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..op import primitive
from .complex import conj

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["exp", "neg", "tanh"]


@primitive(promote="arithmetic")
def neg(self: Tensor) -> Tensor:
    """Return ``-self``.

    Gradient:
        ``-grad``.

    >>> import chainrule as cr
    >>> -cr.tensor([1.0, -2.0])
    tensor([-1.,  2.])
    """


neg.vjp(self=lambda grad: -grad)


@primitive(promote="float")
def exp(self: Tensor) -> Tensor:
    """Return e to the power of each element.

    Gradient:
        ``grad * conj(result)``.

    >>> import chainrule as cr
    >>> cr.exp(cr.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """


exp.vjp(self=lambda grad, result: grad * conj(result))


@primitive(promote="float")
def tanh(self: Tensor) -> Tensor:
    """Return the hyperbolic tangent.

    Gradient:
        ``grad * conj(1 - result ** 2)``.

    >>> import chainrule as cr
    >>> cr.tanh(cr.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """


tanh.vjp(self=lambda grad, result: grad * conj(1 - result * result))
