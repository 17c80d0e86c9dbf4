"""Rows chosen by a vector of places along one dimension: read, added to, replaced, filled."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import DimError, DTypeError, ShapeError
from ..naming import numpy_names
from ..op import primitive
from ..shapes import wrap_dim
from ..value import Value
from ._arguments import check_tensor, in_place_form
from ._operands import into
from .comparison import lt
from .creation_values import fit_value
from .reductions import sum
from .searching import _unique
from .selection import where
from .shape import reshape

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = ["index_add", "index_copy", "index_fill", "index_select"]


@primitive(dtype="same", nodes={"": "IndexSelectBackward0"})
def _index_select(self: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return *self* at the places *index* of *dim*."""


@primitive(dtype="same")
def index_select_backward(
    grad: Tensor, input_sizes: tuple[int, ...], dim: int, index: Tensor
) -> Tensor:
    """Return zeros of shape *input_sizes* with *grad* added at the places *index* of *dim*."""


_index_select.vjp(
    self=lambda grad, self_shape, dim, index: index_select_backward(grad, self_shape, dim, index),
    index=None,
)
index_select_backward.vjp(grad=lambda grad, dim, index: _index_select(grad, dim, index), index=None)


@numpy_names
def index_select(input: Tensor, dim: int, index: Tensor, *, out: Any = None) -> Tensor:
    """Return *input* at the places *index* of *dim*, as a copy.

    Args:
        input: ``(*, N, *)``.
        dim: The dimension of size N.
        index: ``(K)``, int64 or int32, from 0 to N - 1.
        out: Where to write the result.

    Returns:
        ``(*, K, *)``.

    Raises:
        IndexError: *dim* or a place is out of range, or *index* is no vector.

    Gradient:
        ``grad`` added up at the places chosen.

    >>> import chainrule as cr
    >>> cr.index_select(cr.tensor([[1, 2], [3, 4]]), 1, cr.tensor([1, 1]))
    tensor([[2, 2],
            [4, 4]])
    """
    check_tensor("index_select", input)
    check_tensor("index_select", index, "index", 3)
    shape, wanted = input._array.shape, index._array.shape
    wrap_dim(dim, len(shape))
    if len(wanted) > 1:
        msg = "index_select(): Index is supposed to be a vector"
        raise DimError(msg)
    if index._key.dtype not in (dtypes.int64, dtypes.int32):
        msg = "index_select(): Expected dtype int32 or int64 for index"
        raise DTypeError(msg)
    if not shape and prod(wanted) != 1:
        msg = f"index_select(): Index to scalar can have only 1 value, got {prod(wanted)} value(s)"
        raise ShapeError(msg)
    try:
        return into(out, _index_select, input, dim, index)  # type: ignore[no-any-return]  # an op's result
    except IndexError as error:
        msg = f"index out of range in self\nindex_select: {error}"
        raise DimError(msg) from None


@primitive(dtype="same", nodes={"": "IndexAddBackward0"}, saves=("source", "source_dim"))
def _index_add(self: Tensor, dim: int, index: Tensor, source: Tensor, alpha: Number = 1) -> Tensor:
    """Return a copy of *self* with ``alpha * source`` added at the places *index* of *dim*."""


_index_add.vjp(
    self=lambda grad: grad,
    index=None,
    source=lambda grad, source_shape, dim, index, alpha: reshape(
        _scaled(_index_select(grad, dim, index), alpha), source_shape
    ),
)


def _scaled(grad: Tensor, alpha: Number) -> Tensor:
    return grad if alpha == 1 else grad * alpha


