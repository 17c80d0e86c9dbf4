"""Joining tensors into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import ShapeError
from ..op import primitive
from ..shapes import wrap_dim
from ..value import Value
from . import splitting
from ._arguments import check_tensors, zeros_shaped
from ._operands import into
from .creation import zeros
from .shape import atleast_1d, atleast_2d, atleast_3d, expand, reshape, view
from .slicing import _slice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = [
    "block_diag", "cartesian_prod", "cat", "column_stack", "concat", "concatenate", "dstack",
    "hstack", "meshgrid", "row_stack", "stack", "vstack",
]  # fmt: skip


@primitive(nodes={"": "CatBackward0"})
def _cat(tensors: Sequence[Tensor], dim: int, dtype: DType | None = None) -> Tensor:
    """Return *tensors* one after the other along *dim*; in *dtype* where theirs differ."""


_cat.vjp(tensors=lambda grad, tensors_shape, dim: _cat_backward(grad, tensors_shape, dim))


def _cat_backward(grad: Tensor, shapes: Sequence[tuple[int, ...]], dim: int) -> list[Tensor]:
    """Return the part of *grad* that belongs to each tensor."""
    place, start, parts = wrap_dim(dim, len(grad._array.shape)), 0, []
    for shape in shapes:
        if (
            len(shape) == 1 and shape[0] == 0
        ):  # PyTorch skips such a tensor, whatever the others are
            parts.append(zeros_shaped(grad, shape))
            continue
        parts.append(_slice(grad, place, start, start + shape[place], 1))
        start += shape[place]
    return parts


def cat(
    tensors: Sequence[Tensor], dim: int = 0, *, out: Any = None, axis: int | None = None
) -> Tensor:
    """Return *tensors* one after the other along *dim*.

    Args:
        tensors: A list or tuple of tensors whose shapes differ along *dim* only. One of shape
            ``(0,)`` is left out, whatever the others are.
        dim: The dimension; the others' sizes stay.
        out: Where to write the result.
        axis: *dim*, by NumPy's name.

    Returns:
        The dtype is the promoted one.

    Raises:
        RuntimeError: the shapes do not fit, or one tensor is 0-d.
        ValueError: there are none.
        IndexError: *dim* is out of range.

    Gradient:
        The part of ``grad`` that each tensor filled.

    >>> import chainrule as cr
    >>> cr.cat([cr.tensor([1, 2]), cr.tensor([3])])
    tensor([1, 2, 3])
    """
    if out is None and axis is None and _are_alike(tensors, dim):
        return _cat.fast(tensors, dim)  # type: ignore[no-any-return]  # an op's result
    check_tensors("cat", tensors)
    dim = dim if axis is None else axis
    _check_joinable(tensors, dim)
    first = tensors[0]._key
    for tensor in tensors:
        if tensor._key is not first:
            return into(out, _cat, tensors, dim, _common_dtype(tensors))  # type: ignore[no-any-return]  # an op's result
    return into(out, _cat, tensors, dim)  # type: ignore[no-any-return]  # an op's result


def _are_alike(tensors: Any, dim: Any) -> bool:
    """Return whether *tensors* have one key and one shape with *dim*: nothing to check then."""
    if type(tensors) not in {list, tuple} or not tensors or type(dim) is not int:
        return False
    if not isinstance(tensors[0], Value):
        return False
    key, shape = tensors[0]._key, tensors[0]._array.shape
    for tensor in tensors:
        if not isinstance(tensor, Value) or tensor._key is not key or tensor._array.shape != shape:
            return False
    return -len(shape) <= dim < len(shape)


def _common_dtype(tensors: Sequence[Tensor]) -> DType:
    found = [tensor._key.dtype for tensor in tensors]
    return dtypes.default_promotion(found, [], [])


def _check_joinable(tensors: Sequence[Tensor], dim: int) -> None:
    """Check what can be checked before the kernel, so that the message is PyTorch's."""
    if not tensors:
        msg = (
            "torch.cat(): expected a non-empty list of Tensors\ncat: got an empty list. Pass "
            "at least one tensor."
        )
        raise ValueError(msg)  # PyTorch's type here, and only here
    first: tuple[int, ...] | None = None
    place = 0
    for number, tensor in enumerate(tensors):
        shape = tensor._array.shape
        if shape == first:
            continue
        if not shape:
            msg = (
                f"zero-dimensional tensor (at position {number}) cannot be concatenated\n"
                "cat: use stack() for numbers."
            )
            raise ShapeError(msg)
        if shape == (0,):
            continue
        if first is None:
            first, place = shape, wrap_dim(dim, len(shape))
        else:
            _check_same_but(place, first, shape, number)
    if first is None:
        wrap_dim(dim, 1)


