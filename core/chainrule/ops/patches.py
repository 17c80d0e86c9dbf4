"""Windows as columns and back, and channels taken for places: everything that only moves elements.

Source of the pixel shuffle: Shi and others, "Real-time single image and video super-resolution
using an efficient sub-pixel convolutional neural network", 2016.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ..errors import ShapeError
from ..op import composite, primitive
from ..views import own
from ._arguments import check_tensor
from .shape import squeeze, unsqueeze

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = [
    "channel_shuffle", "col2im", "im2col", "native_channel_shuffle", "pixel_shuffle",
    "pixel_unshuffle",
]  # fmt: skip

Sizes = tuple[int, ...]


@primitive(dtype="same", nodes={"": "Im2ColBackward0"})
def _im2col(
    self: Tensor, kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> Tensor:
    """Return the windows of a batch of planes as columns."""


@primitive(dtype="same", nodes={"": "Col2ImBackward0"})
def _col2im(
    self: Tensor,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes,
    padding: Sizes,
    stride: Sizes,
) -> Tensor:
    """Return planes of *output_size* in which the columns are added up as windows."""


_im2col.vjp(
    self=lambda grad, self_shape, kernel_size, dilation, padding, stride: _col2im(
        grad, tuple(self_shape[2:]), kernel_size, dilation, padding, stride
    )
)
_col2im.vjp(
    self=lambda grad, kernel_size, dilation, padding, stride: _im2col(
        grad, kernel_size, dilation, padding, stride
    )
)


def _pairs(**given: Any) -> list[Sizes]:
    """Return each size as a pair."""
    found: list[Sizes] = []
    for name, sizes in given.items():
        pair = (sizes,) * 2 if isinstance(sizes, int) else tuple(sizes)
        if len(pair) == 1 and name != "output_size":
            pair *= 2
        if len(pair) != 2:
            msg = f"It is expected {name} equals to 2, but got size {len(pair)}"
            raise ShapeError(msg)
        found.append(pair)
    return found


def _check_pairs(kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> None:
    for name, short, pair in (
        ("kernel size", "kernel", kernel), ("dilation", "dilation", dilation),
        ("stride", "stride", stride),
    ):  # fmt: skip
        if min(pair) <= 0:
            msg = (
                f"{name} should be greater than zero, but got {short}_height: {pair[0]} "
                f"{short}_width: {pair[1]}"
            )
            raise ShapeError(msg)
    if min(padding) < 0:
        msg = (
            f"padding should be non-negative, but got pad_height: {padding[0]} pad_width: "
            f"{padding[1]}"
        )
        raise ShapeError(msg)


def _count(size: Any, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> Sizes:
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(size, kernel, dilation, padding, stride, strict=True)
    )


def im2col(
    input: Tensor,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Any:
    """Return the windows of *input* as columns: ``nn.functional.unfold``.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size: The size of a window.
        dilation: How far one element of a window is from the next.
        padding: How many zeros are put on both sides.
        stride: How far one window is from the next.

    Returns:
        ``(N, C * kernel elements, windows)``.

    Raises:
        RuntimeError: sizes do not fit.

    Gradient:
        ``grad`` added up where windows overlap.

    >>> import chainrule as cr
    >>> cr.nn.functional.unfold(cr.arange(4.0).reshape(1, 1, 2, 2), (1, 2))
    tensor([[[0., 2.],
             [1., 3.]]])
    """
    check_tensor("im2col", input)
    sizes = _pairs(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)
    _check_pairs(*sizes)
    shape = list(input._array.shape)
    if len(shape) not in {3, 4} or 0 in shape[-3:]:
        msg = (
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {shape}"
        )
        raise ShapeError(msg)
    count = _count(shape[-2:], *sizes)
    if min(count) < 1:
        kernel, spread, around, _ = sizes
        msg = (
            f"Given input with spatial size ({shape[-2]}, {shape[-1]}), kernel_size={kernel}, "
            f"dilation={spread}, padding={around}, calculated shape of the array of sliding blocks "
            f"as {count}, but its components must be at least one."
        )
        raise ShapeError(msg)
    if len(shape) == 3:
        return own(squeeze(_im2col(unsqueeze(input, 0), *sizes), 0))
    return _im2col(input, *sizes)


def col2im(
    input: Tensor,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Any:
    """Return planes in which the columns of *input* are added up as windows: ``fold``.

    Args:
        input: ``(N, C * kernel elements, windows)``, or without ``N``.
        output_size: Height and width of the planes.
        kernel_size: The size of a window.
        dilation: How far one element of a window is from the next.
        padding: How many elements are cut off on both sides.
        stride: How far one window is from the next.

    Returns:
        ``(N, C, H, W)``.

    Raises:
        RuntimeError: sizes do not fit.

    Gradient:
        The windows of ``grad`` as columns.

    >>> import chainrule as cr
    >>> columns = cr.nn.functional.unfold(cr.ones(1, 1, 3, 3), 2)
    >>> cr.nn.functional.fold(columns, 3, 2)
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    check_tensor("col2im", input)
    size, *sizes = _pairs(
        output_size=output_size,
        kernel_size=kernel_size,
        dilation=dilation,
        padding=padding,
        stride=stride,
    )
    _check_pairs(*sizes)
    _check_columns(list(input._array.shape), size, sizes)
    if len(input._array.shape) == 2:
        return own(squeeze(_col2im(unsqueeze(input, 0), size, *sizes), 0))
    return _col2im(input, size, *sizes)