@numpy_names
def index_add(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1, out: Any = None
) -> Tensor:
    """Return a copy of *input* with ``alpha * source`` added at the places *index* of *dim*.

    Args:
        input: ``(*, N, *)``.
        dim: The dimension of size N.
        index: ``(K)``, int64 or int32; a place may be named more than once.
        source: ``(*, K, *)``, of the dtype of *input*.
        alpha: What *source* is multiplied with.
        out: Where to write the result.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or a place is out of range.
        IndexError: *dim* is out of range, or *index* is no vector.

    Gradient:
        ``grad`` for *input*, ``alpha * grad`` at the places for *source*.

    >>> import chainrule as cr
    >>> cr.zeros(2, 2).index_add(0, cr.tensor([1, 1]), cr.ones(2, 2))
    tensor([[0., 0.],
            [2., 2.]])
    """
    check_tensor("index_add", input)
    check_tensor("index_add", index, "index", 3)
    check_tensor("index_add", source, "source", 4)
    _check_rows("index_add", input, dim, index, source)
    try:
        return into(out, _index_add, input, dim, index, source, alpha)  # type: ignore[no-any-return]  # an op's result
    except IndexError as error:
        raise ShapeError(str(error)) from None


def _check_rows(name: str, input: Tensor, dim: int, index: Tensor, source: Tensor) -> None:
    """Check dtypes and shapes of rows put into a tensor, with PyTorch's messages of `index_add`."""
    shape, wanted, given = input._array.shape, index._array.shape, source._array.shape
    place, kinds = wrap_dim(dim, len(shape)), (dtypes.int64, dtypes.int32)
    ours, theirs = input._key.dtype.scalar_name, source._key.dtype.scalar_name
    if len(wanted) > 1:
        msg = (
            f"{name}_(): Index is supposed to be a vector, but got dim: {len(wanted)} with type: "
            f"{index._key.dtype.scalar_name} and size: {list(wanted)}"
        )
        raise DimError(msg)
    if index._key.dtype not in kinds:
        msg = (
            f"{name}_(): Expected dtype int32/int64 for index but got: "
            f"{index._key.dtype.scalar_name}"
        )
        raise DTypeError(msg)
    if ours != theirs:
        msg = f"{name}_(): self ({ours}) and source ({theirs}) must have the same scalar type"
        raise DTypeError(msg)
    count = given[place] if place < len(given) else 1
    if prod(wanted) != count:
        msg = (
            f"{name}_(): Number of indices ({prod(wanted)}) should be equal to source.size(dim): "
            f"({count}), for dim: {place}"
        )
        raise ShapeError(msg)
    if [n for d, n in enumerate(shape) if d != place] != [
        n for d, n in enumerate(given) if d != place
    ] or (len(shape) != len(given)):
        msg = (
            "source tensor shape must match self tensor shape, excluding the specified dimension. "
            f"Got self.shape = {list(shape)} source.shape = {list(given)}"
        )
        raise ShapeError(msg)


