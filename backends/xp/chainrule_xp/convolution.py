"""Kernels of chainrule/ops/convolution.py: windows through strides, then one matrix product.

Three maps are all there is. With the same weight, `correlate` is a convolution, `spread` its
gradient by the input and so a transposed convolution, and `weigh` the gradient by the weight.

Windows are gathered for as many samples at a time as `BLOCK` holds, which bounds the memory and
keeps it in the cache; loops run over such blocks and over the places of the kernel, never over
single samples or channels.

Source: Chellapilla, Puri and Simard, "High performance convolutional neural networks for document
processing", 2006 (windows as columns of a matrix).
"""

from __future__ import annotations

from functools import partial
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chainrule.backend import KernelSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ks = KernelSet("xp")

#: Bytes of gathered windows at a time.
BLOCK: Final = 4 << 20


class Layout(NamedTuple):
    """How the windows of a convolution lie: everything but sizes."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int

    def counts(self, size: tuple[int, ...], kernel: tuple[int, ...]) -> tuple[int, ...]:
        """Return how many windows there are along each dimension."""
        return tuple(
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(
                size, kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )

    def places(
        self, kernel: tuple[int, ...], count: tuple[int, ...]
    ) -> Iterator[tuple[tuple[int, ...], tuple[Any, ...]]]:
        """Yield each place of the kernel, and what of a padded array meets it over all windows."""
        for place in product(*map(range, kernel)):
            steps = zip(place, self.dilation, self.stride, count, strict=True)
            yield place, (..., *(slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, s, n in steps))


def padded(xp: Any, x: Any, padding: tuple[int, ...], value: float = 0) -> Any:
    """Return *x* with *padding* elements of *value* on both sides of its last dimensions."""
    if not any(padding):
        return x
    lead = x.shape[: x.ndim - len(padding)]
    sizes = x.shape[x.ndim - len(padding) :]
    out = xp.full(
        (*lead, *(n + 2 * p for n, p in zip(sizes, padding, strict=True))), value, x.dtype
    )
    out[(..., *(slice(p, p + n) for n, p in zip(sizes, padding, strict=True)))] = x
    return out


def windows(
    xp: Any,
    x: Any,
    kernel: tuple[int, ...],
    count: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> Any:
    """Return a view ``(N, C, *kernel, *count)`` of the windows of a padded array."""
    steps = x.strides[2:]
    return xp.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:2], *kernel, *count),
        (
            *x.strides[:2],
            *(n * d for n, d in zip(steps, dilation, strict=True)),
            *(n * s for n, s in zip(steps, stride, strict=True)),
        ),
    )


def _blocks(samples: int, elements: int, itemsize: int) -> Iterator[slice]:
    """Yield runs of samples whose windows, *elements* each, fit into a block."""
    step = max(1, BLOCK // max(1, elements * itemsize))
    for start in range(0, samples, step):
        yield slice(start, start + step)


def correlate(
    xp: Any, x: Any, weight: Any, layout: Layout, count: tuple[int, ...] | None = None
) -> Any:
    """Return the sums of products of *weight* with windows of *x*: all, or the first *count*."""
    samples, kernel, groups = x.shape[0], weight.shape[2:], layout.groups
    count = count or layout.counts(x.shape[2:], kernel)
    shape = (samples, weight.shape[0], *count)
    x = padded(xp, x, layout.padding)
    if 0 in shape or 0 in weight.shape:
        return xp.zeros(shape, x.dtype)
    if weight.shape[1] == 1 and groups > 1:
        return _correlate_channels(x, weight, layout, shape)
    rows, cells = prod(weight.shape[1:]), prod(count)
    matrix = weight.reshape(groups, -1, rows)
    out = xp.empty((samples, groups, matrix.shape[1], cells), x.dtype)
    for part in _blocks(samples, groups * rows * cells, x.itemsize):
        seen = windows(xp, x[part], kernel, count, layout.stride, layout.dilation)
        xp.matmul(matrix, seen.reshape(-1, groups, rows, cells), out=out[part])
    return out.reshape(shape)


def _correlate_channels(x: Any, weight: Any, layout: Layout, shape: tuple[int, ...]) -> Any:
    """Return `correlate` where every group is one channel: a sum over the places of the kernel."""
    x = x.reshape(x.shape[0], layout.groups, 1, *x.shape[2:])
    factors = weight.reshape(layout.groups, -1, *weight.shape[2:])
    ones = (1,) * (len(shape) - 2)
    total: Any = None
    for place, seen in layout.places(weight.shape[2:], shape[2:]):
        term = x[seen] * factors[(..., *place)].reshape(*factors.shape[:2], *ones)
        if total is None:
            total = term
        else:
            total += term
    return total.reshape(shape)


def spread(xp: Any, grad: Any, weight: Any, size: tuple[int, ...], layout: Layout) -> Any:
    """Return what `correlate` gives back to an input of *size*: the transposed map."""
    shape = (grad.shape[0], weight.shape[1] * layout.groups, *size)
    if 0 in grad.shape or 0 in weight.shape or 0 in shape:
        return xp.zeros(shape, grad.dtype)
    narrow = weight.shape[0] <= 2 * shape[1]  # else windows of the gradient are the larger ones
    if narrow and set(layout.stride) == {1} and (weight.shape[1] > 1 or layout.groups == 1):
        around = tuple(
            d * (k - 1) - p
            for k, d, p in zip(weight.shape[2:], layout.dilation, layout.padding, strict=True)
        )
        turned = layout._replace(padding=around)
        if min(around) >= 0 and turned.counts(grad.shape[2:], weight.shape[2:]) == tuple(size):
            return correlate(xp, grad, _turned(xp, weight, layout.groups), turned)
    return _spread_places(xp, grad, weight, shape, layout)


def _turned(xp: Any, weight: Any, groups: int) -> Any:
    """Return the weight that undoes *weight*: in and out exchanged, the kernel turned around."""
    out, within = weight.shape[:2]
    kernel = weight.shape[2:]
    split = weight.reshape(groups, out // groups, within, *kernel).swapaxes(1, 2)
    flipped = xp.flip(split, tuple(range(3, split.ndim)))
    return xp.ascontiguousarray(flipped).reshape(groups * within, out // groups, *kernel)


def _spread_places(xp: Any, grad: Any, weight: Any, shape: tuple[int, ...], layout: Layout) -> Any:
    """Return `spread`, adding up one place of the kernel of all windows at a time."""
    samples, kernel, groups = grad.shape[0], weight.shape[2:], layout.groups
    count, rows = grad.shape[2:], prod(weight.shape[1:])
    cells = prod(count)
    out = xp.zeros(
        (*shape[:2], *(n + 2 * p for n, p in zip(shape[2:], layout.padding, strict=True))),
        grad.dtype,
    )
    matrix = xp.ascontiguousarray(weight.reshape(groups, -1, rows).swapaxes(1, 2))
    grad = xp.ascontiguousarray(grad).reshape(samples, groups, -1, cells)
    for part in _blocks(samples, groups * rows * cells, grad.itemsize):
        shares = xp.matmul(matrix, grad[part]).reshape(-1, shape[1], *kernel, *count)
        target = out[part]
        for place, seen in layout.places(kernel, count):
            target[seen] += shares[(slice(None), slice(None), *place)]
    return cropped(xp, out, layout.padding)


def cropped(xp: Any, x: Any, padding: tuple[int, ...]) -> Any:
    """Return *x* without *padding* elements on both sides of its last dimensions."""
    if not any(padding):
        return x
    sizes = x.shape[x.ndim - len(padding) :]
    inside = (slice(p, n - p) for n, p in zip(sizes, padding, strict=True))
    return xp.ascontiguousarray(x[(..., *inside)])


def weigh(xp: Any, grad: Any, x: Any, kernel: tuple[int, ...], layout: Layout) -> Any:
    """Return the gradient of the weight: products of *grad* with the windows of *x*."""
    samples, channels, groups = x.shape[0], x.shape[1], layout.groups
    shape = (grad.shape[1], channels // groups, *kernel)
    if 0 in grad.shape or 0 in x.shape or 0 in shape:
        return xp.zeros(shape, grad.dtype)
    count = grad.shape[2:]
    x = padded(xp, x, layout.padding)
    if shape[1] == 1 and groups > 1:
        return _weigh_channels(xp, grad, x, shape, layout)
    rows, cells, ndim = prod(shape[1:]), prod(count), len(kernel)
    grad = grad.reshape(samples, groups, -1, cells)
    order = (*range(1, 2 + ndim), 0, *range(2 + ndim, 2 + 2 * ndim))
    total: Any = 0
    for part in _blocks(samples, groups * rows * cells, x.itemsize):
        seen = windows(xp, x[part], kernel, count, layout.stride, layout.dilation)
        columns = seen.transpose(order).reshape(groups, rows, -1)
        shares = grad[part].transpose(1, 2, 0, 3).reshape(groups, -1, columns.shape[2])
        total = total + xp.matmul(shares, columns.swapaxes(1, 2))
    return total.reshape(shape)


def _weigh_channels(xp: Any, grad: Any, x: Any, shape: tuple[int, ...], layout: Layout) -> Any:
    """Return `weigh` where every group is one channel."""
    x = x.reshape(x.shape[0], layout.groups, 1, *x.shape[2:])
    shares = grad.reshape(grad.shape[0], layout.groups, -1, *grad.shape[2:])
    over = (0, *range(3, shares.ndim))
    out = xp.empty((*shares.shape[1:3], *shape[2:]), grad.dtype)
    for place, seen in layout.places(shape[2:], grad.shape[2:]):
        out[(..., *place)] = (shares * x[seen]).sum(over)
    return out.reshape(shape)


class Maps(NamedTuple):
    """The three maps without their namespace: ``correlate(x, weight, layout, count)`` and on."""

    correlate: Callable[..., Any]
    spread: Callable[..., Any]
    weigh: Callable[..., Any]


def _maps(xp: Any) -> Maps:
    """Return the maps of this module over *xp*."""
    return Maps(partial(correlate, xp), partial(spread, xp), partial(weigh, xp))


@ks.family("cr::_convolution")
def convolution(xp: Any, maps: Maps | None = None) -> Any:
    found = maps or _maps(xp)

    def kernel(
        x: Any,
        weight: Any,
        bias: Any,
        *,
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
    ) -> Any:
        layout = Layout(stride, padding, dilation, groups)
        if transposed:
            sizes = zip(
                x.shape[2:], weight.shape[2:], stride, padding, dilation, output_padding,
                strict=True,
            )  # fmt: skip
            size = tuple((n - 1) * s - 2 * p + d * (k - 1) + o + 1 for n, k, s, p, d, o in sizes)
            out = found.spread(x, weight, size, layout)
        else:
            out = found.correlate(x, weight, layout)
        if bias is not None:
            out += bias.reshape(-1, *(1,) * len(stride))
        return out

    return kernel


@ks.family("cr::convolution_backward_input")
def convolution_backward_input(xp: Any, maps: Maps | None = None) -> Any:
    found = maps or _maps(xp)

    def kernel(
        grad: Any, weight: Any, *, input_sizes: tuple[int, ...], options: tuple[Any, ...]
    ) -> Any:
        stride, padding, dilation, transposed, _, groups = options
        layout = Layout(stride, padding, dilation, groups)
        if transposed:
            return found.correlate(grad, weight, layout, input_sizes[2:])
        return found.spread(grad, weight, input_sizes[2:], layout)

    return kernel


@ks.family("cr::convolution_backward_weight")
def convolution_backward_weight(xp: Any, maps: Maps | None = None) -> Any:
    found = maps or _maps(xp)

    def kernel(
        grad: Any, x: Any, *, weight_sizes: tuple[int, ...], options: tuple[Any, ...]
    ) -> Any:
        stride, padding, dilation, transposed, _, groups = options
        layout = Layout(stride, padding, dilation, groups)
        given, seen = (x, grad) if transposed else (grad, x)
        return found.weigh(given, seen, weight_sizes[2:], layout)

    return kernel
