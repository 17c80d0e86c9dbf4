"""Rearranging: elements repeated, turned round, shifted; always copies."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, DimError, KernelNotFoundError, ShapeError
from ..naming import numpy_names
from ..op import primitive
from ..shapes import wrap_dim, wrap_dims
from ..value import Value
from ._arguments import check_tensor, integers
from .copying import clone
from .reductions import sum
from .rows import index_select
from .shape import expand, flatten, reshape, unsqueeze, view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["flip", "fliplr", "flipud", "repeat", "repeat_interleave", "roll", "rot90", "tile"]


@primitive(dtype="same", nodes={"": "RepeatBackward0"}, saves=("repeats",))
def _repeat(self: Tensor, repeats: tuple[int, ...]) -> Tensor:
    """Return *self* laid out *repeats* times along each dimension."""


_repeat.vjp(self=lambda grad, self_shape, repeats: _repeat_backward(grad, self_shape, repeats))


def _repeat_backward(grad: Tensor, shape: tuple[int, ...], repeats: tuple[int, ...]) -> Tensor:
    """Return *grad* summed over the copies: each dimension seen as ``(repeats, size)``."""
    padded = (1,) * (len(repeats) - len(shape)) + tuple(shape)
    split = [n for pair in zip(repeats, padded, strict=True) for n in pair]
    if not split:
        return grad
    summed = sum(reshape(grad, split), list(range(0, len(split), 2)))
    return reshape(summed, shape)


def repeat(input: Tensor, *counts: Any, repeats: Any = None) -> Tensor:
    """Return *input* laid out as often as said along each dimension, as a copy.

    Args:
        input: ``(*)``.
        counts: How often per dimension, as integers or one sequence; new dimensions may stand in
            front.
        repeats: The counts, by name.

    Raises:
        RuntimeError: there are fewer counts than dimensions, or one is negative.

    Gradient:
        ``grad`` summed over the copies.

    >>> import chainrule as cr
    >>> cr.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    check_tensor("repeat", input)
    wanted = integers("repeat", "repeats", counts, repeats)
    shape = tuple(input._array.shape)
    if len(wanted) < len(shape):
        msg = (
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            f"tensor\nrepeat: got {wanted} for shape {shape}."
        )
        raise ShapeError(msg)
    if min(wanted, default=0) < 0:
        padded = (1,) * (len(wanted) - len(shape)) + shape
        sizes = [n * size for n, size in zip(wanted, padded, strict=True)]
        msg = f"Trying to create tensor with negative dimension {min(sizes)}: {sizes}"
        raise ShapeError(msg)
    return _repeat(input, wanted)


def tile(input: Tensor, *counts: Any, dims: Any = None) -> Tensor:
    """Return *input* repeated; missing counts in front are 1.

    >>> import chainrule as cr
    >>> cr.tensor([[1, 2]]).tile(2)
    tensor([[1, 2, 1, 2]])
    """
    check_tensor("tile", input)
    wanted = integers("tile", "dims", counts, dims)
    return repeat(input, (1,) * (len(input._array.shape) - len(wanted)) + wanted)


@primitive(dtype="int64")
def _repeat_places(self: Tensor) -> Tensor:
    """Return each place of the vector *self* as often as its element says."""


_repeat_places.vjp(self=None)


