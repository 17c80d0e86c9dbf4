"""Matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..op import primitive
from .complex import conj
from .shape import t

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = ["addmm", "mm"]


@primitive(dtype="same")
def mm(self: Tensor, mat2: Tensor) -> Tensor:
    """Return the product of two matrices."""


mm.vjp(
    self=lambda grad, mat2: mm(grad, conj(t(mat2))),
    mat2=lambda grad, self: mm(conj(t(self)), grad),
)


@primitive(dtype="same")
def addmm(self: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """Return ``beta * self + alpha * (mat1 @ mat2)``."""


addmm.vjp(
    self=lambda grad, beta: grad if beta == 1 else grad * beta,
    mat1=lambda grad, mat2, alpha: mm(grad, conj(t(mat2))) * alpha if alpha != 1 else mm(grad, conj(t(mat2))),
    mat2=lambda grad, mat1, alpha: mm(conj(t(mat1)), grad) * alpha if alpha != 1 else mm(conj(t(mat1)), grad),
)
