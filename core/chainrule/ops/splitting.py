"""Splitting a tensor into parts: all parts are views, and come from one node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, DimError, ShapeError
from ..naming import numpy_names
from ..op import composite, primitive
from ..shapes import wrap_dim
from ..value import Value
from . import joining
from ._arguments import check_tensor, integers
from .slicing import _slice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = [
    "chunk", "dsplit", "hsplit", "split", "split_with_sizes", "tensor_split", "unbind",
    "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "vsplit",
]  # fmt: skip


@primitive(view=True, nodes={"": "SplitBackward0"}, saves=("split_size",))
def _split(self: Tensor, split_size: int, dim: int) -> tuple[Tensor, ...]:
    """Return parts of *split_size* along *dim*; the last may be smaller."""


@primitive(view=True, nodes={"": "SplitWithSizesBackward0"}, saves=("split_sizes",))
def _split_with_sizes(self: Tensor, split_sizes: tuple[int, ...], dim: int) -> tuple[Tensor, ...]:
    """Return parts of the given sizes along *dim*."""


@primitive(view=True, nodes={"": "UnbindBackward0"})
def _unbind(self: Tensor, dim: int) -> tuple[Tensor, ...]:
    """Return *self* at every place of *dim*."""


_split.vjp(self=lambda grads, dim: joining.cat(grads, dim))
_split_with_sizes.vjp(self=lambda grads, dim: joining.cat(grads, dim))
_unbind.vjp(self=lambda grads, dim: joining.stack(grads, dim))


@composite(nodes={"": "UnsafeSplitBackward0"}, dtype="same", saves=("split_size",))
def _unsafe_split(self: Tensor, split_size: int, dim: int) -> tuple[Tensor, ...]:
    """Return parts of *split_size* along *dim* which, for all autograd knows, are no views."""
    return split(self, split_size, dim)


@composite(nodes={"": "UnsafeSplitWithSizesBackward0"}, dtype="same", saves=("split_sizes",))
def _unsafe_split_with_sizes(
    self: Tensor, split_sizes: tuple[int, ...], dim: int
) -> tuple[Tensor, ...]:
    """Return parts of the given sizes which, for all autograd knows, are no views."""
    return split_with_sizes(self, split_sizes, dim)


_unsafe_split.vjp(self=lambda grads, dim: joining.cat(grads, dim))
_unsafe_split_with_sizes.vjp(self=lambda grads, dim: joining.cat(grads, dim))


@numpy_names
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Return `split`, but each part may be written to: autograd takes none of them for a view.

    The parts share memory all the same. Write into them only if *input* is not needed any more.

    >>> import chainrule as cr
    >>> cr.arange(3).unsafe_split(2)
    (tensor([0, 1]), tensor([2]))
    """
    check_tensor("unsafe_split", input)
    wrap_dim(dim, len(input._array.shape))
    return _unsafe_split(input, split_size, dim)


