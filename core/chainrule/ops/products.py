"""Products over all or one dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..dtypes import given
from ..op import composite, primitive
from .complex import conj
from .reductions import keep_reduced, reduced_dims
from .shape import reshape

if TYPE_CHECKING:
    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = ["prod"]


@primitive(nodes={"": "ProdBackward0"}, saves=("result",))
def _prod_all(self: Tensor, dtype: DType | None = None) -> Tensor:
    """Return the product of all elements, computed in *dtype*."""


@primitive(nodes={"": "ProdBackward1"}, saves=("result",))
def _prod(self: Tensor, dim: int, keepdim: bool = False, dtype: DType | None = None) -> Tensor:
    """Return the product over *dim*, computed in *dtype*."""


_prod_all.vjp(self=lambda grad, self: _prod_rule(grad, self, None, keepdim=False))
_prod.vjp(self=lambda grad, self, dim, keepdim: _prod_rule(grad, self, dim, keepdim))


def _prod_rule(grad: Tensor, self: Tensor, dim: int | None, keepdim: bool) -> Any:
    shape = tuple(self._array.shape)
    if not shape:
        return grad
    factors = self.to(grad._key.dtype)
    if dim is None:
        others = product_of_others(reshape(factors, (-1,)), 0)
        return grad * conj(reshape(others, shape))
    return keep_reduced(grad, shape, (dim,), keepdim) * conj(product_of_others(factors, dim))


def product_of_others(self: Tensor, dim: int) -> Any:
    """Return, for each element, the product of all the others along *dim*.

    What stands before an element times what stands after it: no division, so a zero is no special
    case, here and in every further derivative.
    """
    count = self._array.shape[dim]
    if count == 0:
        return self
    nothing = ops.ones_like(self.narrow(dim, 0, 1))
    before = ops.cat([nothing, self.narrow(dim, 0, count - 1)], dim).cumprod(dim)
    after = ops.cat([self.narrow(dim, 1, count - 1), nothing], dim).flip(dim).cumprod(dim).flip(dim)
    return before * after


@composite
def prod(
    self: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """Return the product over *dim*, or over everything.

    Args:
        self: ``(*, N)``, any dtype; bool and integers are multiplied as int64.
        dim: The dimension to reduce; None for all.
        keepdim: Keep the reduced dimension with size 1.
        dtype: Cast to it first.

    Returns:
        ``(*)``. The product of nothing is 1.

    Raises:
        IndexError: *dim* is out of range.

    Gradient:
        ``grad * conj(p)``, with p the product of all other elements: exact where elements are zero.

    >>> import chainrule as cr
    >>> x = cr.tensor([2.0, 0.0, 3.0], requires_grad=True)
    >>> x.prod().backward()
    >>> x.grad
    tensor([0., 6., 0.])
    """
    if dtype is not None:
        dtype = given(dtype)
    if dim is None:
        return _prod_all(self, dtype)
    (wrapped,) = reduced_dims("prod", (dim,), len(self._array.shape)) or (0,)
    return _prod(self, wrapped, keepdim, dtype)
