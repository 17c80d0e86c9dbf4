"""Largest elements of windows, and putting them back where they stood.

An index is the place of an element in its plane: row times width plus column.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import DTypeError, ShapeError
from ..op import composite, primitive
from ..views import own
from ._arguments import check_tensor
from ._operands import first_of, occurs
from .pooling_sizes import check_pooled, check_windows, pool_sizes
from .shape import squeeze, unsqueeze

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["max_pool1d", "max_pool2d", "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d"]

Sizes = tuple[int, ...]


@primitive(dtype="same")
def _pool_scatter(self: Tensor, indices: Tensor, sizes: Sizes, spatial: int, apart: bool) -> Tensor:
    """Return zeros of *sizes* with *self* added at *indices* of its plane.

    *apart* says that no place is named twice; if one is, the last element stays there.
    """


@primitive(dtype="same")
def _pool_gather(self: Tensor, indices: Tensor, spatial: int) -> Tensor:
    """Return the elements at *indices* of every plane of *self*."""


_pool_scatter.vjp(
    self=lambda grad, indices, spatial: _pool_gather(grad, indices, spatial), indices=None
)
_pool_gather.vjp(
    self=lambda grad, self_shape, indices, spatial: _pool_scatter(
        grad, indices, self_shape, spatial, False
    ),
    indices=None,
)


@primitive(nodes={"": "MaxPool2DWithIndicesBackward0"}, saves=("self",))
def _max_pool2d_with_indices(
    self: Tensor,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> tuple[Tensor, Tensor]:
    """Return the largest elements of windows over two dimensions, and their indices."""


@primitive(nodes={"": "MaxPool3DWithIndicesBackward0"}, saves=("self",))
def _max_pool3d_with_indices(
    self: Tensor,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> tuple[Tensor, Tensor]:
    """Return the largest elements of windows over three dimensions, and their indices."""


def _max_pool_rule(
    grad: Tensor,
    self_shape: Sizes,
    result1: Tensor,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> Any:
    """Return ``grad`` put where the largest elements stood, added up where windows share one."""
    reaches = zip(kernel_size, stride or kernel_size, dilation, strict=True)
    apart = all(s >= d * (k - 1) + 1 for k, s, d in reaches)
    return _pool_scatter(grad, result1, self_shape, len(kernel_size), apart)


_max_pool2d_with_indices.vjp(self=_max_pool_rule)
_max_pool3d_with_indices.vjp(self=_max_pool_rule)
_POOLS: Any = {2: _max_pool2d_with_indices, 3: _max_pool3d_with_indices}


def _max_pool(
    spatial: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    name = f"max_pool{spatial}d"
    check_tensor(name, input)
    sizes = pool_sizes(name, spatial, kernel_size, stride, padding, dilation)
    check_windows(input, sizes, spatial, maximum=True)
    check_pooled(input, sizes, ceil_mode)
    values, indices = _POOLS[spatial](input, *sizes, ceil_mode)
    return (values, indices) if return_indices else values


def max_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest element of every window over height and width.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size: The size of a window.
        stride: How far one window is from the next; that size if None.
        padding: How far windows reach over the edge, at most half a window.
        dilation: How far one element of a window is from the next.
        ceil_mode: Whether the last window may hang over.
        return_indices: Whether to give the places of the elements as well.

    Returns:
        The elements, or with *return_indices* elements and int64 indices ``row * W + column``.

    Raises:
        RuntimeError: sizes do not fit.

    Gradient:
        ``grad`` at the first of the largest elements.

    >>> import chainrule as cr
    >>> cr.max_pool2d(cr.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest element of every window over depth, height and width.

    Arguments and errors are those of `max_pool2d`, for ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    >>> import chainrule as cr
    >>> cr.max_pool3d(cr.ones(1, 1, 4, 4, 4), 2).shape
    torch.Size([1, 1, 2, 2, 2])
    """
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest element of every window over the length.

    Arguments are those of `max_pool2d`, for ``(N, C, L)`` or ``(C, L)``.

    >>> import chainrule as cr
    >>> cr.max_pool1d(cr.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    check_tensor("max_pool1d", input)
    shape = list(input._array.shape)
    if len(shape) not in {2, 3} or 0 in shape[len(shape) - 2 :]:
        msg = (
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{shape}\nmax_pool1d: expected (n, c, l) or (c, l)."
        )
        raise ShapeError(msg)
    if stride in ((), []):
        stride = None
    sizes = [
        _single(name, given)
        for name, given in (
            ("kernel_size", kernel_size), ("stride", stride), ("padding", padding),
            ("dilation", dilation),
        )
    ]  # fmt: skip
    _check_single(shape[-1], sizes, ceil_mode)
    kernel, step, around, spread = ((1, n) for n in sizes)
    values, indices = _max_pool2d_with_indices(
        unsqueeze(input, -2),
        kernel,
        () if stride is None else step,
        (0, around[1]),
        spread,
        ceil_mode,
    )
    values = own(squeeze(values, -2))
    return (values, own(squeeze(indices, -2))) if return_indices else values


def _single(name: str, given: Any) -> int:
    if isinstance(given, (tuple, list)):
        if len(given) != 1:
            msg = (
                f"max_pool1d() {name} must be an int, list of ints or tuple of ints of size 1 but "
                f"got size {len(given)}"
            )
            raise ShapeError(msg)
        return int(given[0])
    return 1 if given is None else int(given)


def _check_single(length: int, sizes: list[int], ceil_mode: bool) -> None:
    kernel, stride, padding, dilation = sizes
    problem = ""
    for name, value in (("kernel_size", kernel), ("stride", stride)):
        if value <= 0:
            problem = f"max_pool1d() {name} must be greater than zero, but got {value}"
            break
    else:
        if padding < 0:
            problem = f"max_pool1d() padding must be non-negative, but got {padding}"
        elif padding > kernel // 2:
            problem = (
                "max_pool1d() padding should be at most half of kernel size, but got "
                f"padding={padding} and kernel_size={kernel}"
            )
        elif dilation <= 0:
            problem = f"max_pool1d() dilation must be greater than zero, but got {dilation}"
        else:
            reach = length + 2 * padding - dilation * (kernel - 1) - 1
            count = (reach + (stride - 1 if ceil_mode else 0)) // stride + 1
            if count <= 0:
                problem = f"max_pool1d() Invalid computed output size: {count}"
    if problem:
        raise ShapeError(problem)


# Back to where they stood


@composite(dtype="same", nodes={"": "MaxUnpool2DBackward0"})
def _max_unpool2d(self: Tensor, indices: Tensor, output_size: Sizes) -> Tensor:
    """Return zeros of *output_size* with *self* at *indices*.

    Raises:
        ShapeError: an index lies outside.
    """
    return _put_back(self, indices, output_size)


@composite(dtype="same", nodes={"": "MaxUnpool3DBackward0"})
def _max_unpool3d(self: Tensor, indices: Tensor, output_size: Sizes) -> Tensor:
    """Return zeros of *output_size* with *self* at *indices*.

    Raises:
        ShapeError: an index lies outside.
    """
    return _put_back(self, indices, output_size)


def _put_back(x: Tensor, indices: Tensor, output_size: Sizes) -> Tensor:
    spatial, cells = len(output_size), prod(output_size)
    wrong = (indices < 0) | (indices >= cells)
    if occurs(wrong):
        volume = "x".join(map(str, output_size))
        msg = (
            f"Found an invalid max index: {first_of(indices, wrong)} (output volumes are of size "
            f"{volume})\nmax_unpool: expected indices from 0 to {cells - 1}."
        )
        raise ShapeError(msg)
    return _pool_scatter(x, indices, (*x.shape[: x.dim() - spatial], *output_size), spatial, True)


_max_unpool2d.vjp(self=lambda grad, indices: _pool_gather(grad, indices, 2), indices=None)
_max_unpool3d.vjp(self=lambda grad, indices: _pool_gather(grad, indices, 3), indices=None)


def _unpool(
    spatial: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    output_size: Any,
) -> Any:
    name = f"max_unpool{spatial}d"
    check_tensor(name, input)
    check_tensor(name, indices, "indices", 2)
    kernel, step, around = (
        (n,) * spatial if isinstance(n, int) else tuple(n)
        for n in (kernel_size, kernel_size if stride is None else stride, padding)
    )
    shape = tuple(input._array.shape)
    size = _unpooled(shape, kernel, step, around, output_size)
    flat = spatial == 1
    if flat:
        size = (1, *size)
        input, indices = unsqueeze(input, -2), unsqueeze(indices, -2)
    _check_unpool(input, indices, 2 if flat else spatial, size)
    result = (_max_unpool3d if spatial == 3 else _max_unpool2d)(input, indices, size)
    return squeeze(result, -2) if flat else result


def _unpooled(
    shape: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, output_size: Any
) -> Sizes:
    """Return the size to unpool to, which is only known up to a stride."""
    sizes = shape[len(shape) - len(kernel) :]
    parts = zip(sizes, kernel, stride, padding, strict=False)
    default = tuple((n - 1) * s + k - 2 * p for n, k, s, p in parts)
    if output_size is None:
        return default
    wanted = tuple(output_size)
    if len(wanted) == len(kernel) + 2:
        wanted = wanted[2:]
    if len(wanted) != len(kernel):
        msg = (
            f"output_size should be a sequence containing {len(kernel)} or {len(kernel) + 2} "
            f"elements, but it has a length of '{len(wanted)}'"
        )
        raise ValueError(msg)
    for dim, (found, n, s) in enumerate(zip(wanted, default, stride, strict=True)):
        if not n - s < found < n + s:
            msg = f'invalid output_size "{wanted}" (dim {dim} must be between {n - s} and {n + s})'
            raise ValueError(msg)
    return wanted


def _check_unpool(input: Tensor, indices: Tensor, spatial: int, size: Sizes) -> None:
    shape = list(input._array.shape)
    if len(shape) not in {spatial + 1, spatial + 2}:
        msg = (
            f"Input to max_unpooling{spatial}d should be a {spatial + 1}d or {spatial + 2}d "
            f"Tensor, but got a tensor with {len(shape)} dimensions."
        )
        raise ShapeError(msg)
    if indices._key.dtype is not dtypes.int64:
        msg = (
            "elements in indices should be type int64 but got: "
            f"{indices._key.dtype.scalar_name}\n"
            "max_unpool: give the indices that max_pool returned."
        )
        raise DTypeError(msg)
    if list(indices._array.shape) != shape:
        msg = (
            "Expected shape of indices to be same as that of the input tensor "
            f"({shape}) but got indices tensor with shape: {list(indices._array.shape)}"
        )
        raise ShapeError(msg)


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Return zeros with *input* where `max_pool1d` took it from; arguments as of `max_unpool2d`.

    >>> import chainrule as cr
    >>> pooled = cr.max_pool1d(cr.tensor([[1.0, 3.0, 2.0, 0.0]]), 2, return_indices=True)
    >>> cr.max_unpool1d(*pooled, 2)
    tensor([[0., 3., 2., 0.]])
    """
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Return zeros with *input* where `max_pool2d` took it from.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        indices: What pooling returned, of the same shape.
        kernel_size: As pooling was given.
        stride: As pooling was given.
        padding: As pooling was given.
        output_size: The size that was pooled, where the stride leaves a choice.

    Raises:
        ValueError: *output_size* is none of the possible ones.
        RuntimeError: shapes differ, or an index lies outside.

    Gradient:
        ``grad`` at *indices*.

    >>> import chainrule as cr
    >>> pooled = cr.max_pool2d(cr.tensor([[[1.0, 3.0], [2.0, 0.0]]]), 2, return_indices=True)
    >>> cr.max_unpool2d(*pooled, 2)
    tensor([[[0., 3.],
             [0., 0.]]])
    """
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Return zeros with *input* where `max_pool3d` took it from; arguments as of `max_unpool2d`.

    >>> import chainrule as cr
    >>> pooled = cr.max_pool3d(cr.ones(1, 2, 2, 2), 2, return_indices=True)
    >>> cr.max_unpool3d(*pooled, 2).sum()
    tensor(1.)
    """
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size)
