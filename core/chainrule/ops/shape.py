"""Shapes: the same elements in another shape, sharing memory wherever that is possible."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ..dtypes import DType, given
from ..errors import ArgumentError, ShapeError
from ..naming import numpy_names
from ..op import primitive
from ..shapes import normalize_size, wrap_dim, wrap_dims
from ..value import Value
from ._arguments import check_tensor, check_tensors, fit_size, integers, is_recorded, new_look
from .axes import t
from .broadcasting import expand
from .copying import clone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = [
    "_unsafe_view", "_view", "atleast_1d", "atleast_2d", "atleast_3d", "contiguous", "expand",
    "flatten", "ravel", "reshape", "reshape_as", "squeeze", "t", "unflatten", "unsqueeze", "view",
    "view_as",
]  # fmt: skip

# Note [When reshape copies]
# --------------------------
# A new shape is a view if the strides of the old one allow it. `view` insists on it; `reshape`
# copies where it must. In the graph that shows as in PyTorch: ViewBackward0 for a contiguous
# tensor, ReshapeAliasBackward0 for another whose elements still need not move, and otherwise
# CloneBackward0 followed by UnsafeViewBackward0, a view of a copy that nobody else can reach.


@primitive(view=True, nodes={"": "ViewBackward0"})
def _view(self: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return the same elements as *size*; the kernel raises where they would have to move."""


