"""Elements chosen by a mask: read out in order, or replaced in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import DTypeError, ShapeError
from ..op import primitive
from ..shapes import broadcast_shapes
from ._arguments import check_tensor, in_place_form, zeros_shaped
from ._operands import into
from .broadcasting import expand
from .selection import masked_fill

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["masked_scatter", "masked_select"]


@primitive(dtype="same", nodes={"": "MaskedSelectBackward0"}, saves=("self",))
def _masked_select(self: Tensor, mask: Tensor) -> Tensor:
    """Return the elements of *self* where *mask* is true, both broadcast."""


@primitive(dtype="same")
def masked_select_backward(grad: Tensor, input_sizes: tuple[int, ...], mask: Tensor) -> Tensor:
    """Return *grad* where *mask*, broadcast with *input_sizes*, is true, and zeros elsewhere."""


_masked_select.vjp(
    self=lambda grad, self_shape, mask: masked_select_backward(grad, self_shape, mask), mask=None
)
masked_select_backward.vjp(grad=lambda grad, mask: _masked_select(grad, mask), mask=None)


def masked_select(input: Tensor, mask: Tensor, *, out: Any = None) -> Tensor:
    """Return the elements of *input* where *mask* is true, in one dimension.

    Args:
        input: ``(*)``.
        mask: bool, broadcasts with *input*.
        out: Where to write the result.

    Returns:
        ``(K)`` for K true elements.

    Raises:
        RuntimeError: the shapes do not broadcast, or *mask* is not bool.

    Gradient:
        ``grad`` where the elements came from, zero elsewhere.

    >>> import chainrule as cr
    >>> x = cr.tensor([[1, 2], [3, 4]])
    >>> cr.masked_select(x, x > 2)
    tensor([3, 4])
    """
    check_tensor("masked_select", input)
    check_tensor("masked_select", mask, "mask", 2)
    if mask._key.dtype is not dtypes.bool_:
        msg = "masked_select: expected BoolTensor for mask"
        raise DTypeError(msg)
    broadcast_shapes(mask._array.shape, input._array.shape)
    return into(out, _masked_select, input, mask)  # type: ignore[no-any-return]  # an op's result


@primitive(dtype="same", nodes={"": "MaskedScatterBackward0"})
def _masked_scatter(self: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Return *self* with its elements under *mask* replaced, in order, by those of *source*."""


@primitive(dtype="same")
def masked_scatter_backward(grad_output: Tensor, mask: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Return the elements of *grad_output* under *mask*, in order, then zeros, as *sizes*."""


_masked_scatter.vjp(
    self=lambda grad, mask: masked_fill(grad, mask, 0),
    mask=None,
    source=lambda grad, mask, source_shape: masked_scatter_backward(grad, mask, source_shape),
)
masked_scatter_backward.vjp(
    grad_output=lambda grad, grad_output_shape, mask: _masked_scatter(
        zeros_shaped(grad, grad_output_shape), mask, grad
    ),
    mask=None,
)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Return *input* with its elements under *mask* replaced, in order, by those of *source*.

    Args:
        input: ``(*)``.
        mask: bool, broadcasts with *input*.
        source: Any shape, of the dtype of *input*, with an element for every true one at least.

    Raises:
        RuntimeError: the dtypes differ, *mask* is not bool, or *source* is too short.

    Gradient:
        For *input* ``grad`` with zeros where *mask* is true, for *source* ``grad`` there.

    >>> import chainrule as cr
    >>> x = cr.zeros(2, 2)
    >>> x.masked_scatter(cr.tensor([True, False]), cr.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [2., 0.]])
    """
    check_tensor("masked_scatter", input)
    check_tensor("masked_scatter", mask, "mask", 2)
    check_tensor("masked_scatter", source, "source", 3)
    if mask._key.dtype is not dtypes.bool_:
        msg = (
            "masked_scatter_ only supports boolean masks, but got mask with dtype "
            f"{mask._key.dtype.scalar_name}"
        )
        raise DTypeError(msg)
    if input._key.dtype is not source._key.dtype:
        msg = (
            "masked_scatter: expected self and source to have same dtypes but got"
            f"{input._key.dtype.scalar_name} and {source._key.dtype.scalar_name}"
        )
        raise DTypeError(msg)
    shape = broadcast_shapes(mask._array.shape, input._array.shape)
    if tuple(input._array.shape) != shape:
        input = expand(input, shape)
    if tuple(mask._array.shape) != shape:
        mask = expand(mask, shape)
    try:
        return _masked_scatter(input, mask, source)
    except ValueError:
        msg = "Number of elements of source < number of ones in mask"
        raise ShapeError(msg) from None


masked_scatter_ = in_place_form(masked_scatter)