@primitive(dtype="same", nodes={"value:Tensor": "IndexFillBackward1", "": "IndexFillBackward0"})
def _index_fill(self: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """Return a copy of *self* with *value* at the places *index* of *dim*."""


_index_fill.vjp(
    self=lambda grad, dim, index: _index_fill(grad, dim, index, 0),
    index=None,
    value=lambda grad, dim, index: sum(_index_select(grad, dim, _distinct(grad, dim, index))),
)


def _distinct(grad: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return every place that *index* names once, counted from the front."""
    size = grad._array.shape[dim] if grad._array.shape else 1
    return _unique(where(lt(index, 0), index + size, index))[0]


@numpy_names
def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """Return a copy of *input* with *value* at the places *index* of *dim*.

    Args:
        input: ``(*, N, *)``.
        dim: The dimension of size N.
        index: ``(K)``, int64.
        value: A number or a 0-d tensor.

    Raises:
        IndexError: *dim* or a place is out of range.
        RuntimeError: *value* is a tensor with dimensions.

    Gradient:
        For *input* ``grad`` with zeros at the places, for *value* the sum of ``grad`` there.

    >>> import chainrule as cr
    >>> cr.zeros(3).index_fill(0, cr.tensor([0, 2]), 5)
    tensor([5., 0., 5.])
    """
    check_tensor("index_fill", input)
    check_tensor("index_fill", index, "index", 3)
    size = (input._array.shape or (1,))[wrap_dim(dim, len(input._array.shape))]
    if index._key.dtype is not dtypes.int64:
        msg = "index_fill_(): Expected dtype int64 for index."
        raise DimError(msg)
    if len(index._array.shape) > 1:
        msg = "Index has to be a vector/scalar"
        raise ShapeError(msg)
    if isinstance(value, Value) and value._array.shape:
        msg = (
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{len(value._array.shape)} dimension(s)."
        )
        raise ShapeError(msg)
    if not isinstance(value, Value):
        if isinstance(value, complex) and not input._key.dtype.is_complex:
            msg = (
                "index_fill_(): Converting complex Scalar to non-complex type is not supported\n"
                f"index_fill: got {value} for {input._key.dtype}."
            )
            raise DTypeError(msg)
        value = fit_value(value, input._key.dtype)
    try:
        return _index_fill(input, dim, index, value)
    except IndexError:
        places = reshape(index, -1)
        found = places._key.backend.tolist(places._array)
        culprit = next((p for p in found if not -size <= p < size), 0)
        msg = f"index {culprit} is out of bounds for dimension {dim} with size {size}"
        raise DimError(msg) from None


@primitive(dtype="same", nodes={"": "IndexCopyBackward0"}, saves=("source", "source_dim"))
def _index_copy(self: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Return a copy of *self* with *source* at the places *index* of *dim*."""


_index_copy.vjp(
    self=lambda grad, dim, index: _index_fill(grad, dim, index, 0),
    index=None,
    source=lambda grad, source_shape, dim, index: reshape(
        _index_select(grad, dim, index), source_shape
    ),
)


@numpy_names
def index_copy(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, out: Any = None
) -> Tensor:
    """Return a copy of *input* with *source* at the places *index* of *dim*.

    Args:
        input: ``(*, N, *)``.
        dim: The dimension of size N.
        index: ``(K)``, int64. If it names a place twice, one of the two stays.
        source: ``(*, K, *)``, of the dtype of *input*.
        out: Where to write the result.

    Raises:
        IndexError: *dim* or a place is out of range, or the numbers of places and rows differ.
        RuntimeError: the dtypes differ.

    Gradient:
        For *input* ``grad`` with zeros at the places, for *source* ``grad`` there.

    >>> import chainrule as cr
    >>> cr.zeros(3).index_copy(0, cr.tensor([2, 0]), cr.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    check_tensor("index_copy", input)
    check_tensor("index_copy", index, "index", 3)
    check_tensor("index_copy", source, "source", 4)
    _check_copied(input, dim, index, source)
    try:
        return into(out, _index_copy, input, dim, index, source)  # type: ignore[no-any-return]  # an op's result
    except IndexError as error:
        msg = f"index_copy_(): {error}"
        raise DimError(msg) from None


def _check_copied(input: Tensor, dim: int, index: Tensor, source: Tensor) -> None:
    shape, given = input._array.shape, source._array.shape
    place, count = wrap_dim(dim, len(shape)), prod(index._array.shape)
    if shape and given and len(shape) != len(given):
        msg = (
            "index_copy_(): When source and destination are not scalars, their dimensionality must "
            f"match. Source dimensionality ({len(given)}), destination dimensionality "
            f"({len(shape)})"
        )
        raise DimError(msg)
    if index._key.dtype is not dtypes.int64:
        msg = (
            "index_copy_(): Expected a long tensor for index, but got "
            f"{index._key.dtype.scalar_name}"
        )
        raise DTypeError(msg)
    if input._key.dtype is not source._key.dtype:
        msg = (
            "index_copy_(): self and source expected to have the same dtype, but got (self) "
            f"{input._key.dtype.scalar_name} and (source) {source._key.dtype.scalar_name}"
        )
        raise DTypeError(msg)
    rows = given[place] if given else 1
    if count != rows:
        msg = (
            f"index_copy_(): Number of indices ({count}) should be equal to source.size(dim) "
            f"({rows})"
        )
        raise DimError(msg)


index_add_ = in_place_form(index_add)
index_copy_ = in_place_form(index_copy)
index_fill_ = in_place_form(index_fill)
