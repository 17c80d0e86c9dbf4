"""Kernels of chainrule/ops/patches.py."""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backend import KernelSet

from .convolution import Layout, cropped, padded, windows

ks = KernelSet("xp")

Sizes = tuple[int, ...]


@ks.family("cr::_im2col")
def im2col(xp: Any) -> Any:
    def kernel(
        x: Any, *, kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
    ) -> Any:
        count = Layout(stride, padding, dilation, 1).counts(x.shape[2:], kernel_size)
        seen = windows(xp, padded(xp, x, padding), kernel_size, count, stride, dilation)
        return seen.reshape(x.shape[0], x.shape[1] * prod(kernel_size), prod(count))

    return kernel


@ks.family("cr::_col2im")
def col2im(xp: Any) -> Any:
    def kernel(
        x: Any,
        *,
        output_size: Sizes,
        kernel_size: Sizes,
        dilation: Sizes,
        padding: Sizes,
        stride: Sizes,
    ) -> Any:
        layout = Layout(stride, padding, dilation, 1)
        count = layout.counts(output_size, kernel_size)
        channels = x.shape[1] // prod(kernel_size)
        shares = x.reshape(x.shape[0], channels, *kernel_size, *count)
        size = (n + 2 * p for n, p in zip(output_size, padding, strict=True))
        out = xp.zeros((x.shape[0], channels, *size), x.dtype)
        for place, seen in layout.places(kernel_size, count):
            out[seen] += shares[(slice(None), slice(None), *place)]
        return cropped(xp, out, padding)

    return kernel