@numpy_names
def unsafe_split_with_sizes(
    input: Tensor, split_sizes: Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Return `split_with_sizes`, but each part may be written to: see `unsafe_split`.

    >>> import chainrule as cr
    >>> cr.arange(3).unsafe_split_with_sizes([1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    check_tensor("unsafe_split_with_sizes", input)
    sizes = integers("unsafe_split_with_sizes", "split_sizes", (split_sizes,))
    return _unsafe_split_with_sizes(input, sizes, dim)


@numpy_names
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Return `chunk`, but each part may be written to: see `unsafe_split`.

    >>> import chainrule as cr
    >>> cr.arange(4).unsafe_chunk(2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    check_tensor("unsafe_chunk", input)
    size = input._array.shape[wrap_dim(dim, len(input._array.shape))]
    if size == 0:  # as many parts as are asked for, all of them empty
        return _unsafe_split_with_sizes(input, (0,) * chunks, dim)
    return _unsafe_split(input, -(-size // chunks), dim)


def split(
    tensor: Tensor, split_size_or_sections: Any = None, dim: int = 0, *, split_size: Any = None
) -> tuple[Tensor, ...]:
    """Return parts of *tensor* along *dim*; views.

    Args:
        tensor: ``(*, N, *)``.
        split_size_or_sections: The size of each part, the last may be smaller; or a list of sizes
            that sum to N.
        dim: The dimension of size N.
        split_size: The same, by the method's name.

    Raises:
        RuntimeError: a size is negative, or the sizes do not sum to N.

    Gradient:
        The parts of ``grad`` joined again, with zeros for a part that got none.

    >>> import chainrule as cr
    >>> cr.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> cr.arange(5).split([1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    check_tensor("split", tensor, "tensor")
    wanted = split_size_or_sections if split_size is None else split_size
    if isinstance(wanted, (tuple, list)):
        return split_with_sizes(tensor, wanted, dim)
    if not hasattr(wanted, "__index__"):
        msg = (
            "split_with_sizes(): argument 'split_sizes' (position 2) must be tuple of ints, "
            f"not {type(wanted).__name__}"
        )
        raise ArgumentError(msg)
    shape = tensor._array.shape
    if not shape:
        msg = "split expects at least a 1-dimensional tensor"
        raise ShapeError(msg)
    size, step = shape[wrap_dim(dim, len(shape))], int(wanted)
    if step < 0:
        msg = f"split expects split_size be non-negative, but got split_size={step}"
        raise ShapeError(msg)
    if step == 0 and size:
        msg = f"split_size can only be 0 if dimension size is 0, but got dimension size of {size}"
        raise ShapeError(msg)
    return _split(tensor, step, dim)


@numpy_names
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Return parts of *input* of the given sizes along *dim*; views.

    Raises:
        RuntimeError: a size is negative, or they do not sum to the size of *dim*.

    >>> import chainrule as cr
    >>> cr.arange(3).split_with_sizes([1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    check_tensor("split_with_sizes", input)
    sizes, shape = integers("split_with_sizes", "split_sizes", (split_sizes,)), input._array.shape
    if not shape:
        msg = "split expects at least a 1-dimensional tensor"
        raise ShapeError(msg)
    whole = shape[wrap_dim(dim, len(shape))]
    if any(size < 0 for size in sizes):
        msg = (
            "split_with_sizes expects split_sizes have only non-negative entries, but got "
            f"split_sizes={list(sizes)}"
        )
        raise ShapeError(msg)
    if sum(sizes) != whole:
        msg = (
            f"split_with_sizes expects split_sizes to sum exactly to {whole} (input tensor's size "
            f"at dimension {dim}), but got split_sizes={list(sizes)}"
        )
        raise ShapeError(msg)
    return _split_with_sizes(input, sizes, dim)


@numpy_names
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Return *input* in at most *chunks* parts of equal size along *dim*; views.

    The last may be smaller, and there may be fewer.

    Raises:
        RuntimeError: *chunks* is not positive, or *input* is 0-d.

    >>> import chainrule as cr
    >>> cr.arange(5).chunk(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    check_tensor("chunk", input)
    shape = input._array.shape
    if not shape:
        msg = "chunk expects at least a 1-dimensional tensor"
        raise ShapeError(msg)
    if chunks <= 0:
        msg = f"chunk expects `chunks` to be greater than 0, got: {chunks}"
        raise ShapeError(msg)
    size = shape[wrap_dim(dim, len(shape))]
    if size == 0:
        return _split_with_sizes(input, (0,) * chunks, dim)
    return _split(input, -(-size // chunks), dim)


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Return *input* at every place of *dim*, which disappears; views.

    Raises:
        IndexError: *dim* is out of range.

    Gradient:
        The gradients of the parts side by side.

    >>> import chainrule as cr
    >>> cr.tensor([[1, 2], [3, 4]]).unbind()
    (tensor([1, 2]), tensor([3, 4]))
    """
    check_tensor("unbind", input)
    shape = input._array.shape
    if not shape:
        msg = f"Dimension specified as {dim} but tensor has no dimensions"
        raise DimError(msg)
    wrap_dim(dim, len(shape))
    return _unbind(input, dim)


@numpy_names
def tensor_split(
    input: Tensor,
    indices_or_sections: Any = None,
    dim: int = 0,
    *,
    sections: int | None = None,
    indices: Sequence[int] | None = None,
    tensor_indices_or_sections: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Return parts of *input* along *dim*: so many of nearly equal size, or cut at given places.

    Args:
        input: ``(*, N, *)``.
        indices_or_sections: A number of parts, or places to cut at, as a sequence or an integer
            tensor of at most one dimension.
        dim: The dimension of size N.
        sections: The number, by name.
        indices: The places, by name.
        tensor_indices_or_sections: Either as a tensor, by name.

    Raises:
        RuntimeError: *input* is 0-d, or the number is not positive.

    >>> import chainrule as cr
    >>> cr.arange(5).tensor_split(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    >>> cr.arange(5).tensor_split((1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    check_tensor("tensor_split", input)
    named = (indices, sections, tensor_indices_or_sections, indices_or_sections)
    given = next(g for g in named if g is not None)
    if isinstance(given, Value):
        given = given._key.backend.tolist(given._array)
    ndim = len(input._array.shape)
    if not ndim:
        msg = "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        raise ShapeError(msg)
    size = input._array.shape[wrap_dim(dim, ndim)]
    cuts = _even_cuts(size, given) if isinstance(given, int) else list(given)
    edges = [0, *cuts, size]
    return tuple(_slice(input, dim, edges[i], edges[i + 1], 1) for i in range(len(edges) - 1))


def _even_cuts(size: int, sections: int) -> list[int]:
    """Return where to cut *size* places into parts that differ by one at most."""
    if sections <= 0:
        msg = f"number of sections must be larger than 0, got {sections}"
        raise ShapeError(msg)
    small, larger = divmod(size, sections)
    return [part * small + min(part, larger) for part in range(1, sections)]


def hsplit(
    input: Tensor, *indices_or_sections: Any, indices: Any = None, sections: int | None = None
) -> tuple[Tensor, ...]:
    """Return parts of *input* along its columns; of a vector, along its only dimension.

    Args:
        input: ``(N,)`` or ``(*, N, *)``.
        indices_or_sections: Where to cut, or into how many equal parts.
        indices: The former, by name.
        sections: The latter, by name.

    >>> import chainrule as cr
    >>> cr.arange(4).hsplit(2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    check_tensor("hsplit", input)
    dim = 0 if len(input._array.shape) == 1 else 1
    given = _by_name(indices_or_sections, indices, sections)
    return _equal_parts("hsplit", input, given, dim, 1)


def vsplit(
    input: Tensor, *indices_or_sections: Any, indices: Any = None, sections: int | None = None
) -> tuple[Tensor, ...]:
    """Return parts of *input* along its rows: see `hsplit`."""
    return _equal_parts("vsplit", input, _by_name(indices_or_sections, indices, sections), 0, 2)


def dsplit(
    input: Tensor, *indices_or_sections: Any, indices: Any = None, sections: int | None = None
) -> tuple[Tensor, ...]:
    """Return parts of *input* along its third dimension: see `hsplit`."""
    return _equal_parts("dsplit", input, _by_name(indices_or_sections, indices, sections), 2, 3)


def _by_name(given: tuple[Any, ...], indices: Any, sections: int | None) -> tuple[Any, ...]:
    """Return what stands first, or what was named instead of it."""
    return next(((named,) for named in (indices, sections) if named is not None), given)


def _equal_parts(
    name: str, input: Tensor, given: tuple[Any, ...], dim: int, least: int
) -> tuple[Tensor, ...]:
    check_tensor(name, input)
    ndim = len(input._array.shape)
    if ndim < least:
        msg = (
            f"torch.{name} requires a tensor with at least {least} dimension, "
            f"but got a tensor with {ndim} dimensions!"
        )
        raise ShapeError(msg)
    if len(given) > 1 or not isinstance(given[0], int):
        return tensor_split(input, integers(name, "indices", given), dim)
    size = input._array.shape[dim]
    if given[0] <= 0 or size % given[0]:
        msg = (
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
            f"{size} is not divisible by the split_size {given[0]}!"
        )
        raise ShapeError(msg)
    return tensor_split(input, given[0], dim)
