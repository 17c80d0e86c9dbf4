"""Reductions: many elements to one, over all or some dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..op import primitive
from ..shapes import wrap_dims
from .shape import expand, unsqueeze, view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = ["sum", "sum_to_size"]


@primitive(nodes={"dim": "SumBackward1", "": "SumBackward0"})
def sum(
    self: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """Return the sum over *dim*, or over everything.

    Args:
        self: ``(*, N)``, any dtype; bool and integers are summed as int64.
        dim: The dimension or dimensions to reduce; None for all.
        keepdim: Keep the reduced dimensions with size 1.
        dtype: Cast to it first.

    Returns:
        ``(*)``.

    Gradient:
        ``grad``, expanded to the shape of *self*.

    >>> import chainrule as cr
    >>> cr.ones(2, 3).sum(dim=1)
    tensor([3., 3.])
    """


sum.vjp(self=lambda grad, self_shape, dim, keepdim: expand_reduced(grad, self_shape, dim, keepdim))


def expand_reduced(
    grad: Tensor, shape: tuple[int, ...], dim: int | Sequence[int] | None, keepdim: bool
) -> Tensor:
    """Return *grad* of a reduction over *dim* expanded back to *shape*."""
    if not keepdim and dim is not None and shape:
        for d in sorted(wrap_dims(dim, len(shape)) or range(len(shape))):
            grad = unsqueeze(grad, d)
    return expand(grad, shape)


def sum_to_size(input: Tensor, *size: int) -> Tensor:
    """Return *input* summed over what broadcasting *size* to its shape had repeated.

    Args:
        input: ``(*)``.
        size: A shape that broadcasts to that of *input*.

    Returns:
        A tensor of shape *size*.

    Raises:
        RuntimeError: *size* does not broadcast to the shape of *input*.

    >>> import chainrule as cr
    >>> cr.sum_to_size(cr.ones(2, 3), 1, 3)
    tensor([[2., 2., 2.]])
    """
    from ..errors import ShapeError
    from ..shapes import normalize_size

    wanted, shape = normalize_size(size), tuple(input._array.shape)
    extra = len(shape) - len(wanted)
    dims = [d for d in range(len(shape)) if d < extra or (wanted[d - extra] == 1 != shape[d])]
    kept = tuple(1 if d in dims else n for d, n in enumerate(shape))[max(extra, 0) :]
    if extra < 0 or kept != wanted:
        msg = f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}."
        raise ShapeError(msg)
    return view(sum(input, dims, keepdim=True), wanted) if dims else input