def _check_same_but(
    place: int, first: tuple[int, ...], shape: tuple[int, ...], number: int
) -> None:
    """Check that two shapes differ at *place* only."""
    if len(shape) != len(first):
        msg = f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}"
        raise ShapeError(msg)
    for dim, (want, have) in enumerate(zip(first, shape, strict=True)):
        if want != have and dim != place:
            msg = (
                f"Sizes of tensors must match except in dimension {place}. Expected size {want} "
                f"but got size {have} for tensor number {number} in the list."
            )
            raise ShapeError(msg)


concat = concatenate = cat


@primitive(nodes={"": "StackBackward0"})
def _stack(tensors: Sequence[Tensor], dim: int, dtype: DType | None = None) -> Tensor:
    """Return *tensors* side by side along a new dimension; in *dtype* where theirs differ."""


_stack.vjp(tensors=lambda grad, dim: splitting.unbind(grad, dim))


def stack(
    tensors: Sequence[Tensor], dim: int = 0, *, out: Any = None, axis: int | None = None
) -> Tensor:
    """Return *tensors* of one shape side by side along a new dimension *dim*.

    Args:
        tensors: A list or tuple of tensors of one shape.
        dim: The place of the new dimension in the result.
        out: Where to write the result.
        axis: *dim*, by NumPy's name.

    Raises:
        RuntimeError: the shapes differ, or there are none.
        IndexError: *dim* is out of range.

    Gradient:
        For each tensor its slice of ``grad``.

    >>> import chainrule as cr
    >>> cr.stack([cr.tensor([1, 2]), cr.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    check_tensors("stack", tensors)
    if not tensors:
        raise _nothing("stack")
    dim = dim if axis is None else axis
    first, dtype = tensors[0], None
    shape = first._array.shape
    wrap_dim(dim, len(shape) + 1)
    for number, tensor in enumerate(tensors):
        if tensor._array.shape != shape:
            msg = (
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(tensor._array.shape)} at entry {number}"
            )
            raise ShapeError(msg)
        if tensor._key is not first._key:
            dtype = _common_dtype(tensors)
    return into(out, _stack, tensors, dim, dtype)  # type: ignore[no-any-return]  # an op's result


def _nothing(name: str) -> ShapeError:
    msg = f"{name} expects a non-empty TensorList\n{name}: got no tensors. Pass at least one."
    return ShapeError(msg)


def hstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Return *tensors* side by side: vectors along their only dimension, others along columns.

    >>> import chainrule as cr
    >>> cr.hstack([cr.ones(2, 1), cr.zeros(2, 2)])
    tensor([[1., 0., 0.],
            [1., 0., 0.]])
    """
    return _stacked("hstack", atleast_1d, tensors, 1, out)


def vstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Return *tensors* on top of each other; a vector is a row.

    >>> import chainrule as cr
    >>> cr.vstack([cr.tensor([1, 2]), cr.tensor([[3, 4]])])
    tensor([[1, 2],
            [3, 4]])
    """
    return _stacked("vstack", atleast_2d, tensors, 0, out)


row_stack = vstack


def dstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Return *tensors* one behind the other, along the third dimension.

    >>> import chainrule as cr
    >>> cr.dstack([cr.tensor([1, 2]), cr.tensor([3, 4])])
    tensor([[[1, 3],
             [2, 4]]])
    """
    return _stacked("dstack", atleast_3d, tensors, 2, out)


def _stacked(name: str, at_least: Any, tensors: Sequence[Tensor], dim: int, out: Any) -> Tensor:
    check_tensors(name, tensors)
    if not tensors:
        raise _nothing(name)
    grown = at_least(list(tensors))
    return cat(grown, 0 if len(grown[0]._array.shape) == 1 else dim, out=out)


