"""Square brackets: ``x[i, 1:, mask]``.

What stands in the brackets is taken apart once (`parse`). Integers, slices, None and Ellipsis give
views, one node each, as in PyTorch; what remains, tensors of places and masks, is one advanced
index on top of them and copies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dtypes import int64
from ..errors import DimError, DTypeError
from ..op import primitive
from ..value import Value
from ._arguments import check_tensor, is_recorded
from ._operands import into
from .brackets import (
    WHOLE,
    Parsed,
    bound,
    check_masks,
    check_place,
    check_step,
    explain,
    items_of,
    parse,
    placed,
)
from .shape import _unsqueeze, reshape
from .slicing import OPEN_END, _select, _slice
from .splitting import unbind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["_index", "argwhere", "nonzero"]


@primitive(view=True, nodes={"": "AliasBackward0"})
def _alias(self: Tensor) -> Tensor:
    """Return *self* as another tensor over the same memory."""


_alias.vjp(self=lambda grad: grad)


@primitive(view=True, nodes={"": "AsStridedBackward0"})
def _basic_index(self: Tensor, index: tuple[Any, ...]) -> Tensor:
    """Return all of a basic index at once, for when nothing is recorded.

    It has a rule all the same: should the memory get a history later, the view is made again.
    """


@primitive(dtype="same")
def basic_index_backward(
    grad: Tensor, input_sizes: tuple[int, ...], index: tuple[Any, ...]
) -> Tensor:
    """Return zeros of shape *input_sizes* with *grad* at a basic index."""


_basic_index.vjp(self=lambda grad, self_shape, index: basic_index_backward(grad, self_shape, index))
basic_index_backward.vjp(grad=lambda grad, index: _basic_index(grad, index))


@primitive(dtype="same", nodes={"": "IndexBackward0"})
def _index(self: Tensor, indices: Sequence[Tensor | None]) -> Tensor:
    """Return *self* at places given by tensors, one per dimension; None takes all of one."""


@primitive(dtype="same")
def index_backward(
    grad: Tensor, indices: Sequence[Tensor | None], input_sizes: tuple[int, ...]
) -> Tensor:
    """Return zeros of shape *input_sizes* with *grad* added at *indices*."""


_index.vjp(
    self=lambda grad, self_shape, indices: index_backward(grad, indices, self_shape), indices=None
)
index_backward.vjp(grad=lambda grad, indices: _index(grad, indices), indices=None)


# Reading


def getitem(self: Tensor, index: Any) -> Tensor:
    """Return ``self[index]``: a view for integers, slices, None and Ellipsis, else a copy.

    Args:
        self: ``(*)``.
        index: One item or a tuple of integers, slices with a positive step, None, Ellipsis, bools,
            masks, tensors, lists or arrays of places. An integer or a 0-d integer tensor takes one
            place and drops the dimension. Several tensors are broadcast together; where something
            stands between them, their dimensions come first in the result.

    Raises:
        IndexError: an index is out of range, or of a wrong kind, or there are too many.
        ValueError: a slice does not step forward.
        RuntimeError: a tensor of places is neither on the device of *self* nor on the CPU.

    Gradient:
        ``grad`` where the elements came from, added up where one was taken more than once.

    Differs from PyTorch:
        A list or array of floats is refused; PyTorch cuts off the fractions.

    >>> import chainrule as cr
    >>> x = cr.arange(6).view(2, 3)
    >>> x[1], x[:, -1], x[x > 3]
    (tensor([3, 4, 5]), tensor([2, 5]), tensor([4, 5]))
    >>> x[[1, 0], [0, 2]]
    tensor([3, 2])
    """
    kind = type(index)
    if kind is int:
        shape = self._array.shape
        if not shape:
            raise no_dimensions()
        check_place(index, shape[0], 0)
        return _select.fast(self, 0, index)  # type: ignore[no-any-return]  # an op's result
    if kind is tuple and _is_plain(index) and not is_recorded(self):
        try:
            return _basic_index.fast(self, index)  # type: ignore[no-any-return]  # an op's result
        except IndexError:
            pass  # explained below
    elif kind is slice:
        return _sliced(self, 0, index, alone=True)
    elif isinstance(index, Value) and _names_rows(index) and self._array.shape:
        return _advanced(self, [index])
    return _apply(self, parse(self, items_of(index)), alone=kind is not tuple)


def no_dimensions() -> DimError:
    """Return the error for a number as the index of a tensor without dimensions."""
    msg = (
        "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in "
        "C++ to convert a 0-dim tensor to a number"
    )
    return DimError(msg)


def _names_rows(index: Value) -> bool:
    """Return whether a tensor alone in the brackets is the plain case: places along dimension 0."""
    return bool(index._array.shape) and index._key.dtype is int64


def _is_plain(items: tuple[Any, ...]) -> bool:
    """Return whether an index is only integers, forward slices and None: one kernel does it."""
    for item in items:
        kind = type(item)
        if kind is slice:
            if item.step is not None and not (type(item.step) is int and item.step > 0):
                return False
        elif kind is not int and item is not None:
            return False
    return bool(items)


def _sliced(input: Tensor, dim: int, item: slice, *, alone: bool = False) -> Tensor:
    """Return a slice of one dimension; a slice that takes all of it only if it stands *alone*."""
    shape = input._array.shape
    if not shape:
        msg = "slice() cannot be applied to a 0-dim tensor."
        raise DimError(msg)
    check_step(item.step)
    start = 0 if item.start is None else bound(item.start)
    stop = OPEN_END if item.stop is None else bound(item.stop)
    step = 1 if item.step is None else bound(item.step)
    if not alone and start == 0 and step == 1 and stop >= shape[dim]:
        return input
    return _slice(input, dim, start, stop, step)


def _apply(input: Tensor, parsed: Parsed, *, alone: bool = False) -> Tensor:
    """Return *input* at an index that was taken apart."""
    result = basic_part(input, parsed.basic)
    if parsed.indices:
        return _advanced(result, parsed.indices)
    return _alias.fast(input) if result is input else result


def basic_part(input: Tensor, entries: list[Any]) -> Tensor:
    """Return the basic part of an index, view by view; *input* itself if it takes all."""
    if any(e is not WHOLE for e in entries) and not is_recorded(input):
        return _basic_index.fast(input, tuple(entries))  # type: ignore[no-any-return]  # an op's result
    result, dim = input, 0
    for entry in entries:
        if entry is None:
            result = _unsqueeze.fast(result, dim)
        elif isinstance(entry, int):
            result = _select.fast(result, dim, entry)
            dim -= 1
        elif entry is not WHOLE:
            result = _sliced(result, dim, entry)
        dim += 1
    return result


def _advanced(input: Tensor, indices: list[Any]) -> Tensor:
    while indices and indices[-1] is None:
        indices = indices[:-1]
    indices = placed(input, indices)
    check_masks(input._array.shape, indices)
    try:
        return _index(input, tuple(indices))
    except (IndexError, ValueError):
        explain(input._array.shape, indices)
        raise


# Places


@primitive(dtype="int64")
def _nonzero(self: Tensor) -> Tensor:
    """Return the places of the elements that are not zero, one per row."""


_nonzero.vjp(self=None)


def nonzero(input: Tensor, *, as_tuple: bool = False, out: Tensor | None = None) -> Any:
    """Return where *input* is not zero.

    Args:
        input: ``(*)`` with D dimensions.
        as_tuple: Return one vector per dimension, ready to index with.
        out: Where to write the result, if not *as_tuple*.

    Returns:
        ``(K, D)``, int64: a row per element that is not zero, in order. Or D vectors of K.

    Raises:
        RuntimeError: *out* is of another dtype than int64.

    >>> import chainrule as cr
    >>> cr.nonzero(cr.tensor([[0, 1], [2, 0]]))
    tensor([[0, 1],
            [1, 0]])
    >>> cr.tensor([0, 3]).nonzero(as_tuple=True)
    (tensor([1]),)
    """
    check_tensor("nonzero", input)
    if as_tuple:
        return unbind(_nonzero(input if input._array.shape else reshape(input, 1)), 1)
    if out is not None and isinstance(out, Value) and out._key.dtype is not int64:
        found = out._key.dtype.scalar_name
        msg = f"nonzero: Expected out tensor to have scalar type Long but got scalar type{found}"
        raise DTypeError(msg)
    return into(out, _nonzero, input)


def argwhere(input: Tensor) -> Tensor:
    """Return ``nonzero(input)``."""
    return nonzero(input)  # type: ignore[no-any-return]  # an op's result
