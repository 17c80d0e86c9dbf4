"""Kernels of chainrule/ops/pooling_max.py, pooling_average.py and pooling_adaptive.py.

Windows are met one place of the kernel at a time, for all windows at once: a loop over the few
places, each a strided view of the whole array.
"""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backend import KernelSet

from .convolution import Layout
from .indexing import add_flat
from .resizing import along

ks = KernelSet("xp")

Sizes = tuple[int, ...]


def covered(xp: Any, x: Any, kernel: Sizes, count: Sizes, layout: Layout, value: Any) -> Any:
    """Return *x* padded with *value* so that all windows lie inside, the last ones too."""
    ndim = len(kernel)
    sizes = x.shape[x.ndim - ndim :]
    needed = tuple(
        max((c - 1) * s + d * (k - 1) + 1, n + p)
        for c, s, d, k, n, p in zip(
            count, layout.stride, layout.dilation, kernel, sizes, layout.padding, strict=True
        )
    )
    if needed == sizes and not any(layout.padding):
        return x
    out = xp.full((*x.shape[: x.ndim - ndim], *needed), value, x.dtype)
    inside = (slice(p, p + n) for p, n in zip(layout.padding, sizes, strict=True))
    out[(..., *inside)] = x
    return out


def lowest(xp: Any, dtype: Any) -> Any:
    """Return what no element of *dtype* is below."""
    return -xp.inf if dtype.kind == "f" else xp.iinfo(dtype).min


def _flat_places(
    xp: Any, which: Any, kernel: Sizes, count: Sizes, layout: Layout, sizes: Sizes
) -> Any:
    """Return where in the unpadded plane the place number *which* of every window lies."""
    flat: Any = 0
    for dim, size in enumerate(sizes):
        inner = prod(kernel[dim + 1 :])
        line = (count[dim], *(1,) * (len(count) - 1 - dim))
        start = (xp.arange(count[dim]) * layout.stride[dim] - layout.padding[dim]).reshape(line)
        step = layout.dilation[dim]
        row = which // inner % kernel[dim] * step + start
        if layout.padding[dim]:  # where all is -inf, the first place may lie in the padding
            row = xp.where(row < 0, row % step, row)
        flat = flat * size + row
    return flat


def pooled(sizes: Sizes, kernel: Sizes, layout: Layout, ceil: bool) -> Sizes:
    """Return how many windows there are; with *ceil* the last ones may hang over."""
    count = []
    for n, k, s, p, d in zip(
        sizes, kernel, layout.stride, layout.padding, layout.dilation, strict=True
    ):
        reach = n + 2 * p - d * (k - 1) - 1 + (s - 1 if ceil else 0)
        found = reach // s + 1
        if ceil and (found - 1) * s >= n + p:  # a window that begins behind the end is none
            found -= 1
        count.append(found)
    return tuple(count)


@ks.family("cr::_max_pool2d_with_indices")
@ks.family("cr::_max_pool3d_with_indices")
def max_pool(xp: Any) -> Any:
    def kernel(
        x: Any,
        *,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
        ceil_mode: bool,
    ) -> Any:
        kernel = kernel_size
        layout = Layout(stride or kernel, padding, dilation, 1)
        sizes = x.shape[x.ndim - len(kernel) :]
        count = pooled(sizes, kernel, layout, ceil_mode)
        full = covered(xp, x, kernel, count, layout, lowest(xp, x.dtype))
        best: Any = None
        for number, (_, seen) in enumerate(layout.places(kernel, count)):
            found = full[seen]
            if best is None:
                best, which = xp.array(found, order="C"), xp.zeros(found.shape, "int64")
                continue
            better = found > best
            if x.dtype.kind == "f":
                better |= found != found  # noqa: PLR0124 - true of NaN alone, which wins
            best = xp.where(better, found, best)
            which = xp.where(better, number, which)
        return best, _flat_places(xp, which, kernel, count, layout, sizes)

    return kernel


def _planes(xp: Any, sizes: Sizes, spatial: int) -> tuple[Any, int]:
    """Return the number of every plane, shaped to meet its places, and how many cells one has."""
    lead = sizes[: len(sizes) - spatial]
    return xp.arange(prod(lead)).reshape(*lead, *(1,) * spatial), prod(sizes[len(lead) :])