def column_stack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Return *tensors* side by side; a vector is a column.

    >>> import chainrule as cr
    >>> cr.column_stack([cr.tensor([1, 2]), cr.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    check_tensors("column_stack", tensors)
    if not tensors:
        raise _nothing("column_stack")
    columns = [x if len(x._array.shape) > 1 else reshape(x, -1, 1) for x in tensors]
    return cat(columns, 1, out=out)


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Return the coordinates of a grid spanned by vectors: one tensor each, views.

    Args:
        tensors: Vectors or 0-d tensors of one dtype.
        indexing: ``"ij"`` (also if None): the first vector runs along the rows; ``"xy"``: along
            the columns.

    Raises:
        RuntimeError: *indexing* is neither, or a tensor has more dimensions.

    Gradient:
        ``grad``, summed over the other dimensions.

    Differs from PyTorch:
        No warning if *indexing* is left out; ``"ij"`` it stays.

    >>> import chainrule as cr
    >>> x, y = cr.meshgrid(cr.tensor([1, 2]), cr.tensor([3, 4, 5]), indexing="ij")
    >>> x
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    _check_grid(tensors, indexing)
    swapped = indexing == "xy" and len(tensors) > 1
    vectors = (tensors[1], tensors[0], *tensors[2:]) if swapped else tensors
    sizes = [x._array.shape[0] if x._array.shape else 1 for x in vectors]
    grids = []
    for dim, x in enumerate(vectors):
        line = view(x, [sizes[dim] if d == dim else 1 for d in range(len(sizes))])
        grids.append(expand(line, sizes))
    return (grids[1], grids[0], *grids[2:]) if swapped else tuple(grids)


def _check_grid(tensors: tuple[Any, ...], indexing: str | None) -> None:
    check_tensors("meshgrid", tensors)
    if not tensors:
        raise _nothing("meshgrid")
    for x in tensors:
        if len(x._array.shape) > 1:
            msg = f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {x}"
            raise ShapeError(msg)
        if x._key.dtype is not tensors[0]._key.dtype:
            msg = "meshgrid expects all tensors to have the same dtype"
            raise ShapeError(msg)
    if indexing not in {None, "ij", "xy"}:
        msg = f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        raise ShapeError(msg)


def cartesian_prod(*tensors: Any) -> Tensor:
    """Return every combination of one element of each vector, one per row.

    >>> import chainrule as cr
    >>> cr.cartesian_prod(cr.tensor([1, 2]), cr.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    check_tensors("cartesian_prod", tensors)
    for x in tensors:
        if len(x._array.shape) != 1:
            msg = f"Expect a 1D vector, but got shape {list(x._array.shape)}"
            raise ShapeError(msg)
    if len(tensors) == 1:
        return tensors[0]  # type: ignore[no-any-return]  # a Tensor
    return stack([reshape(grid, -1) for grid in meshgrid(*tensors)], 1)


@primitive(nodes={"": "BlockDiagBackward0"})
def _block_diag(tensors: Sequence[Tensor], dtype: DType) -> Tensor:
    """Return a matrix with *tensors* along its diagonal."""


_block_diag.vjp(tensors=lambda grad, tensors_shape: _block_diag_backward(grad, tensors_shape))


def _block_diag_backward(grad: Tensor, shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
    blocks, row, column = [], 0, 0
    for shape in shapes:
        height, width = ((1,) * (2 - len(shape)) + tuple(shape))[-2:]
        block = _slice(_slice(grad, 0, row, row + height, 1), 1, column, column + width, 1)
        blocks.append(reshape(block, shape))
        row, column = row + height, column + width
    return blocks


def block_diag(*tensors: Any) -> Tensor:
    """Return a matrix with *tensors* as blocks along its diagonal and zeros elsewhere.

    Args:
        tensors: Matrices; a vector is a row.

    Raises:
        RuntimeError: one has more than two dimensions.

    Gradient:
        The blocks of ``grad``.

    >>> import chainrule as cr
    >>> cr.block_diag(cr.tensor([[1, 2]]), cr.tensor(3))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    check_tensors("block_diag", tensors)
    if not tensors:
        return zeros(1, 0)
    for number, x in enumerate(tensors):
        if len(x._array.shape) > 2:
            msg = (
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. "
                f"Input {number} has {len(x._array.shape)} dimensions"
            )
            raise ShapeError(msg)
    return _block_diag(tensors, _common_dtype(tensors))