@numpy_names
def repeat_interleave(
    input: Tensor | None = None,
    repeats: int | Tensor | None = None,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """Return *input* with every element along *dim* repeated in place.

    Args:
        input: ``(*, N, *)``; or, alone, how often to repeat each place 0, 1, 2, …
        repeats: How often: a number, or an integer tensor with one or N elements.
        dim: The dimension of size N; flattened first if None.
        output_size: The size of the result along *dim*, only checked.

    Raises:
        RuntimeError: a count is negative, or there are not N.

    Gradient:
        ``grad`` summed over the copies.

    >>> import chainrule as cr
    >>> cr.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    >>> cr.tensor([[1], [2]]).repeat_interleave(cr.tensor([2, 1]), dim=0)
    tensor([[1],
            [1],
            [2]])
    """
    if repeats is None or input is None:
        alone: Any = repeats if input is None else input
        check_tensor("repeat_interleave", alone, "repeats")
        return _places(alone, output_size)
    check_tensor("repeat_interleave", input)
    if dim is None:
        input, dim = flatten(input), 0
    shape = tuple(input._array.shape)
    place = wrap_dim(dim, len(shape))
    if isinstance(repeats, int):
        return _interleaved(input, repeats, place)
    if not isinstance(repeats, Value):
        got = f"Tensor, {type(repeats).__name__}"
        msg = (
            f"repeat_interleave() received an invalid combination of arguments - got ({got}), but "
            "expected one of:\n * (Tensor input, Tensor repeats)\n * (Tensor input, int repeats)"
        )
        raise ArgumentError(msg)
    if prod(repeats._array.shape) == 1 and len(repeats._array.shape) < 2:
        repeats = expand(reshape(repeats, 1), shape[place] if shape else 1)
    counts = repeats._array.shape
    if len(counts) == 1 and counts[0] != (shape[place] if shape else 1):
        msg = (
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{counts[0]} and input.size({place}) = {shape[place] if shape else 1}"
        )
        raise ShapeError(msg)
    return index_select(input, place, _places(repeats, output_size))


def _interleaved(input: Tensor, repeats: int, place: int) -> Tensor:
    """Return *input* with each element along *place* repeated equally often."""
    if repeats < 0:
        msg = "Repeats must be non-negative"
        raise ShapeError(msg)
    shape = tuple(input._array.shape) or (1,)
    after = place + 1
    spread = expand(unsqueeze(input, after), (*shape[:after], repeats, *shape[after:]))
    return view(clone(spread), (*shape[:place], shape[place] * repeats, *shape[after:]))


def _places(repeats: Tensor, output_size: int | None) -> Tensor:
    if repeats._key.dtype.name not in {"int64", "int32"}:
        msg = f"\"repeat_interleave_cpu\" not implemented for '{repeats._key.dtype.scalar_name}'"
        raise KernelNotFoundError(msg)
    if len(repeats._array.shape) > 1:
        msg = "repeats must be 0-dim or 1-dim tensor"
        raise ShapeError(msg)
    if not repeats._array.shape:
        repeats = reshape(repeats, 1)
    try:
        found = _repeat_places(repeats)
    except ValueError:
        msg = "repeats can not be negative"
        raise ShapeError(msg) from None
    if output_size is not None and found._array.shape[0] != output_size:
        msg = (
            "allocated size does not match required size\n"
            f"repeat_interleave: output_size is {output_size}, the repeats sum to "
            f"{found._array.shape[0]}."
        )
        raise ShapeError(msg)
    return found


@primitive(dtype="same", nodes={"": "FlipBackward0"})
def _flip(self: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Return *self* with the order along *dims* reversed."""


_flip.vjp(self=lambda grad, dims: _flip(grad, dims))


def flip(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """Return *input* with the order of the elements along some dimensions reversed, as a copy.

    Args:
        input: ``(*)``.
        order: The dimensions, as integers or one sequence.
        dims: The dimensions, by name.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: one is named twice.

    Gradient:
        ``grad`` reversed likewise.

    >>> import chainrule as cr
    >>> cr.tensor([[1, 2], [3, 4]]).flip(0)
    tensor([[3, 4],
            [1, 2]])
    """
    check_tensor("flip", input)
    wanted = integers("flip", "dims", order, dims)
    wrap_dims(wanted, len(input._array.shape))
    return _flip(input, wanted)


def fliplr(input: Tensor) -> Tensor:
    """Return *input* with its columns in reverse order."""
    check_tensor("fliplr", input)
    if len(input._array.shape) < 2:
        msg = "Input must be >= 2-d."
        raise ShapeError(msg)
    return _flip(input, (1,))


def flipud(input: Tensor) -> Tensor:
    """Return *input* with its rows in reverse order."""
    check_tensor("flipud", input)
    if not input._array.shape:
        msg = "Input must be >= 1-d."
        raise ShapeError(msg)
    return _flip(input, (0,))


@primitive(dtype="same", nodes={"": "RollBackward0"})
def _roll(self: Tensor, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Tensor:
    """Return *self* with its elements shifted round, along *dims* or, without any, all as one."""


_roll.vjp(self=lambda grad, shifts, dims: _roll(grad, tuple(-n for n in shifts), dims))


def roll(
    input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = ()
) -> Tensor:
    """Return *input* with its elements shifted; what leaves at one end comes in at the other.

    Args:
        input: ``(*)``.
        shifts: How many places, one number per dimension.
        dims: The dimensions; without any, *input* is shifted as if it were flat.

    Raises:
        RuntimeError: there are not as many shifts as dimensions.
        IndexError: a dimension is out of range.

    Gradient:
        ``grad`` shifted back.

    >>> import chainrule as cr
    >>> cr.arange(4).roll(1)
    tensor([3, 0, 1, 2])
    """
    check_tensor("roll", input)
    steps = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    wanted = (dims,) if isinstance(dims, int) else tuple(dims or ())
    if not steps:
        msg = "`shifts` required"
        raise ShapeError(msg)
    if len(steps) != len(wanted) and not (len(steps) == 1 and not wanted):
        msg = f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(wanted)}"
        raise ShapeError(msg)
    ndim = len(input._array.shape)
    if wanted and not ndim:
        msg = f"Dimension specified as {wanted[0]} but tensor has no dimensions"
        raise DimError(msg)
    for dim in wanted:
        wrap_dim(dim, ndim)
    return _roll(input, steps, wanted)


@primitive(dtype="same", nodes={"": "Rot90Backward0"})
def _rot90(self: Tensor, k: int, dims: tuple[int, ...]) -> Tensor:
    """Return *self* rotated by *k* quarter turns from the first of *dims* towards the second."""


_rot90.vjp(self=lambda grad, k, dims: _rot90(grad, -k, dims))


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Return *input* rotated by quarter turns in the plane of two dimensions, as a copy.

    Args:
        input: ``(*)`` with at least two dimensions.
        k: How many turns; negative ones go the other way round.
        dims: The plane; one turn goes from the first towards the second.

    Raises:
        RuntimeError: *dims* are not two, or not two different ones.
        IndexError: a dimension is out of range.

    Gradient:
        ``grad`` rotated back.

    >>> import chainrule as cr
    >>> cr.tensor([[1, 2], [3, 4]]).rot90()
    tensor([[2, 4],
            [1, 3]])
    """
    check_tensor("rot90", input)
    ndim, plane = len(input._array.shape), tuple(dims)
    if len(plane) != 2:
        msg = f"expected total rotation dims == 2, but got dims = {len(plane)}"
        raise ShapeError(msg)
    if ndim < 2:
        msg = f"expected total dims >= 2, but got total dims = {ndim}"
        raise ShapeError(msg)
    if wrap_dim(plane[0], ndim) == wrap_dim(plane[1], ndim):
        msg = (
            f"expected rotation dims to be different, but got dim0 = {plane[0]} and dim1 = "
            f"{plane[1]}"
        )
        raise ShapeError(msg)
    return _rot90(input, k, plane)
