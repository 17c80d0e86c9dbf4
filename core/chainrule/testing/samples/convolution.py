"""Samples of chainrule/ops/convolution.py."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

DTYPES = ("float32", "float64", "complex128")
REAL = ("float32", "float64")  # convolution() of complex numbers has no gradient in PyTorch


def _plane(spatial: int) -> tuple[int, ...]:
    return (5, 4, 3)[:spatial]


def _convolutions(spatial: int) -> Callable[[Maker], Iterator[Sample]]:
    size, three, two = _plane(spatial), (3, 2, 2)[:spatial], (2,) * spatial

    def samples(make: Maker) -> Iterator[Sample]:
        yield Sample(make(2, 2, *size), make(3, 2, *three), make(3))
        yield Sample(make(2, *size), make(3, 2, *three))
        yield Sample(make(1, 4, *size), make(4, 2, *two), make(4), 2, 1, 1, 2)
        yield Sample(make(2, 2, *size), make(4, 1, *two), stride=1, padding=1, groups=2)
        yield Sample(make(1, 2, *size), make(2, 1, *two), stride=2, dilation=2, padding=2, groups=2)
        yield Sample(make(2, 2, *size), make(3, 2, *(1,) * spatial), make(3))
        yield Sample(make(1, 1, *size), make(2, 1, *three), padding="same")
        yield Sample(make(1, 2, *size), make(2, 2, *two), padding="same", dilation=1)
        yield Sample(make(1, 2, *size), make(2, 2, *two), None, 1, "valid")
        yield Sample(make(0, 2, *size), make(3, 2, *two), make(3))
        yield Sample(make.transposed(2, 2, *size, dims=(0, 1)), make(1, 2, *two))

    return samples


def _transposed(spatial: int) -> Callable[[Maker], Iterator[Sample]]:
    size, two = (3, 2, 2)[:spatial], (2,) * spatial

    def samples(make: Maker) -> Iterator[Sample]:
        yield Sample(make(2, 2, *size), make(2, 3, *two), make(3))
        yield Sample(make(2, *size), make(2, 3, *two))
        yield Sample(make(1, 4, *size), make(4, 2, *two), make(4), 2, 1, 1, 2)
        yield Sample(make(1, 2, *size), make(2, 2, *two), None, 1, 0, 1, 1, 2)
        yield Sample(make(2, 2, *size), make(2, 1, *two), groups=2, stride=3)
        yield Sample(make(0, 2, *size), make(2, 1, *two))

    return samples


def _general(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 2, 4), make(3, 2, 2), make(3), [1], [1], [2], False, [0], 1)
    yield Sample(make(1, 2, 3, 3), make(2, 3, 2, 2), None, [2, 1], [0], [1], True, [1, 0], 1)


def _sizes(given: Any, spatial: int) -> tuple[int, ...]:
    return (given,) * spatial if isinstance(given, int) else tuple(given)


def _reference(spatial: int) -> Any:
    def reference(
        np: Any, x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1,
    ) -> Any:  # fmt: skip
        steps, spread = _sizes(stride, spatial), _sizes(dilation, spatial)
        batched = x.ndim == spatial + 2
        x = x if batched else x[None]
        kernel = w.shape[2:]
        reach = [d * (k - 1) for k, d in zip(kernel, spread, strict=True)]
        around = [(0, 0), (0, 0)]
        if padding == "same":
            around += [(n // 2, n - n // 2) for n in reach]
        else:
            around += [(p, p) for p in _sizes(0 if padding == "valid" else padding, spatial)]
        x = np.pad(x, around)
        count = [(n - r - 1) // s + 1 for n, r, s in zip(x.shape[2:], reach, steps, strict=True)]
        out = np.zeros((x.shape[0], w.shape[0], *count), x.dtype)
        share = w.shape[0] // groups
        for o, place in itertools.product(range(w.shape[0]), np.ndindex(*kernel)):
            seen = tuple(
                slice(k * d, k * d + (n - 1) * s + 1, s)
                for k, d, s, n in zip(place, spread, steps, count, strict=True)
            )
            first = o // share * w.shape[1]
            channels = x[(slice(None), slice(first, first + w.shape[1]), *seen)]
            out[:, o] += np.tensordot(channels, w[(o, slice(None), *place)], (1, 0))
        if bias is not None:
            out = out + bias.reshape(-1, *(1,) * spatial)
        return out if batched else out[0]

    return reference


def _transposed_reference(spatial: int) -> Any:
    def reference(
        np: Any, x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
    ) -> Any:  # fmt: skip
        steps, spread = _sizes(stride, spatial), _sizes(dilation, spatial)
        around, more = _sizes(padding, spatial), _sizes(output_padding, spatial)
        batched = x.ndim == spatial + 2
        x = x if batched else x[None]
        kernel, share = w.shape[2:], w.shape[1]
        size = [
            (n - 1) * s + d * (k - 1) + o + 1
            for n, s, d, k, o in zip(x.shape[2:], steps, spread, kernel, more, strict=True)
        ]
        out = np.zeros((x.shape[0], share * groups, *size), x.dtype)
        for c, place in itertools.product(range(w.shape[0]), np.ndindex(*kernel)):
            seen = tuple(
                slice(k * d, k * d + (n - 1) * s + 1, s)
                for k, d, s, n in zip(place, spread, steps, x.shape[2:], strict=True)
            )
            first = c // (w.shape[0] // groups) * share
            factors = w[(c, slice(None), *place)].reshape(1, share, *(1,) * spatial)
            out[(slice(None), slice(first, first + share), *seen)] += x[:, c : c + 1] * factors
        inside = tuple(slice(p, n - p) for p, n in zip(around, size, strict=True))
        out = out[(..., *inside)]
        if bias is not None:
            out = out + bias.reshape(-1, *(1,) * spatial)
        return out if batched else out[0]

    return reference


def _general_reference(
    np: Any, x: Any, w: Any, bias: Any, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: int,
) -> Any:  # fmt: skip
    spatial = w.ndim - 2
    stride, padding, dilation, output_padding = (
        n * spatial if len(n) == 1 else n for n in (stride, padding, dilation, output_padding)
    )
    if transposed:
        return _transposed_reference(spatial)(
            np, x, w, bias, stride, padding, output_padding, groups, dilation
        )
    return _reference(spatial)(np, x, w, bias, stride, padding, dilation, groups)


def _errors(make: Maker) -> Iterator[ErrorSample]:
    x, w = make(1, 2, 5, 5), make(4, 2, 3, 3)
    for sample, text in (
        (Sample(make(1, 3, 5, 5), w),
         (r"Given groups=1, weight of size \[4, 2, 3, 3\], expected input\[1, 3, 5, 5\] to have 2 "
         "channels, but got 3 channels instead")),
        (Sample(make(5, 5), w),
         (r"Expected 3D \(unbatched\) or 4D \(batched\) input to conv2d, but got input of size: "
         r"\[5, 5\]")),
        (Sample(make(1, 2, 2, 2), w),
         (r"Calculated padded input size per channel: \(2 x 2\)\. Kernel size: \(3 x 3\)\. Kernel "
         "size can't be greater than actual input size")),
        (Sample(x, w, make(3)),
         r"Given weight of size \[4, 2, 3, 3\], expected bias to be 1-dimensional with 4 elements"),
        (Sample(x, w, stride=0), "non-positive stride is not supported"),
        (Sample(x, w, dilation=0), r"dilation should be greater than zero, but got \[0, 0\]"),
        (Sample(x, w, padding=-1), "negative padding is not supported"),
        (Sample(x, w, groups=0), "non-positive groups is not supported"),
        (Sample(x, w, stride=(1, 1, 1)),
         "expected stride to be a single integer value or a list of 2 values to match"),
        (Sample(x, w, padding="same", stride=2), "padding='same' is not supported for strided"),
        (Sample(x, w, padding="foo"), "Invalid padding string: 'foo'"),
    ):  # fmt: skip
        yield ErrorSample(sample=sample, raises=RuntimeError, match=text)


def _transposed_errors(make: Maker) -> Iterator[ErrorSample]:
    x, w = make(1, 2, 3, 3), make(2, 4, 3, 3)
    for sample, text in (
        (Sample(make(1, 3, 3, 3), w), "Given transposed=1, weight of size"),
        (Sample(x, w, output_padding=2),
         ("output padding must be smaller than either stride or dilation, but got "
         "output_padding_height: 2")),
        (Sample(x, w, padding=4), r"Given input size per channel: \(3 x 3\)\. Calculated output"),
    ):  # fmt: skip
        yield ErrorSample(sample=sample, raises=RuntimeError, match=text)


SAVED = (
    "dilation", "groups", "input", "output_padding", "padding", "stride", "transposed", "weight",
)  # fmt: skip
NODE = "ConvolutionBackward0"

cases = [
    OpCase("convolution", _general, _general_reference, dtypes=REAL, saved=SAVED, node=NODE),
    *(
        OpCase(
            f"conv{n}d",
            _convolutions(n),
            _reference(n),
            dtypes=DTYPES,
            saved=SAVED,
            node=NODE,
            errors=_errors if n == 2 else None,
        )
        for n in (1, 2, 3)
    ),
    *(
        OpCase(
            f"conv_transpose{n}d",
            _transposed(n),
            _transposed_reference(n),
            dtypes=REAL,
            saved=SAVED,
            node=NODE,
            errors=_transposed_errors if n == 2 else None,
        )
        for n in (1, 2, 3)
    ),
]