def _check_columns(shape: list[int], size: Sizes, sizes: list[Sizes]) -> None:
    if len(shape) not in {2, 3} or 0 in shape[-2:]:
        msg = (
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
            f"non-zero dimensions for input, but got: {shape}"
        )
        raise ShapeError(msg)
    kernel, spread, around, steps = sizes
    rows = len(shape) - 2
    if shape[rows] % prod(kernel):
        msg = (
            f"Expected size of input's dimension {rows} to be divisible by the product of "
            f"kernel_size, but got input.size({rows})={shape[rows]} and kernel_size={kernel}."
        )
        raise ShapeError(msg)
    high, wide = (max(n, 0) for n in _count(size, kernel, spread, around, steps))
    if shape[-1] != high * wide:
        msg = (
            f"Given output_size={size}, kernel_size={kernel}, dilation={spread}, padding={around}, "
            f"stride={steps}, expected size of input's dimension {rows + 1} to match the "
            f"calculated number of sliding blocks {high} * {wide} = {high * wide}, but got "
            f"input.size({rows + 1})={shape[-1]}."
        )
        raise ShapeError(msg)


# Channels and places


@composite(dtype="same", nodes={"": "PixelShuffleBackward0"})
def _pixel_shuffle(self: Tensor, upscale_factor: int) -> Tensor:
    """Return planes that are larger by the factor, with channels fewer by its square."""
    r, x = upscale_factor, self
    *lead, channels, high, wide = x._array.shape
    n = len(lead)
    parts = x.reshape(*lead, channels // (r * r), r, r, high, wide)
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    copied = parts.permute(order).clone()  # always: the op is no view, whatever the sizes
    return copied.reshape(*lead, channels // (r * r), high * r, wide * r)


@composite(dtype="same", nodes={"": "PixelUnshuffleBackward0"})
def _pixel_unshuffle(self: Tensor, downscale_factor: int) -> Tensor:
    """Return planes that are smaller by the factor, with channels more by its square."""
    r, x = downscale_factor, self
    *lead, channels, high, wide = x._array.shape
    n = len(lead)
    parts = x.reshape(*lead, channels, high // r, r, wide // r, r)
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    copied = parts.permute(order).clone()  # as above
    return copied.reshape(*lead, channels * r * r, high // r, wide // r)


_pixel_shuffle.vjp(self=lambda grad, upscale_factor: _pixel_unshuffle(grad, upscale_factor))
_pixel_unshuffle.vjp(self=lambda grad, downscale_factor: _pixel_shuffle(grad, downscale_factor))


def _check_pixels(function: str, input: Any, name: str, factor: int) -> None:
    check_tensor(function, input)
    ndim = len(input._array.shape)
    if ndim < 3:
        msg = (
            f"{function} expects input to have at least 3 dimensions, but got input with {ndim} "
            "dimension(s)"
        )
        raise ShapeError(msg)
    if factor <= 0:
        msg = f"{function} expects a positive {name}, but got {factor}"
        raise ShapeError(msg)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Return *input* with channels laid out as places.

    Args:
        input: ``(*, C * r * r, H, W)``.
        upscale_factor: The factor r.

    Returns:
        ``(*, C, H * r, W * r)``.

    Raises:
        RuntimeError: the channels are no multiple of the factor's square.

    Gradient:
        ``grad`` moved back.

    >>> import chainrule as cr
    >>> cr.pixel_shuffle(cr.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    _check_pixels("pixel_shuffle", input, "upscale_factor", upscale_factor)
    channels, square = input._array.shape[-3], upscale_factor * upscale_factor
    if channels % square:
        msg = (
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={channels} is not divisible by {square}"
        )
        raise ShapeError(msg)
    return _pixel_shuffle(input, upscale_factor)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Return *input* with places laid out as channels: what `pixel_shuffle` undoes.

    Args:
        input: ``(*, C, H * r, W * r)``.
        downscale_factor: The factor r.

    Returns:
        ``(*, C * r * r, H, W)``.

    Raises:
        RuntimeError: height or width is no multiple of the factor.

    Gradient:
        ``grad`` moved back.

    >>> import chainrule as cr
    >>> cr.pixel_unshuffle(cr.arange(4.0).reshape(1, 2, 2), 2).shape
    torch.Size([4, 1, 1])
    """
    _check_pixels("pixel_unshuffle", input, "downscale_factor", downscale_factor)
    for name, dim in (("height", -2), ("width", -1)):
        size = input._array.shape[dim]
        if size % downscale_factor:
            msg = (
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                f"input.size({dim})={size} is not divisible by {downscale_factor}"
            )
            raise ShapeError(msg)
    return _pixel_unshuffle(input, downscale_factor)


@composite(dtype="same", nodes={"": "ChannelShuffleBackward0"})
def _channel_shuffle(self: Tensor, groups: int) -> Tensor:
    """Return the channels in another order: the first of every group, then the second, and on."""
    samples, channels, *size = self._array.shape
    parts: Any = self.reshape(samples, groups, channels // groups, prod(size))
    return parts.transpose(1, 2).reshape(samples, channels, *size)  # type: ignore[no-any-return]  # a Tensor


_channel_shuffle.vjp(
    self=lambda grad, self_shape, groups: _channel_shuffle(grad, self_shape[1] // groups)
)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return the channels of *input* in another order, so that groups mix.

    Args:
        input: ``(N, C, *)`` with at least three dimensions.
        groups: How many groups the channels are in.

    Raises:
        RuntimeError: the channels are no multiple of *groups*.

    Gradient:
        ``grad`` moved back.

    Source:
        Zhang and others, "ShuffleNet: an extremely efficient convolutional neural network for
        mobile devices", 2018.

    >>> import chainrule as cr
    >>> cr.channel_shuffle(cr.arange(4.0).reshape(1, 4, 1), 2).reshape(-1)
    tensor([0., 2., 1., 3.])
    """
    check_tensor("channel_shuffle", input)
    shape = list(input._array.shape)
    if len(shape) < 3:
        msg = f"channel_shuffle expects input with > 2 dims, but got input with sizes {shape}"
        raise ShapeError(msg)
    if groups <= 0:
        msg = f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        raise ShapeError(msg)
    if shape[1] % groups:
        msg = (
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} "
            "groups."
        )
        raise ShapeError(msg)
    return _channel_shuffle(input, groups)


def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return `channel_shuffle`, which here is differentiable under this name too.

    >>> import chainrule as cr
    >>> cr.native_channel_shuffle(cr.arange(4.0).reshape(1, 4, 1), 2).reshape(-1)
    tensor([0., 2., 1., 3.])
    """
    return channel_shuffle(input, groups)
