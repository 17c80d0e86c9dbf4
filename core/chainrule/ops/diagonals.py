"""Diagonals and triangles of matrices."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import KernelNotFoundError, ShapeError
from ..op import primitive
from ..shapes import wrap_dim
from ._arguments import check_tensor, in_place_form, zeros_shaped
from ._operands import into
from .creation import finish, key_for
from .shape import reshape
from .slicing import check_part

if TYPE_CHECKING:
    from ..device import Device
    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = [
    "diag", "diag_embed", "diagflat", "diagonal", "diagonal_scatter", "tril", "tril_indices",
    "triu", "triu_indices",
]  # fmt: skip


@primitive(view=True, nodes={"": "DiagonalBackward0"})
def _diagonal(self: Tensor, offset: int, dim1: int, dim2: int) -> Tensor:
    """Return a diagonal of two dimensions as a new last one."""


@primitive(dtype="same")
def diagonal_backward(
    grad: Tensor, input_sizes: tuple[int, ...], offset: int, dim1: int, dim2: int
) -> Tensor:
    """Return zeros of shape *input_sizes* with *grad* on a diagonal."""


_diagonal.vjp(
    self=lambda grad, self_shape, offset, dim1, dim2: diagonal_backward(
        grad, self_shape, offset, dim1, dim2
    )
)
diagonal_backward.vjp(grad=lambda grad, offset, dim1, dim2: _diagonal(grad, offset, dim1, dim2))


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return a diagonal of the matrices in dimensions *dim1* and *dim2* as a new last one; a view.

    Args:
        input: ``(*)`` with at least two dimensions.
        offset: 0 for the main diagonal, above it if positive, below if negative.
        dim1: The dimension of the rows.
        dim2: That of the columns.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: the two are one.

    Gradient:
        ``grad`` on the diagonal, zero elsewhere.

    >>> import chainrule as cr
    >>> cr.arange(6).view(2, 3).diagonal(1)
    tensor([1, 5])
    """
    check_tensor("diagonal", input)
    _check_plane(len(input._array.shape), dim1, dim2)
    return _diagonal(input, offset, dim1, dim2)


def _check_plane(ndim: int, dim1: int, dim2: int) -> None:
    if wrap_dim(dim1, ndim) == wrap_dim(dim2, ndim):
        msg = f"diagonal dimensions cannot be identical {dim1}, {dim2}"
        raise ShapeError(msg)


@primitive(dtype="same", nodes={"": "DiagonalBackward0_copy"})
def _diagonal_copy(self: Tensor, offset: int, dim1: int, dim2: int) -> Tensor:
    """Return a diagonal as a tensor of its own."""


_diagonal_copy.vjp(
    self=lambda grad, self_shape, offset, dim1, dim2: diagonal_backward(
        grad, self_shape, offset, dim1, dim2
    )
)


@primitive(dtype="same", nodes={"": "DiagEmbedBackward0"})
def _diag_embed(self: Tensor, offset: int, dim1: int, dim2: int) -> Tensor:
    """Return matrices with the last dimension of *self* on a diagonal."""


