"""Parts of a tensor that lie in regular steps: one place, a range, windows; all views.

The gradient of such a part is zeros of the old shape with ``grad`` put in the part's place. Each
has an op for that, ``<op>_backward``, whose own gradient is the part again.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..errors import DimError, ShapeError
from ..naming import numpy_names
from ..op import primitive
from ..shapes import wrap_dim
from ..value import Value
from ._arguments import check_tensor, zeros_shaped
from ._operands import into

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["narrow", "select", "select_scatter", "slice_scatter"]

#: Where a slice without an end stops, as PyTorch records it.
OPEN_END = sys.maxsize


@primitive(view=True, nodes={"": "SelectBackward0"})
def _select(self: Tensor, dim: int, index: int) -> Tensor:
    """Return *self* at one place of *dim*, which disappears."""


@primitive(dtype="same")
def select_backward(grad: Tensor, input_sizes: tuple[int, ...], dim: int, index: int) -> Tensor:
    """Return zeros of shape *input_sizes* with *grad* at *index* of *dim*."""


_select.vjp(self=lambda grad, self_shape, dim, index: select_backward(grad, self_shape, dim, index))
select_backward.vjp(grad=lambda grad, dim, index: _select(grad, dim, index))


@numpy_names
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Return *input* at place *index* of *dim*, which disappears; a view.

    Args:
        input: ``(*, N, *)``.
        dim: The dimension of size N.
        index: From -N to N - 1.

    Raises:
        IndexError: *dim* or *index* is out of range.

    Gradient:
        ``grad`` at that place, zero elsewhere.

    >>> import chainrule as cr
    >>> cr.arange(6).view(2, 3).select(1, -1)
    tensor([2, 5])
    """
    check_tensor("select", input)
    shape = input._array.shape
    if not shape:
        msg = "select() cannot be applied to a 0-dim tensor."
        raise DimError(msg)
    size = shape[wrap_dim(dim, len(shape))]
    if not -size <= index < size:
        msg = (
            f"select(): index {index} out of range for tensor of size {list(shape)} at "
            f"dimension {dim}"
        )
        raise DimError(msg)
    return _select.fast(input, dim, index)  # type: ignore[no-any-return]  # an op's result


@primitive(view=True, nodes={"": "SliceBackward0"})
def _slice(self: Tensor, dim: int, start: int, end: int, step: int) -> Tensor:
    """Return every *step*-th place of *dim* from *start* to before *end*, as Python slices."""


@primitive(dtype="same")
def slice_backward(
    grad: Tensor, input_sizes: tuple[int, ...], dim: int, start: int, end: int, step: int
) -> Tensor:
    """Return zeros of shape *input_sizes* with *grad* in a slice."""


_slice.vjp(
    self=lambda grad, self_shape, dim, start, end, step: slice_backward(
        grad, self_shape, dim, start, end, step
    )
)
slice_backward.vjp(grad=lambda grad, dim, start, end, step: _slice(grad, dim, start, end, step))


@numpy_names
def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """Return *length* places of *dim* from *start* on; a view.

    Args:
        input: ``(*, N, *)``.
        dim: The dimension of size N.
        start: From -N to N, a number or a 0-d integer tensor.
        length: How many; ``start + length`` is at most N.

    Raises:
        IndexError: *dim* or *start* is out of range.
        RuntimeError: *length* is negative or reaches too far.

    Gradient:
        ``grad`` at these places, zero elsewhere.

    >>> import chainrule as cr
    >>> cr.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    check_tensor("narrow", input)
    shape = input._array.shape
    if not shape:
        msg = "narrow() cannot be applied to a 0-dim tensor."
        raise ShapeError(msg)
    if length < 0:
        msg = "narrow(): length must be non-negative."
        raise ShapeError(msg)
    size, first = shape[wrap_dim(dim, len(shape))], _as_start(start)
    if not -size <= first <= size:
        msg = f"start out of range (expected to be in range of [{-size}, {size}], but got {first})"
        raise DimError(msg)
    first += size if first < 0 else 0
    if first + length > size:
        msg = f"start ({first}) + length ({length}) exceeds dimension size ({size})."
        raise ShapeError(msg)
    return _slice.fast(input, dim, first, first + length, 1)  # type: ignore[no-any-return]  # an op's result


def _as_start(start: Any) -> int:
    if isinstance(start, Value):
        if start._array.shape or start._key.floating:
            msg = "start must be an 0-dim integral Tensor."
            raise ShapeError(msg)
        return int(start._key.backend.tolist(start._array))
    return int(start)


# Windows


@primitive(view=True, nodes={"": "UnfoldBackward0"})
def _unfold(self: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Return windows of *dimension*, each in a new last dimension."""


