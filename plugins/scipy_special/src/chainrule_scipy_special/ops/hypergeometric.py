"""Hypergeometric functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._stating import NO_SHAPE, along, special

if TYPE_CHECKING:
    from chainrule import Tensor

    from ._stating import Number


@special
def hyp1f1(a: Tensor | Number, b: Tensor | Number, x: Tensor) -> Tensor:
    """Return Kummer's confluent hypergeometric function.

    Gradient:
        In *x*: ``(a / b) M(a+1, b+1, x)``. Source: DLMF 13.3.15.
    """


hyp1f1.vjp(
    a=NO_SHAPE, b=NO_SHAPE, x=lambda grad, a, b, x: along(grad, hyp1f1(a + 1, b + 1, x) * (a / b))
)


@special
def hyp2f1(a: Tensor | Number, b: Tensor | Number, c: Tensor | Number, x: Tensor) -> Tensor:
    """Return Gauss's hypergeometric function.

    Gradient:
        In *x*: ``(a b / c) F(a+1, b+1, c+1, x)``. Source: DLMF 15.5.1.
    """


hyp2f1.vjp(
    a=NO_SHAPE,
    b=NO_SHAPE,
    c=NO_SHAPE,
    x=lambda grad, a, b, c, x: along(grad, hyp2f1(a + 1, b + 1, c + 1, x) * (a * b / c)),
)
