"""Picking elements one by one: a tensor says for each place where its element comes from."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import DimError, DTypeError, ShapeError
from ..naming import numpy_names
from ..op import primitive
from ..shapes import broadcast_shapes, wrap_dim
from ._arguments import check_tensor, in_place_form, zeros_shaped
from ._operands import into
from .broadcasting import expand
from .comparison import lt
from .selection import where
from .shape import reshape, view

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["gather", "put", "take", "take_along_dim"]


@primitive(dtype="same", nodes={"": "GatherBackward0"}, saves=("self",))
def _gather(self: Tensor, dim: int, index: Tensor, sparse_grad: bool = False) -> Tensor:
    """Return the elements of *self* at the places *index* along *dim*."""


@primitive(dtype="same")
def gather_backward(grad: Tensor, input_sizes: tuple[int, ...], dim: int, index: Tensor) -> Tensor:
    """Return zeros of shape *input_sizes* with *grad* added at the places *index* along *dim*."""


_gather.vjp(
    self=lambda grad, self_shape, dim, index, sparse_grad: gather_backward(
        grad, self_shape, dim, index
    ),
    index=None,
)
gather_backward.vjp(grad=lambda grad, dim, index: _gather(grad, dim, index), index=None)


@numpy_names
def gather(
    input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: Any = None
) -> Tensor:
    """Return, for every place of *index*, the element of *input* at ``index`` along *dim*.

    In three dimensions with ``dim=1``: ``result[i, j, k] = input[i, index[i, j, k], k]``.

    Args:
        input: ``(*)``.
        dim: The dimension that *index* chooses in.
        index: int64 or int32, of as many dimensions, nowhere larger than *input* but along *dim*.
        sparse_grad: Taken and ignored: the gradient is dense.
        out: Where to write the result.

    Returns:
        The shape of *index*, the dtype of *input*.

    Raises:
        RuntimeError: the shapes do not fit, or a place is out of range.
        IndexError: *dim* is out of range.

    Gradient:
        ``grad`` added up at the places that *index* names.

    >>> import chainrule as cr
    >>> cr.gather(cr.tensor([[1, 2], [3, 4]]), 1, cr.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    check_tensor("gather", input)
    check_tensor("gather", index, "index", 3)
    check_places("gather", input, dim, index)
    try:
        return into(out, _gather, input, dim, index, sparse_grad)  # type: ignore[no-any-return]  # an op's result
    except IndexError as error:
        raise ShapeError(str(error)) from None


def check_places(name: str, input: Tensor, dim: int, index: Tensor) -> None:
    """Check dtype and shape of an index for every element, as of `gather` and `scatter`."""
    shape, wanted = input._array.shape, index._array.shape
    place = wrap_dim(dim, len(shape))
    if prod(wanted) == 0:
        return
    family, owner = ("gather", "input") if name == "gather" else ("scatter", "self")
    if index._key.dtype not in (dtypes.int64, dtypes.int32):
        msg = (
            f"{family}(): Expected dtype int32/int64 for index\n"
            f"{name}: got {index._key.dtype}. Convert it with .long()."
        )
        raise DTypeError(msg)
    if max(len(wanted), 1) != max(len(shape), 1):
        msg = (
            f"Index tensor must have the same number of dimensions as {owner} tensor\n"
            f"{name}: got {len(wanted)} for {len(shape)}."
        )
        raise ShapeError(msg)
    for d, (have, bound) in enumerate(zip(wanted, shape, strict=False)):
        if d != place and have > bound:
            msg = (
                f"Size does not match at dimension {d} expected index {list(wanted)} to be no "
                f"larger than self {list(shape)} apart from dimension {place}"
            )
            raise ShapeError(msg)


@numpy_names
def take_along_dim(
    input: Tensor, indices: Tensor, dim: int | None = None, *, out: Any = None
) -> Tensor:
    """Return the elements of *input* at *indices* along *dim*, the two broadcast together.

    Args:
        input: ``(*)``.
        indices: int64, of as many dimensions; of any if *dim* is None.
        dim: The dimension that *indices* choose in; None for the flat tensor.
        out: Where to write the result.

    Raises:
        RuntimeError: *indices* are of another dtype, the numbers of dimensions differ, or a place
            is out of range.

    >>> import chainrule as cr
    >>> x = cr.tensor([[3, 1], [2, 4]])
    >>> cr.take_along_dim(x, cr.tensor([[1], [0]]), dim=1)
    tensor([[1],
            [2]])
    """
    check_tensor("take_along_dim", input)
    check_tensor("take_along_dim", indices, "indices", 2)
    if dim is None:
        return gather(view(input, -1), 0, view(indices, -1), out=out)
    if indices._key.dtype is not dtypes.int64:
        found = indices._key.dtype.scalar_name
        msg = f"torch.take_along_dim(): dtype of indices should be Long but got {found}"
        raise DTypeError(msg)
    ndim, other = len(input._array.shape), len(indices._array.shape)
    if ndim != other:
        msg = (
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {ndim} dimensions for input, and {other} dimensions for indices"
        )
        raise ShapeError(msg)
    place = wrap_dim(dim, ndim)
    ours, theirs = list(input._array.shape), list(indices._array.shape)
    size, count = ours[place], theirs[place]
    ours[place] = theirs[place] = 1
    common = list(broadcast_shapes(ours, theirs))
    common[place] = size
    whole = expand(input, common)
    common[place] = count
    return gather(whole, place, expand(_from_front(indices, size), common), out=out)


def _from_front(indices: Tensor, size: int) -> Tensor:
    """Return places that may be negative counted from the front."""
    return where(lt(indices, 0), indices + size, indices)  # type: ignore[no-any-return]  # an op's result


@primitive(dtype="same", nodes={"": "TakeBackward0"}, saves=("self",))
def _take(self: Tensor, index: Tensor) -> Tensor:
    """Return the elements of *self*, seen flat, at the places *index*."""


@primitive(dtype="same")
def take_backward(grad: Tensor, index: Tensor, input_sizes: tuple[int, ...]) -> Tensor:
    """Return zeros of shape *input_sizes* with *grad* added at the flat places *index*."""


_take.vjp(self=lambda grad, self_shape, index: take_backward(grad, index, self_shape), index=None)
take_backward.vjp(grad=lambda grad, index: _take(grad, index), index=None)


def take(input: Tensor, index: Tensor, *, out: Any = None) -> Tensor:
    """Return the elements of *input*, seen as one dimension, at the places *index*.

    Args:
        input: ``(*)``.
        index: int64, of any shape; negative places count from the end.
        out: Where to write the result.

    Returns:
        The shape of *index*, the dtype of *input*.

    Raises:
        IndexError: a place is out of range.

    Gradient:
        ``grad`` added up at the places taken.

    >>> import chainrule as cr
    >>> cr.take(cr.tensor([[4, 3], [5, 6]]), cr.tensor([0, -1]))
    tensor([4, 6])
    """
    check_tensor("take", input)
    check_tensor("take", index, "index", 2)
    if index._key.dtype is not dtypes.int64:
        msg = f"take(): Expected a long tensor for index, but got {index._key.dtype.scalar_name}"
        raise DTypeError(msg)
    try:
        return into(out, _take, input, index)  # type: ignore[no-any-return]  # an op's result
    except IndexError:
        raise out_of_range(input, index) from None


def out_of_range(input: Tensor, index: Tensor) -> DimError:
    """Return PyTorch's error for a flat place that *input* does not have."""
    size = prod(input._array.shape)
    places = reshape(index, -1)
    found = places._key.backend.tolist(places._array)
    culprit = next((p for p in found if not -size <= p < size), 0)
    return DimError(
        f"out of range: tried to access index {culprit} on a tensor of {size} elements."
    )


@primitive(dtype="same", nodes={"": "PutBackward0"}, saves=("source",))
def _put(self: Tensor, index: Tensor, source: Tensor, accumulate: bool) -> Tensor:
    """Return a copy of *self* with *source* at the flat places *index*, or added there."""


_put.vjp(
    self=lambda grad, index, accumulate: (
        grad if accumulate else _put(grad, index, zeros_shaped(grad, index._array.shape), False)
    ),
    index=None,
    source=lambda grad, index, source_shape: reshape(_take(grad, index), source_shape),
)


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Return a copy of *input* with *source* at the places *index* of the flat tensor.

    Args:
        input: ``(*)``.
        index: int64; negative places count from the end.
        source: As many elements as *index*, of the dtype of *input*.
        accumulate: Add instead, also where a place is named more than once.

    Raises:
        IndexError: a place is out of range, or the numbers differ.

    Gradient:
        For *input* ``grad``, with zeros at the places unless accumulated; for *source* ``grad``
        there.

    >>> import chainrule as cr
    >>> cr.put(cr.zeros(2, 2), cr.tensor([1, -1]), cr.tensor([5.0, 6.0]))
    tensor([[0., 5.],
            [0., 6.]])
    """
    check_tensor("put", input)
    have, wanted = prod(source._array.shape), prod(index._array.shape)
    if have != wanted:
        msg = (
            "put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {have}, index.numel() = {wanted}"
        )
        raise DimError(msg)
    try:
        return _put(input, index, source, accumulate)
    except IndexError:
        raise out_of_range(input, index) from None


put_ = in_place_form(put)