@primitive(dtype="same")
def unfold_backward(
    grad_in: Tensor, input_sizes: tuple[int, ...], dim: int, size: int, step: int
) -> Tensor:
    """Return zeros of shape *input_sizes* with windows added where they came from."""


_unfold.vjp(
    self=lambda grad, self_shape, dimension, size, step: unfold_backward(
        grad, self_shape, dimension, size, step
    )
)
unfold_backward.vjp(grad_in=lambda grad, dim, size, step: _unfold(grad, dim, size, step))


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Return all windows of *size* places of *dimension*, in a new last dimension; a view.

    Args:
        input: ``(*, N, *)``.
        dimension: The dimension of size N.
        size: Of a window.
        step: From one window to the next.

    Returns:
        ``(*, (N - size) // step + 1, *, size)``.

    Raises:
        RuntimeError: *size* is negative or above N, or *step* is not positive.

    Gradient:
        At each place the sum of ``grad`` over the windows that hold it.

    >>> import chainrule as cr
    >>> cr.arange(4).unfold(0, 2, 1)
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    check_tensor("unfold", input)
    shape = input._array.shape
    place = wrap_dim(dimension, len(shape))
    bound = shape[place] if shape else 1
    if size < 0:
        msg = f"size is {size} but must be >= 0"
        raise ShapeError(msg)
    if size > bound:
        msg = f"maximum size for tensor at dimension {place} is {bound} but size is {size}"
        raise ShapeError(msg)
    if step <= 0:
        msg = f"step is {step} but must be > 0"
        raise ShapeError(msg)
    return _unfold(input, dimension, size, step)


# Parts put in place


@primitive(dtype="same", nodes={"": "SelectScatterBackward0"})
def _select_scatter(self: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """Return a copy of *self* with *src* at one place of *dim*."""


_select_scatter.vjp(
    self=lambda grad, src_shape, dim, index: _select_scatter(
        grad, zeros_shaped(grad, src_shape), dim, index
    ),
    src=lambda grad, dim, index: _select(grad, dim, index),
)


@numpy_names
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """Return a copy of *input* with *src* at place *index* of *dim*.

    Raises:
        IndexError: *dim* or *index* is out of range.
        RuntimeError: *src* has not the shape of that part.

    Gradient:
        For *input* ``grad`` with zeros there, for *src* the part of ``grad``.

    >>> import chainrule as cr
    >>> cr.select_scatter(cr.zeros(2, 2), cr.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    check_part(src, select(input, dim, index))
    return _select_scatter(input, src, dim, index)


@primitive(dtype="same", nodes={"": "SliceScatterBackward0"})
def _slice_scatter(
    self: Tensor, src: Tensor, dim: int, start: int | None, end: int | None, step: int
) -> Tensor:
    """Return a copy of *self* with *src* in a slice."""


_slice_scatter.vjp(
    self=lambda grad, src_shape, dim, start, end, step: _slice_scatter(
        grad, zeros_shaped(grad, src_shape), dim, start, end, step
    ),
    src=lambda grad, dim, start, end, step: _slice(
        grad, dim, 0 if start is None else start, OPEN_END if end is None else end, step
    ),
)


@numpy_names
def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
    *,
    out: Any = None,
) -> Tensor:
    """Return a copy of *input* with *src* in the slice ``start:end:step`` of *dim*.

    Raises:
        IndexError: *dim* is out of range.
        RuntimeError: *src* has not the shape of that slice.

    Gradient:
        For *input* ``grad`` with zeros there, for *src* the part of ``grad``.

    >>> import chainrule as cr
    >>> cr.slice_scatter(cr.zeros(4), cr.ones(2), 0, step=2)
    tensor([1., 0., 1., 0.])
    """
    check_tensor("slice_scatter", input)
    wrap_dim(dim, len(input._array.shape))
    first, last = 0 if start is None else start, OPEN_END if end is None else end
    check_part(src, _slice(input, dim, first, last, step))
    return into(out, _slice_scatter, input, src, dim, start, end, step)  # type: ignore[no-any-return]  # an op's result


def check_part(src: Tensor, part: Tensor) -> None:
    """Check that *src* has the shape of the part it is to replace."""
    ours, wanted = list(src._array.shape), list(part._array.shape)
    if ours != wanted:
        msg = (
            "expected src to have a size equal to the slice of self. "
            f"src size = {ours}, slice size = {wanted}"
        )
        raise ShapeError(msg)
