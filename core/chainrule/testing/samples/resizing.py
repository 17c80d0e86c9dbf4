"""Samples of chainrule/ops/resizing.py and patches.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker


def _resized(make: Maker) -> Iterator[Sample]:
    line, plane, space = (3,), (3, 2), (2, 3, 2)
    for size in (line, plane, space):
        for mode in ("nearest", "nearest-exact", "area"):
            yield Sample(make(2, 2, *size), [4, 3, 5][: len(size)], mode=mode)
        yield Sample(make(1, 2, *size), scale_factor=1.7)
    for mode, size in (
        ("linear", line), ("bilinear", plane), ("bicubic", plane), ("trilinear", space)
    ):  # fmt: skip
        for align in (False, True):
            yield Sample(make(1, 2, *size), 5, mode=mode, align_corners=align)
            yield Sample(make(1, 2, *size), None, 0.7, mode, align)
    for mode in ("bilinear", "bicubic"):
        yield Sample(make(1, 1, 6, 5), (3, 2), mode=mode, antialias=True)
        yield Sample(make(1, 1, 3, 2), (5, 4), mode=mode, antialias=True)
    yield Sample(make(1, 1, 7, 5), (3, 2), mode="lanczos", antialias=True)
    yield Sample(make(1, 2, 5), scale_factor=1.5, mode="linear", recompute_scale_factor=True)
    yield Sample(make(0, 2, 3), 4)


def _resize_errors(make: Maker) -> Iterator[ErrorSample]:
    x = make(1, 1, 4, 4)
    for sample, raises, text in (
        (Sample(x), ValueError, "either size or scale_factor should be defined"),
        (Sample(x, 2, 2.0), ValueError, "only one of size or scale_factor should be defined"),
        (Sample(x, (2,)), ValueError,
         ("Input and output must have the same number of spatial dimensions, but got input with "
          r"spatial dimensions of \[4, 4\] and output size of \(2,\)\.")),
        (Sample(x, 2, mode="linear"), NotImplementedError,
         "Got 4D input, but linear mode needs 3D input"),
        (Sample(x, 2, align_corners=True), ValueError,
         "align_corners option can only be set with the interpolating modes"),
        (Sample(x, 0), RuntimeError, "Input and output sizes should be greater than 0, but got"),
        (Sample(x, 2, antialias=True), ValueError, "Anti-alias option is restricted to bilinear"),
    ):  # fmt: skip
        yield ErrorSample(sample=sample, raises=raises, match=text)


def _columns(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 2, 4, 3), 2)
    yield Sample(make(2, 4, 3), (2, 1), 1, 1, 2)
    yield Sample(make(1, 1, 5, 4), (2, 3), (2, 1), (1, 0), 1)
    yield Sample(make(0, 2, 3, 3), 2)
    yield Sample(make.transposed(2, 2, 3, 3, dims=(0, 1)), 2)


def _column_errors(make: Maker) -> Iterator[ErrorSample]:
    for sample, text in (
        (
            Sample(make(1, 1, 2, 2), 3),
            r"Given input with spatial size \(2, 2\), kernel_size=\(3, 3\), dilation=\(1, 1\)",
        ),
        (
            Sample(make(1, 1, 4, 4), 2, stride=0),
            "stride should be greater than zero, but got stride_height: 0 stride_width: 0",
        ),
    ):
        yield ErrorSample(sample=sample, raises=RuntimeError, match=text)


def _folded(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 8, 6), (4, 3), 2)
    yield Sample(make(4, 4), 3, 2)
    yield Sample(make(1, 2, 9), (4, 3), (2, 1), 1, 1, 2)
    yield Sample(make(0, 4, 4), 3, 2)


def _fold_errors(make: Maker) -> Iterator[ErrorSample]:
    for sample, text in (
        (
            Sample(make(1, 3, 4), (3, 3), 2),
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size",
        ),
        (Sample(make(1, 4, 5), (3, 3), 2), r"Given output_size=\(3, 3\), kernel_size=\(2, 2\)"),
    ):
        yield ErrorSample(sample=sample, raises=RuntimeError, match=text)


def _pixels(make: Maker) -> Iterator[Sample]:
    yield Sample(make(1, 8, 2, 3), 2)
    yield Sample(make(9, 1, 2), 3)
    yield Sample(make(2, 1, 4, 2, 1), 2)
    yield Sample(make(0, 4, 2, 2), 2)


def _shuffled(np: Any, x: Any, r: int) -> Any:
    *lead, channels, high, wide = x.shape
    out = np.zeros((*lead, channels // (r * r), high * r, wide * r))
    for i, j in np.ndindex(r, r):
        out[..., i::r, j::r] = x[..., i * r + j :: r * r, :, :]
    return out


def _pixel_errors(make: Maker) -> Iterator[ErrorSample]:
    for sample, text in (
        (
            Sample(make(1, 3, 2, 2), 2),
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square",
        ),
        (Sample(make(1, 4, 2, 2), 0), "pixel_shuffle expects a positive upscale_factor, but got 0"),
        (Sample(make(2, 2), 2), "pixel_shuffle expects input to have at least 3 dimensions"),
    ):
        yield ErrorSample(sample=sample, raises=RuntimeError, match=text)


def _unshuffled(make: Maker) -> Iterator[Sample]:
    yield Sample(make(1, 2, 4, 6), 2)
    yield Sample(make(1, 3, 3), 3)


def _unshuffle_errors(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(1, 3, 3, 2), 2),
        raises=RuntimeError,
        match="pixel_unshuffle expects height to be divisible by downscale_factor",
    )


def _unshuffle(np: Any, x: Any, r: int) -> Any:
    *lead, channels, high, wide = x.shape
    out = np.zeros((*lead, channels * r * r, high // r, wide // r))
    for i, j in np.ndindex(r, r):
        out[..., i * r + j :: r * r, :, :] = x[..., i::r, j::r]
    return out


def _channels(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 6, 3), 2)
    yield Sample(make(1, 6, 2, 2), 3)
    yield Sample(make(0, 4, 2), 2)


def _channel_errors(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(1, 3, 2, 2), 2),
        raises=RuntimeError,
        match="Number of channels must be divisible by groups. Got 3 channels and 2 groups.",
    )


def _mixed(np: Any, x: Any, groups: int) -> Any:
    order = np.arange(x.shape[1]).reshape(groups, -1).T.reshape(-1)
    return x[:, order]


cases = [
    OpCase("nn.functional.interpolate", _resized, errors=_resize_errors),
    OpCase(
        "im2col",
        _columns,
        saved=("dilation", "kernel_size", "padding", "stride"),
        node="Im2ColBackward0",
        errors=_column_errors,
    ),
    OpCase(
        "col2im",
        _folded,
        saved=("dilation", "kernel_size", "padding", "stride"),
        node="Col2ImBackward0",
        errors=_fold_errors,
    ),
    OpCase("pixel_shuffle", _pixels, _shuffled, errors=_pixel_errors),
    OpCase("pixel_unshuffle", _unshuffled, _unshuffle, errors=_unshuffle_errors),
    OpCase("channel_shuffle", _channels, _mixed, errors=_channel_errors),
    OpCase("native_channel_shuffle", _channels, _mixed),
]