_diag_embed.vjp(self=lambda grad, offset, dim1, dim2: _diagonal(grad, offset, dim1, dim2))


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return square matrices with the last dimension of *input* on a diagonal, zero elsewhere.

    Args:
        input: ``(*, N)``.
        offset: Which diagonal; the matrices are of size N + abs(offset).
        dim1: The dimension of the rows in the result.
        dim2: That of the columns.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: the two are one.

    Gradient:
        That diagonal of ``grad``.

    >>> import chainrule as cr
    >>> cr.diag_embed(cr.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    check_tensor("diag_embed", input)
    _check_plane(len(input._array.shape) + 1, dim1, dim2)
    return _diag_embed(input, offset, dim1, dim2)


def diag(input: Tensor, diagonal: int = 0, *, out: Any = None) -> Tensor:
    """Return the matrix with the vector *input* on a diagonal, or a diagonal of the matrix *input*.

    Args:
        input: ``(N)`` or ``(M, N)``.
        diagonal: Which one.
        out: Where to write the result.

    Returns:
        A new tensor, in both cases.

    Raises:
        RuntimeError: *input* is neither a vector nor a matrix.

    >>> import chainrule as cr
    >>> cr.diag(cr.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    check_tensor("diag", input)
    ndim = len(input._array.shape)
    if ndim == 1:
        return into(out, _diag_embed, input, diagonal, -2, -1)  # type: ignore[no-any-return]  # an op's result
    if ndim == 2:
        return into(out, _diagonal_copy, input, diagonal, 0, 1)  # type: ignore[no-any-return]  # an op's result
    msg = f"diag(): Supports 1D or 2D tensors. Got {ndim}D"
    raise ShapeError(msg)


def fill_diagonal_(self: Any, fill_value: Any, wrap: bool = False) -> Any:
    """Return this tensor after writing *fill_value* on its main diagonal.

    Args:
        self: ``(M, N)``, or more dimensions of one size.
        fill_value: A number.
        wrap: Begin again below, one row further down, where a tall matrix goes on.

    Raises:
        RuntimeError: there are fewer than two dimensions, or more of different sizes.

    Gradient:
        Zero on the diagonal.

    >>> import chainrule as cr
    >>> cr.zeros(2, 2).fill_diagonal_(5)
    tensor([[5., 0.],
            [0., 5.]])
    """
    check_tensor("fill_diagonal_", self)
    shape = tuple(self._array.shape)
    if len(shape) < 2:
        msg = "dimensions must larger than 1"
        raise ShapeError(msg)
    if len(shape) > 2:
        if len(set(shape)) > 1:
            msg = "all dimensions of input must be of equal length"
            raise ShapeError(msg)
        strides = self._key.backend.strides(self._array)
        self.as_strided(shape[:1], (builtins.sum(strides),)).fill_(fill_value)
        return self
    rows, columns = shape
    starts = range(0, rows, columns + 1) if wrap else (0,)
    for start in starts:
        self[start : start + columns].diagonal().fill_(fill_value)
    return self


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Return the matrix with all elements of *input* on a diagonal.

    >>> import chainrule as cr
    >>> cr.diagflat(cr.tensor([[1], [2]]))
    tensor([[1, 0],
            [0, 2]])
    """
    check_tensor("diagflat", input)
    return _diag_embed(reshape(input, -1), offset, -2, -1)


@primitive(dtype="same", nodes={"": "DiagonalScatterBackward0"})
def _diagonal_scatter(self: Tensor, src: Tensor, offset: int, dim1: int, dim2: int) -> Tensor:
    """Return a copy of *self* with *src* on a diagonal."""


_diagonal_scatter.vjp(
    self=lambda grad, src_shape, offset, dim1, dim2: _diagonal_scatter(
        grad, zeros_shaped(grad, src_shape), offset, dim1, dim2
    ),
    src=lambda grad, offset, dim1, dim2: _diagonal(grad, offset, dim1, dim2),
)


def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """Return a copy of *input* with *src* on a diagonal.

    Raises:
        RuntimeError: *src* has not the shape of that diagonal.

    Gradient:
        For *input* ``grad`` with zeros there, for *src* the diagonal of ``grad``.

    >>> import chainrule as cr
    >>> cr.diagonal_scatter(cr.zeros(2, 2), cr.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_tensor("diagonal_scatter", src, "src", 2)
    check_part(src, diagonal(input, offset, dim1, dim2))
    return _diagonal_scatter(input, src, offset, dim1, dim2)


@primitive(dtype="same", nodes={"": "TriuBackward0"})
def _triu(self: Tensor, diagonal: int) -> Tensor:
    """Return *self* with zeros below a diagonal."""


@primitive(dtype="same", nodes={"": "TrilBackward0"})
def _tril(self: Tensor, diagonal: int) -> Tensor:
    """Return *self* with zeros above a diagonal."""


_triu.vjp(self=lambda grad, diagonal: _triu(grad, diagonal))
_tril.vjp(self=lambda grad, diagonal: _tril(grad, diagonal))


def triu(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Return the upper triangle of each matrix, with zeros below *diagonal*.

    Args:
        input: ``(*, M, N)``.
        diagonal: The lowest one that stays.
        out: Where to write the result.

    Raises:
        RuntimeError: there are fewer than two dimensions.

    Gradient:
        The upper triangle of ``grad``.

    >>> import chainrule as cr
    >>> cr.ones(2, 2).triu()
    tensor([[1., 1.],
            [0., 1.]])
    """
    _check_matrix("triu", input)
    return into(out, _triu, input, diagonal)  # type: ignore[no-any-return]  # an op's result


def tril(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Return the lower triangle of each matrix, with zeros above *diagonal*.

    Args:
        input: ``(*, M, N)``.
        diagonal: The highest one that stays.
        out: Where to write the result.

    Raises:
        RuntimeError: there are fewer than two dimensions.

    Gradient:
        The lower triangle of ``grad``.

    >>> import chainrule as cr
    >>> cr.ones(2, 2).tril(-1)
    tensor([[0., 0.],
            [1., 0.]])
    """
    _check_matrix("tril", input)
    return into(out, _tril, input, diagonal)  # type: ignore[no-any-return]  # an op's result


def _check_matrix(name: str, input: Tensor) -> None:
    check_tensor(name, input)
    if len(input._array.shape) < 2:
        msg = f"{name}: input tensor must have at least 2 dimensions"
        raise ShapeError(msg)


triu_ = in_place_form(triu)
tril_ = in_place_form(tril)


@primitive
def _triangle_indices(self: Tensor, offset: int, upper: bool) -> Tensor:
    """Return row and column numbers of a triangle of the matrix *self*, row by row."""


_triangle_indices.vjp(self=None)


def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the row and column numbers of the lower triangle of a matrix, row by row.

    Args:
        row: The number of rows.
        col: The number of columns.
        offset: The highest diagonal that belongs to it.
        dtype: int64 if None, or int32.
        layout: Taken and ignored, as are *pin_memory* and *requires_grad*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: See *layout*.

    Returns:
        ``(2, N)``.

    Raises:
        RuntimeError: a size is negative.

    >>> import chainrule as cr
    >>> cr.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _triangle("tril_indices", row, col, offset, dtype, device)


def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return the row and column numbers of the upper triangle of a matrix, row by row.

    Args:
        row: The number of rows.
        col: The number of columns.
        offset: The lowest diagonal that belongs to it.
        dtype: int64 if None, or int32.
        layout: Taken and ignored, as are *pin_memory* and *requires_grad*.
        device: Where.
        pin_memory: See *layout*.
        requires_grad: See *layout*.

    Returns:
        ``(2, N)``.

    Raises:
        RuntimeError: a size is negative.

    >>> import chainrule as cr
    >>> cr.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return _triangle("triu_indices", row, col, offset, dtype, device)


def _triangle(
    name: str, row: int, col: int, offset: int, dtype: DType | None, device: Device | str | None
) -> Tensor:
    for which, size in (("row", row), ("col", col)):
        if size < 0:
            msg = f"{which} must be non-negative, got{size}"
            raise ShapeError(msg)
    key = key_for(dtype or dtypes.int64, device)
    if key.category != dtypes.INTEGER:
        msg = f"\"{name}\" not implemented for '{key.dtype.scalar_name}'"
        raise KernelNotFoundError(msg)
    whole = finish(key.backend.full((row, col), 0, key.dtype, key.device), key)
    return _triangle_indices(whole, offset, name == "triu_indices")