@ks.family("cr::_pool_scatter")
def pool_scatter(xp: Any) -> Any:
    def kernel(x: Any, indices: Any, *, sizes: Sizes, spatial: int, apart: bool) -> Any:
        out = xp.zeros(sizes, x.dtype)
        if x.size and out.size:
            numbers, cells = _planes(xp, sizes, spatial)
            places = indices + numbers * cells
            if apart:  # no place is named twice, or the last one counts
                out.reshape(-1)[places.reshape(-1)] = x.reshape(-1)
            else:
                add_flat(xp, out, places, x)
        return out

    return kernel


@ks.family("cr::_pool_gather")
def pool_gather(xp: Any) -> Any:
    def kernel(x: Any, indices: Any, *, spatial: int) -> Any:
        if not x.size:
            return xp.zeros(indices.shape, x.dtype)
        numbers, cells = _planes(xp, x.shape, spatial)
        return x.reshape(-1)[indices + numbers * cells]

    return kernel


def _largest(xp: Any, x: Any, places: Any, spatial: int) -> Any:
    """Return the largest of the elements at *places* ``(…, *count, span)`` of a plane, and where.

    The first one wins, so a place may be named again.
    """
    lead = x.shape[: x.ndim - spatial]
    places = xp.broadcast_to(places, (*lead, *places.shape[places.ndim - 1 - spatial :]))
    shape = places.shape
    if 0 in shape:
        return xp.zeros(shape[:-1], x.dtype), xp.zeros(shape[:-1], "int64")
    flat = places.reshape(*lead, -1)
    found = xp.take_along_axis(x.reshape(*lead, -1), flat, -1).reshape(shape)
    which = found.argmax(-1)[..., None]
    return tuple(xp.take_along_axis(of, which, -1)[..., 0] for of in (found, places))


def _joined_places(starts: Any, sizes: Sizes) -> Any:
    """Return the flat places of windows: per dimension, rows ``(…, count, span)`` of places."""
    flat: Any = 0
    ndim, window = len(sizes), prod(rows.shape[-1] for rows in starts)
    for dim, rows in enumerate(starts):
        count, span = rows.shape[-2:]
        lead = rows.shape[:-2]
        outer = [1] * ndim
        outer[dim] = count
        inner = [1] * ndim
        inner[dim] = span
        flat = flat * sizes[dim] + rows.reshape(*lead, *outer, *inner)
    return flat.reshape(*flat.shape[: flat.ndim - ndim], window)


