"""Order: sorting, and the largest or smallest few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ShapeError
from ..inplace import fill_out
from ..naming import numpy_names
from ..op import primitive
from ..shapes import wrap_dim
from ._arguments import check_tensor
from ._operands import into
from .gathering import gather_backward
from .return_types import sort as sort_result
from .return_types import topk as topk_result

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["argsort", "msort", "sort", "topk"]

# Note [Order of special values]
# ------------------------------
# NaN counts as the largest value, as in PyTorch: last in ascending order, first in descending.
# All sorts are stable, so that equal elements keep their order whichever way it goes.


@primitive(
    nodes={"": "SortBackward0"}, refuses={"complex": " Sort does not support complex dtypes on CPU"}
)
def _sort(self: Tensor, dim: int, descending: bool) -> sort_result:
    """Return *self* sorted along *dim*, and where each element stood."""


@primitive(
    nodes={"": "SortBackward1"}, refuses={"complex": " Sort does not support complex dtypes on CPU"}
)
def _sort_stable(self: Tensor, dim: int, descending: bool) -> sort_result:
    """Return what `_sort` returns: all sorts are stable, but PyTorch's graph has two nodes."""


_sort.vjp(
    self=lambda grad, self_shape, dim, indices: gather_backward(grad, self_shape, dim, indices)
)
_sort_stable.vjp(
    self=lambda grad, self_shape, dim, indices: gather_backward(grad, self_shape, dim, indices)
)


@numpy_names
def sort(
    input: Tensor,
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool | None = None,
    out: Any = None,
) -> sort_result:
    """Return *input* sorted along *dim*, and where each element stood.

    Args:
        input: ``(*, N, *)``, no complex dtype.
        dim: The dimension of size N.
        descending: The largest first.
        stable: Taken: equal elements always keep their order.
        out: A pair of tensors to write the results into.

    Returns:
        *values* and *indices* (int64), both of the shape of *input*. NaN counts as the largest.

    Raises:
        IndexError: *dim* is out of range.

    Gradient:
        For each element the ``grad`` of where it went.

    >>> import chainrule as cr
    >>> cr.sort(cr.tensor([3, 1, 2]))
    torch.return_types.sort(
    values=tensor([1, 2, 3]),
    indices=tensor([1, 2, 0]))
    """
    check_tensor("sort", input)
    wrap_dim(dim, len(input._array.shape))
    op = _sort if stable is None else _sort_stable
    return into(out, op, input, dim, bool(descending))  # type: ignore[no-any-return]  # an op's result


@primitive(dtype="int64", refuses={"complex": " Sort does not support complex dtypes on CPU"})
def _argsort(self: Tensor, dim: int, descending: bool) -> Tensor:
    """Return where the elements stand that come first, second, … in order along *dim*."""


_argsort.vjp(self=None)


@numpy_names
def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False, out: Any = None
) -> Tensor:
    """Return the indices that sort *input* along *dim*.

    Args:
        input: ``(*, N, *)``, no complex dtype.
        dim: The dimension of size N.
        descending: The largest first.
        stable: Taken: equal elements always keep their order.
        out: Where to write the result.

    >>> import chainrule as cr
    >>> cr.argsort(cr.tensor([3, 1, 2]))
    tensor([1, 2, 0])
    """
    check_tensor("argsort", input)
    wrap_dim(dim, len(input._array.shape))
    return into(out, _argsort, input, dim, bool(descending))  # type: ignore[no-any-return]  # an op's result


def msort(input: Tensor, *, out: Any = None) -> Tensor:
    """Return *input* sorted along its first dimension.

    >>> import chainrule as cr
    >>> cr.msort(cr.tensor([3, 1, 2]))
    tensor([1, 2, 3])
    """
    values = sort(input, 0).values
    return values if out is None else fill_out(out, values)


@primitive(
    nodes={"": "TopkBackward0"}, refuses={"complex": " topk does not support complex dtypes on CPU"}
)
def _topk(self: Tensor, k: int, dim: int, largest: bool, sorted: bool) -> topk_result:
    """Return the *k* largest or smallest elements along *dim*, and where they stand."""


_topk.vjp(
    self=lambda grad, self_shape, dim, indices: gather_backward(grad, self_shape, dim, indices)
)


@numpy_names
def topk(
    input: Tensor,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
    *,
    out: Any = None,
) -> topk_result:
    """Return the *k* largest or smallest elements along *dim*, and where they stand.

    Args:
        input: ``(*, N, *)``, no complex dtype.
        k: How many, from 0 to N.
        dim: The dimension of size N.
        largest: The largest; else the smallest.
        sorted: In order; else in any. Ours always are.
        out: A pair of tensors to write the results into.

    Returns:
        *values* and *indices* (int64), both ``(*, k, *)``. NaN counts as the largest.

    Raises:
        RuntimeError: *k* is out of range.
        IndexError: *dim* is out of range.

    Gradient:
        ``grad`` at the elements chosen, zero elsewhere.

    >>> import chainrule as cr
    >>> values, indices = cr.topk(cr.tensor([3, 1, 2]), 2)
    >>> values, indices
    (tensor([3, 2]), tensor([0, 2]))
    """
    check_tensor("topk", input)
    shape = input._array.shape
    place = wrap_dim(dim, len(shape))
    if not 0 <= k <= (shape[place] if shape else 1):
        msg = "selected index k out of range"
        raise ShapeError(msg)
    return into(out, _topk, input, k, dim, bool(largest), bool(sorted))  # type: ignore[no-any-return]  # an op's result
