"""Sizes and dimensions: pure integer maths, no arrays."""

from __future__ import annotations

import operator
from math import prod
from typing import TYPE_CHECKING, Any, Self, SupportsIndex, overload

from .errors import ArgumentError, DimError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Size(tuple[int, ...]):
    """The sizes of a tensor: a tuple that prints as PyTorch's and keeps its type when sliced.

    >>> Size([2, 3])[:1]
    torch.Size([2])
    >>> Size([2, 3]).numel()
    6
    """

    __slots__ = ()

    def __new__(cls, sizes: Iterable[SupportsIndex] = (), /) -> Self:
        """Return *sizes*, which may be 0-d tensors of integers, as integers.

        Raises:
            ArgumentError: one is no integer.
        """
        found = tuple(sizes)
        try:
            return tuple.__new__(cls, map(int, map(operator.index, found)))
        except TypeError:
            place = next(i for i, item in enumerate(found) if not is_integer(item))
            msg = (
                f"torch.Size() takes an iterable of 'int' (item {place} is "
                f"'{type(found[place]).__name__}')"
            )
            raise ArgumentError(msg) from None

    def numel(self) -> int:
        """Return how many elements an array of this shape has."""
        return prod(self)

    @overload
    def __getitem__(self, place: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Size: ...
    def __getitem__(self, place: SupportsIndex | slice) -> int | Size:
        item = tuple.__getitem__(self, place)
        return size_of(item) if isinstance(item, tuple) else item

    def __add__(self, other: tuple[int, ...]) -> Size:  # type: ignore[override]  # as PyTorch: stays a Size
        if not isinstance(other, tuple):
            msg = f"can only concatenate tuple (not {type(other).__name__}) to torch.Size"
            raise ArgumentError(msg)
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: tuple[int, ...]) -> Size:
        return Size((*other, *self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: SupportsIndex) -> Size:
        return size_of(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"


def size_of(shape: tuple[int, ...]) -> Size:
    """Return the shape of an array, whose sizes need no check, as a `Size`."""
    return tuple.__new__(Size, shape)


def is_integer(item: Any) -> bool:
    """Return whether *item* stands for an integer, as a 0-d tensor of integers does."""
    try:
        operator.index(item)
    except TypeError:
        return False
    return True


def wrap_dim(dim: int, ndim: int) -> int:
    """Return *dim* counted from the front.

    A 0-d tensor takes 0 and -1, as in PyTorch.

    Raises:
        DimError: *dim* is out of range.

    >>> wrap_dim(-1, 3)
    2
    """
    bound = ndim or 1
    if -bound <= dim < bound:
        return dim + bound if dim < 0 else dim
    msg = (
        f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got "
        f"{dim})"
    )
    raise DimError(msg)


def wrap_dims(dim: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Return the dimensions that *dim* names, counted from the front; all of them for None.

    Raises:
        DimError: one is out of range.
        RuntimeError: one is named twice.

    >>> wrap_dims((-1, 0), 3)
    (2, 0)
    """
    if dim is None:
        return tuple(range(ndim))
    if not isinstance(dim, (tuple, list)):
        return (wrap_dim(operator.index(dim), ndim),)  # type: ignore[arg-type]  # a lone integer
    dims = tuple(wrap_dim(operator.index(d), ndim) for d in dim)
    if len(set(dims)) != len(dims):
        twice = next(d for d in dims if dims.count(d) > 1)
        msg = f"dim {twice} appears multiple times in the list of dims"
        raise ShapeError(msg)
    return dims


def broadcast_shapes(*shapes: Iterable[int]) -> Size:
    """Return the shape that *shapes* broadcast to.

    Raises:
        ShapeError: two sizes differ and neither is one.

    >>> broadcast_shapes((3, 1), (4,))
    torch.Size([3, 4])
    """
    result: tuple[int, ...] = ()
    for shape in map(tuple, shapes):
        result = _broadcast_two(result, shape)
    return Size(result)


def _broadcast_two(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    if left == right:
        return left
    ndim = max(len(left), len(right))
    padded = (1,) * (ndim - len(left)) + left, (1,) * (ndim - len(right)) + right
    sizes = []
    for dim, (a, b) in reversed(list(enumerate(zip(*padded, strict=True)))):
        if a != b and 1 not in {a, b}:
            msg = (
                f"The size of tensor a ({a}) must match the size of tensor b ({b}) "
                f"at non-singleton dimension {dim}"
            )
            raise ShapeError(msg)
        sizes.append(b if a == 1 else a)
    return tuple(reversed(sizes))


def normalize_size(size: tuple[object, ...]) -> tuple[int, ...]:
    """Return sizes given as ``f(2, 3)``, ``f((2, 3))`` or ``f([2, 3])`` as one tuple.

    >>> normalize_size((2, 3)), normalize_size(([2, 3],))
    ((2, 3), (2, 3))
    """
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = tuple(size[0])
    try:
        return tuple(map(operator.index, size))  # type: ignore[arg-type]  # the error names the culprit
    except TypeError:
        culprit = next(s for s in size if not hasattr(s, "__index__"))
        msg = (
            f"size: expected integers, got {type(culprit).__name__}. Pass integers or one tuple of "
            "them."
        )
        raise ArgumentError(msg) from None


def infer_size(shape: Sequence[int], numel: int) -> tuple[int, ...]:
    """Return *shape* with its -1 replaced by what makes *numel* elements.

    Raises:
        ShapeError: no size, or more than one, fits.

    >>> infer_size((2, -1), 6)
    (2, 3)
    """
    known = prod(s for s in shape if s != -1)
    unknown = [i for i, s in enumerate(shape) if s == -1]
    for size in shape:
        if size < -1:
            msg = f"invalid shape dimension {size}"
            raise ShapeError(msg)
    if len(unknown) > 1:
        msg = "only one dimension can be inferred"
        raise ShapeError(msg)
    if unknown and known == 0 and numel == 0:
        msg = (
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified "
            "dimension size -1 can be any value and is ambiguous"
        )
        raise ShapeError(msg)
    if not unknown and known == numel:
        return tuple(shape)
    if unknown and known and numel % known == 0:
        return tuple(numel // known if s == -1 else s for s in shape)
    msg = f"shape '{list(shape)}' is invalid for input of size {numel}"
    raise ShapeError(msg)


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the strides, in elements, of a contiguous tensor of *shape*.

    >>> contiguous_strides((2, 3, 4))
    (12, 4, 1)
    """
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))