@ks.family("cr::_adaptive_max_pool2d")
@ks.family("cr::_adaptive_max_pool3d")
def adaptive_max_pool(xp: Any) -> Any:
    def kernel(x: Any, *, output_size: Sizes) -> Any:
        sizes = x.shape[x.ndim - len(output_size) :]
        rows = []
        for n, count in zip(sizes, output_size, strict=True):
            number = xp.arange(count)[:, None]
            start, end = number * n // max(count, 1), -(-(number + 1) * n // max(count, 1))
            span = -(-n // max(count, 1)) + 1  # no run is longer; what is too much is named twice
            rows.append(xp.minimum(start + xp.arange(span)[None, :], end - 1))
        return _largest(xp, x, _joined_places(rows, sizes), len(sizes))

    return kernel


def _random_starts(xp: Any, sample: Any, size: int, kernel: int, count: int) -> Any:
    """Return where *count* windows begin, about evenly spread with a random shift.

    Source: B. Graham, "Fractional max-pooling", 2014.
    """
    sample = sample[..., None]
    last = size - kernel
    if count == 1:
        return xp.zeros(sample.shape, "int64") + last
    step = (size - kernel) / (count - 1)
    number = xp.arange(count).astype(sample.dtype)
    start = ((number + sample) * step).astype("int64") - (sample * step).astype("int64")
    start[..., -1] = last
    return start


@ks.family("cr::_fractional_max_pool2d")
@ks.family("cr::_fractional_max_pool3d")
def fractional_max_pool(xp: Any) -> Any:
    def kernel(x: Any, samples: Any, *, kernel_size: Sizes, output_size: Sizes) -> Any:
        spatial = len(kernel_size)
        lead, sizes = x.shape[: x.ndim - spatial], x.shape[x.ndim - spatial :]
        rows = []
        if len(lead) == 1:  # without a batch, the first sample's shifts count
            samples = samples[0]
        for dim, (n, k, count) in enumerate(zip(sizes, kernel_size, output_size, strict=True)):
            drawn = samples[..., spatial - 1 - dim if spatial == 2 else dim].reshape(lead)
            start = _random_starts(xp, drawn, n, k, count)
            rows.append(start[..., None] + xp.arange(k))
        return _largest(xp, x, _joined_places(rows, sizes), spatial)

    return kernel


# Averages


def _divisor(
    xp: Any,
    sizes: Sizes,
    kernel: Sizes,
    count: Sizes,
    layout: Layout,
    include: bool,
    override: int | None,
    dtype: Any,
) -> Any:
    """Return by what the sum of each window is divided: a number, or one per window."""
    if override is not None:
        return override
    reaches = zip(sizes, kernel, count, layout.stride, layout.padding, strict=True)
    if all((c - 1) * s + k <= n + (p if include else 0) and (include or not p)
           for n, k, c, s, p in reaches):  # fmt: skip
        return prod(kernel)
    total: Any = 1
    for dim, (n, k, c, s, p) in enumerate(
        zip(sizes, kernel, count, layout.stride, layout.padding, strict=True)
    ):
        start = xp.arange(c) * s - p
        end = xp.minimum(start + k, n + p)
        if not include:
            start, end = xp.maximum(start, 0), xp.minimum(end, n)
        total = total * (end - start).reshape(c, *(1,) * (len(sizes) - 1 - dim))
    return total.astype(dtype)


def _divided(total: Any, divisor: Any) -> Any:
    if total.dtype.kind in "iu":  # towards zero, as C does
        return (total / divisor).astype(total.dtype)
    return total / divisor


@ks.family("cr::_avg_pool2d")
@ks.family("cr::_avg_pool3d")
def avg_pool(xp: Any) -> Any:
    def kernel_(
        x: Any,
        *,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes,
        ceil_mode: bool,
        count_include_pad: bool,
        divisor_override: int | None,
    ) -> Any:
        kernel, ndim = kernel_size, len(kernel_size)
        layout = Layout(stride or kernel, padding, (1,) * ndim, 1)
        sizes = x.shape[x.ndim - ndim :]
        count = pooled(sizes, kernel, layout, ceil_mode)
        full = covered(xp, x, kernel, count, layout, 0)
        total: Any = None
        for _, seen in layout.places(kernel, count):
            if total is None:
                total = xp.array(full[seen], order="C")
            else:
                total += full[seen]
        by = _divisor(
            xp, sizes, kernel, count, layout, count_include_pad, divisor_override, x.dtype
        )
        return _divided(total, by)

    return kernel_


@ks.family("cr::avg_pool_backward")
def avg_pool_backward(xp: Any) -> Any:
    def kernel_(grad: Any, *, input_sizes: Sizes, options: tuple[Any, ...]) -> Any:
        kernel, stride, padding, _, include, override = options
        lead = len(input_sizes) - len(kernel)
        layout, count = Layout(stride or kernel, padding, (1,) * len(kernel), 1), grad.shape[lead:]
        sizes = input_sizes[lead:]
        share = grad / _divisor(xp, sizes, kernel, count, layout, include, override, grad.dtype)
        needed = (
            max((c - 1) * s + k, n + 2 * p)
            for c, s, k, n, p in zip(count, layout.stride, kernel, sizes, padding, strict=True)
        )
        out = xp.zeros((*input_sizes[:lead], *needed), grad.dtype)
        for _place, seen in layout.places(kernel, count):
            out[seen] += share
        inside = tuple(slice(p, p + n) for p, n in zip(padding, sizes, strict=True))
        return xp.ascontiguousarray(out[(..., *inside)])

    return kernel_


def _means(xp: Any, size: int, count: int, dtype: Any) -> Any:
    """Return the matrix that takes the means of *count* runs of about equal length."""
    number = xp.arange(count)[:, None]
    start, end = number * size // count, -(-(number + 1) * size // count)
    cell = xp.arange(size)[None, :]
    inside = (cell >= start) & (cell < end)
    return inside.astype(dtype) / (end - start).astype(dtype)


@ks.family("cr::_adaptive_avg_pool2d")
@ks.family("cr::_adaptive_avg_pool3d")
def adaptive_avg_pool(xp: Any) -> Any:
    def kernel(x: Any, *, output_size: Sizes) -> Any:
        lead = x.ndim - len(output_size)
        for dim, count in enumerate(output_size, lead):
            x = along(xp, x, _means(xp, x.shape[dim], count, x.dtype), dim)
        return x

    return kernel


@ks.family("cr::adaptive_avg_pool_backward")
def adaptive_avg_pool_backward(xp: Any) -> Any:
    def kernel(grad: Any, *, input_sizes: Sizes, output_size: Sizes) -> Any:
        lead = grad.ndim - len(output_size)
        for dim, count in enumerate(output_size, lead):
            grad = along(xp, grad, _means(xp, input_sizes[dim], count, grad.dtype).T, dim)
        return grad

    return kernel