@primitive(view=True, nodes={"": "ReshapeAliasBackward0"})
def _reshape_alias(self: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return what `_view` returns, of a tensor that is not contiguous."""


@primitive(dtype="same", nodes={"": "UnsafeViewBackward0"})
def _unsafe_view(self: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return a fresh copy in another shape."""


_view.vjp(self=lambda grad, self_shape: reshape(grad, self_shape))
_reshape_alias.vjp(self=lambda grad, self_shape: reshape(grad, self_shape))
_unsafe_view.vjp(self=lambda grad, self_shape: reshape(grad, self_shape))


@primitive(view=True, dtype="real")
def _view_as_dtype(self: Tensor, dtype: DType) -> Tensor:
    """Return the same bytes read as another dtype."""


_view_as_dtype.dtype = None  # unlike other views it has not the dtype of the source: ask the array
_view_as_dtype.vjp(self=None)


def view(input: Tensor, *sizes: Any, size: Any = None, dtype: DType | None = None) -> Tensor:
    """Return the same elements in another shape, or the same bytes as another dtype; a view.

    Args:
        input: ``(*)``, any dtype.
        sizes: The new shape, as integers or one sequence; one of them may be -1, and is inferred.
            Or a dtype: the bytes are read as that, and the last size changes accordingly.
        size: The shape, by name.
        dtype: The dtype, by name.

    Returns:
        A tensor that shares the memory of *input*.

    Raises:
        RuntimeError: the number of elements differs, or the strides allow no view.

    Gradient:
        ``grad`` in the shape of *input*; none through another dtype.

    >>> import chainrule as cr
    >>> cr.arange(6).view(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    >>> cr.tensor(1.0).view(cr.int32)
    tensor(1065353216, dtype=torch.int32)
    """
    if size is None and dtype is None and _fits(input, sizes):
        return _view.fast(input, sizes)  # type: ignore[no-any-return]  # an op's result
    check_tensor("view", input)
    if dtype is None and len(sizes) == 1 and isinstance(sizes[0], (DType, type)):
        dtype = given(sizes[0])
    if dtype is not None:
        dtype = given(dtype)
        _check_bytes(input, dtype)
        return _view_as_dtype(input, dtype)
    try:
        wanted = integers("view", "size", sizes, size)
    except ArgumentError as error:
        raise _no_overload(sizes, error) from None
    return _view.fast(input, fit_size(wanted, prod(input._array.shape)))  # type: ignore[no-any-return]  # an op's result


def _fits(input: Any, sizes: tuple[Any, ...]) -> bool:
    """Return whether *sizes* are integers, none to be inferred, that the elements fill."""
    if not sizes or not isinstance(input, Value):
        return False
    count = 1
    for size in sizes:
        if type(size) is not int or size < 0:
            return False
        count *= size
    return bool(count == prod(input._array.shape))


def _no_overload(sizes: tuple[Any, ...], error: ArgumentError) -> ArgumentError:
    """Return PyTorch's error for arguments that are neither sizes nor a dtype."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        return error
    got = ", ".join(type(item).__name__ for item in sizes)
    return ArgumentError(
        f"view() received an invalid combination of arguments - got ({got}), but expected one of:\n"
        " * (torch.dtype dtype)\n * (tuple of ints size)"
    )


def _check_bytes(input: Tensor, dtype: DType) -> None:
    """Check that the bytes of *input* can be read as *dtype*."""
    ours, shape = input._key.dtype, input._array.shape
    if ours.itemsize == dtype.itemsize:
        return
    what = f"to view {ours.scalar_name} as {dtype.scalar_name} (different element sizes)"
    if not shape:
        msg = f"self.dim() cannot be 0 {what}"
        raise ShapeError(msg)
    last = input._key.backend.strides(input._array)[-1]
    ratio = dtype.itemsize // ours.itemsize
    if last != 1:
        msg = f"self.stride(-1) must be 1 {what}, but got {last}"
        raise ShapeError(msg)
    if ratio > 1 and shape[-1] % ratio:
        msg = f"self.size(-1) must be divisible by {ratio} {what}, but got {shape[-1]}"
        raise ShapeError(msg)


def is_contiguous(input: Value) -> bool:
    """Return whether the elements stand one after the other, the last dimension fastest."""
    return input._key.backend.is_contiguous(input._array)


def reshape(input: Tensor, *sizes: Any, shape: Any = None) -> Tensor:
    """Return the same elements in another shape: a view if possible, else a copy.

    Args:
        input: ``(*)``, any dtype.
        sizes: The new shape, as integers or one sequence; one of them may be -1, and is inferred.
        shape: The shape, by name.

    Raises:
        RuntimeError: the number of elements differs.

    Gradient:
        ``grad`` in the shape of *input*.

    >>> import chainrule as cr
    >>> cr.reshape(cr.arange(6), (3, 2)).t().reshape(-1)
    tensor([0, 2, 4, 1, 3, 5])
    """
    check_tensor("reshape", input)
    wanted = integers("reshape", "shape", sizes, shape)
    return _reshaped(input, fit_size(wanted, prod(input._array.shape)))


def _reshaped(input: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return *input* in a shape known to fit. See Note [When reshape copies]."""
    try:
        if is_recorded(input) and not is_contiguous(input):
            return _reshape_alias.fast(input, size)  # type: ignore[no-any-return]  # an op's result
        return _view.fast(input, size)  # type: ignore[no-any-return]  # an op's result
    except ShapeError:  # it cannot be a view
        return _unsafe_view(clone(input), size)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """Return ``input.view(other.shape)``."""
    return view(input, other._array.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Return ``input.reshape(other.shape)``."""
    return reshape(input, other._array.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Return *input* with the dimensions from *start_dim* to *end_dim* made one.

    Returns:
        A view if possible, else a copy; *input* itself where there is one dimension to flatten.

    Raises:
        RuntimeError: *start_dim* comes after *end_dim*.

    >>> import chainrule as cr
    >>> cr.ones(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    check_tensor("flatten", input)
    shape = input._array.shape
    start, end = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if start > end:
        msg = (
            "flatten() has invalid args: start_dim cannot come after end_dim\n"
            f"flatten: start_dim {start_dim} is dimension {start}, end_dim {end_dim} is {end}."
        )
        raise ShapeError(msg)
    if not shape:
        return _reshaped(input, (1,))
    if start == end:
        return input
    return _reshaped(input, (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))


@numpy_names
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Return *input* with dimension *dim* spread over several of *sizes*; a view.

    Args:
        input: ``(*, N, *)``.
        dim: The dimension of size N.
        sizes: Sizes whose product is N; one may be -1.

    Raises:
        RuntimeError: the sizes do not multiply to N.

    >>> import chainrule as cr
    >>> cr.ones(2, 6).unflatten(1, (2, -1)).shape
    torch.Size([2, 2, 3])
    """
    check_tensor("unflatten", input)
    shape = input._array.shape
    place, parts = wrap_dim(dim, len(shape)), normalize_size((sizes,))
    if not parts:
        msg = "unflatten: sizes must be non-empty\nunflatten: pass at least one size, or -1."
        raise ShapeError(msg)
    try:
        parts = fit_size(parts, shape[place])
    except ShapeError:
        msg = (
            f"unflatten: Provided sizes {list(parts)} don't multiply up to the size of dim {place} "
            f"({shape[place]}) in the input tensor"
        )
        raise ShapeError(msg) from None
    return _view(input, (*shape[:place], *parts, *shape[place + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """Return *input* as one dimension: a view if it is contiguous, else of a copy.

    >>> import chainrule as cr
    >>> cr.ones(2, 3).ravel().shape
    torch.Size([6])
    """
    whole = contiguous(input)
    return _view(whole, (prod(whole._array.shape),))


def contiguous(input: Tensor, memory_format: object = None) -> Tensor:
    """Return *input* itself if its elements stand in order in memory, else a copy where they do.

    Args:
        input: ``(*)``.
        memory_format: Taken and ignored.

    >>> import chainrule as cr
    >>> x = cr.ones(2, 3)
    >>> x.contiguous() is x, x.t().contiguous().is_contiguous()
    (True, True)
    """
    check_tensor("contiguous", input)
    return input if is_contiguous(input) else clone(input)


@primitive(view=True, nodes={"": "SqueezeBackward0"})
def _squeeze_all(self: Tensor) -> Tensor:
    """Return *self* without its dimensions of size 1."""


@primitive(view=True, nodes={"": "SqueezeBackward1"}, saves=("dim",))
def _squeeze_dim(self: Tensor, dim: int) -> Tensor:
    """Return *self* without dimension *dim*, if its size is 1."""


@primitive(view=True, nodes={"": "SqueezeBackward2"}, saves=("dim",))
def _squeeze_dims(self: Tensor, dim: tuple[int, ...]) -> Tensor:
    """Return *self* without those of the dimensions *dim* whose size is 1."""


_squeeze_all.vjp(self=lambda grad, self_shape: reshape(grad, self_shape))
_squeeze_dim.vjp(self=lambda grad, self_shape: reshape(grad, self_shape))
_squeeze_dims.vjp(self=lambda grad, self_shape: reshape(grad, self_shape))


@numpy_names
def squeeze(input: Tensor, *dims: Any, dim: int | Sequence[int] | None = None) -> Tensor:
    """Return *input* without dimensions of size 1; a view.

    Args:
        input: ``(*)``.
        dims: The dimensions to drop if their size is 1, as integers or one sequence; all if none
            is given.
        dim: The dimensions, by name.

    Raises:
        IndexError: a dimension is out of range.
        RuntimeError: a dimension is named twice.

    Gradient:
        ``grad`` in the shape of *input*.

    >>> import chainrule as cr
    >>> x = cr.ones(1, 2, 1)
    >>> x.squeeze().shape, x.squeeze(0).shape, x.squeeze((0, 1)).shape
    (torch.Size([2]), torch.Size([2, 1]), torch.Size([2, 1]))
    """
    check_tensor("squeeze", input)
    if dim is None:
        if not dims:
            return _squeeze_all(input)
        dim = dims[0] if len(dims) == 1 else dims
    ndim = len(input._array.shape)
    if not isinstance(dim, int):
        wrap_dims(dim, ndim)
        return _squeeze_dims(input, tuple(dim))
    wrap_dim(dim, ndim)
    return _squeeze_dim(input, dim)


@primitive(view=True, nodes={"": "UnsqueezeBackward0"}, saves=("dim",))
def _unsqueeze(self: Tensor, dim: int) -> Tensor:
    """Return *self* with a dimension of size 1 put in at *dim*."""


_unsqueeze.vjp(self=lambda grad, self_shape: reshape(grad, self_shape))


@numpy_names
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Return *input* with a dimension of size 1 put in at *dim*; a view.

    Args:
        input: ``(*)``.
        dim: Its place in the result; -1 is the last.

    Raises:
        IndexError: *dim* is out of range.

    Gradient:
        ``grad`` in the shape of *input*.

    >>> import chainrule as cr
    >>> cr.ones(2).unsqueeze(0).shape, cr.ones(2).unsqueeze(-1).shape
    (torch.Size([1, 2]), torch.Size([2, 1]))
    """
    check_tensor("unsqueeze", input)
    wrap_dim(dim, len(input._array.shape) + 1)
    return _unsqueeze.fast(input, dim)  # type: ignore[no-any-return]  # an op's result


squeeze_ = new_look(squeeze)
unsqueeze_ = new_look(unsqueeze)


def atleast_1d(*tensors: Any) -> Any:
    """Return each tensor with at least one dimension.

    >>> import chainrule as cr
    >>> cr.atleast_1d(cr.tensor(1.0))
    tensor([1.])
    """
    return _each(_atleast_1d, "atleast_1d", tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Return each tensor with at least two dimensions; a vector becomes a row.

    >>> import chainrule as cr
    >>> cr.atleast_2d(cr.ones(3)).shape
    torch.Size([1, 3])
    """
    return _each(_atleast_2d, "atleast_2d", tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Return each tensor with at least three dimensions; a vector becomes ``(1, N, 1)``.

    >>> import chainrule as cr
    >>> cr.atleast_3d(cr.ones(3)).shape
    torch.Size([1, 3, 1])
    """
    return _each(_atleast_3d, "atleast_3d", tensors)


def _each(one: Any, name: str, tensors: tuple[Any, ...]) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], Value):
        return one(tensors[0])
    if len(tensors) == 1:
        tensors = tensors[0]
    check_tensors(name, tensors)
    return tuple(map(one, tensors))


def _atleast_1d(input: Tensor) -> Tensor:
    return input if input._array.shape else _reshaped(input, (1,))


def _atleast_2d(input: Tensor) -> Tensor:
    ndim = len(input._array.shape)
    if ndim == 0:
        return _reshaped(input, (1, 1))
    return _unsqueeze(input, 0) if ndim == 1 else input


def _atleast_3d(input: Tensor) -> Tensor:
    ndim = len(input._array.shape)
    if ndim == 0:
        return _reshaped(input, (1, 1, 1))
    if ndim == 1:
        return _unsqueeze(_unsqueeze(input, 0), -1)
    return _unsqueeze(input, -1) if ndim == 2 else input
