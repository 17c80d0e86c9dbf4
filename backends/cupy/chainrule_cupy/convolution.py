"""Kernels of chainrule/ops/convolution.py: windows as columns of a matrix, then one product.

Where that matrix is small, a launch costs more than what it does: implicit.py then takes one for
all. So it does with many small groups, for which cuBLAS would have many small products. Otherwise
two kernels are all there is beside cuBLAS. One writes the windows of an array as columns; the other
gathers, for every element of an array, what the columns that met it hold, so that nothing is added
atomically and a sum is the same every time. Windows have three dimensions; missing ones come first.

Source: Chellapilla, Puri and Simard, "High performance convolutional neural networks for document
processing", 2006.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final

import cupy
import numpy as np

from chainrule.backend import KernelSet
from chainrule_xp import convolution as family
from chainrule_xp.convolution import Layout

from . import implicit
from .cuda import FLOATS, THREADS, Source, blocks_for
from .namespace import matmul
from .windows import SEEN, WINDOW, window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ks = KernelSet("cupy")

Sizes = tuple[int, ...]

#: Bytes of columns at a time.
ROOM: Final = 256 << 20
#: Elements of all columns, up to which they are not written out; and of one group and sample.
FEW: Final = 1 << 18
FEW_IN_GROUP: Final = 1 << 14

SOURCE: Final = Source(
    WINDOW
    + SEEN
    + r"""
// out[((c * K + k) * samples + n) * L + l], or with the sample first, [(n * C * K + c * K + k) * L
// + l]: what window number l of sample n holds at place k of channel c, zero in the padding.
extern "C" __global__ void to_columns(
    const T* __restrict__ x, T* __restrict__ out, long long elements, long long samples,
    long long channels, int sample_first, Window w) {
  const long long places = (long long)w.kernel[0] * w.kernel[1] * w.kernel[2];
  const long long windows = (long long)w.count[0] * w.count[1] * w.count[2];
  const long long cells = (long long)w.size[0] * w.size[1] * w.size[2];
  for (long long e = blockIdx.x * (long long)blockDim.x + threadIdx.x; e < elements;
       e += (long long)blockDim.x * gridDim.x) {
    const long long l = e % windows, r = e / windows;
    long long n, row;
    if (sample_first) { row = r % (channels * places); n = r / (channels * places); }
    else { n = r % samples; row = r / samples; }
    const long long k = row % places, c = row / places;
    long long at;
    out[e] = seen(w, l, k, &at) ? x[(n * channels + c) * cells + at] : (T)0;
  }
}

// The other way round: columns (n, c * K + k, l) are added up where their windows lie.
extern "C" __global__ void from_columns(
    const T* __restrict__ columns, T* __restrict__ out, long long elements, long long channels,
    Window w) {
  const long long places = (long long)w.kernel[0] * w.kernel[1] * w.kernel[2];
  const long long windows = (long long)w.count[0] * w.count[1] * w.count[2];
  for (long long e = blockIdx.x * (long long)blockDim.x + threadIdx.x; e < elements;
       e += (long long)blockDim.x * gridDim.x) {
    long long r = e;
    int at[3];
    for (int d = 2; d >= 0; d--) { at[d] = (int)(r % w.size[d]) + w.padding[d]; r /= w.size[d]; }
    const T* rows = columns + r * places * windows;
    Acc sum = 0;
    for (int i = 0; i < w.kernel[0]; i++) {
      const int a = at[0] - i * w.dilation[0];
      if (a < 0 || a % w.stride[0] || a / w.stride[0] >= w.count[0]) continue;
      for (int j = 0; j < w.kernel[1]; j++) {
        const int b = at[1] - j * w.dilation[1];
        if (b < 0 || b % w.stride[1] || b / w.stride[1] >= w.count[1]) continue;
        for (int k = 0; k < w.kernel[2]; k++) {
          const int c = at[2] - k * w.dilation[2];
          if (c < 0 || c % w.stride[2] || c / w.stride[2] >= w.count[2]) continue;
          const long long place = ((long long)i * w.kernel[1] + j) * w.kernel[2] + k;
          const long long l = ((long long)(a / w.stride[0]) * w.count[1] + b / w.stride[1])
                              * w.count[2] + c / w.stride[2];
          sum += (Acc)rows[place * windows + l];
        }
      }
    }
    out[e] = (T)sum;
  }
}
""",
    ["to_columns", "from_columns"],
)


def _columns(x: Any, kernel: Sizes, count: Sizes, layout: Layout, *, sample_first: bool) -> Any:
    """Return the windows of *x*, ``(N, C * K, L)``, or ``(C * K, N * L)`` for all samples."""
    samples, channels = x.shape[:2]
    rows, cells = channels * prod(kernel), prod(count)
    shape = (samples, rows, cells) if sample_first else (rows, samples * cells)
    out = cupy.empty(shape, x.dtype)
    made = window(x.shape[2:], count, kernel, layout)
    numbers = (*map(np.int64, (out.size, samples, channels)), np.int32(sample_first), made)
    launch = SOURCE.kernels(x.dtype.name)["to_columns"]
    launch(blocks_for(out.size), (THREADS,), (cupy.ascontiguousarray(x), out, *numbers))
    return out


def _gathered(columns: Any, shape: Sizes, kernel: Sizes, count: Sizes, layout: Layout) -> Any:
    """Return an array of *shape* with *columns* ``(N, C * K, L)`` added up where they lie."""
    out = cupy.empty(shape, columns.dtype)
    made = window(shape[2:], count, kernel, layout)
    numbers = (np.int64(out.size), np.int64(shape[1]), made)
    launch = SOURCE.kernels(columns.dtype.name)["from_columns"]
    launch(blocks_for(out.size), (THREADS,), (columns, out, *numbers))
    return out


def _blocks(samples: int, elements: int, itemsize: int) -> Iterator[slice]:
    """Yield runs of samples whose columns fit into `ROOM`."""
    step = max(1, ROOM // max(1, elements * itemsize))
    for start in range(0, samples, step):
        yield slice(start, min(start + step, samples))


def _small(samples: int, groups: int, rows: int, cells: int) -> bool:
    """Return whether columns, *rows* by *cells* of each group and sample, are not worth writing."""
    in_group = rows * cells
    return samples * groups * in_group <= FEW or (groups > 1 and in_group <= FEW_IN_GROUP)


def correlate(x: Any, weight: Any, layout: Layout, count: Sizes | None = None) -> Any:
    """Return the sums of products of *weight* with windows of *x*: all, or the first *count*."""
    kernel, groups, samples = weight.shape[2:], layout.groups, x.shape[0]
    count = count or layout.counts(x.shape[2:], kernel)
    shape = (samples, weight.shape[0], *count)
    if 0 in shape or 0 in weight.shape:
        return cupy.zeros(shape, x.dtype)
    rows, cells = prod(weight.shape[1:]), prod(count)
    if _small(samples, groups, rows, cells):
        return implicit.correlate(x, weight, layout, count)
    matrix = weight.reshape(groups, -1, rows)
    out = cupy.empty((samples, groups, matrix.shape[1], cells), x.dtype)
    for part in _blocks(samples, groups * rows * cells, x.itemsize):
        seen = _columns(x[part], kernel, count, layout, sample_first=True)
        matmul(matrix, seen.reshape(-1, groups, rows, cells), out[part])
    return out.reshape(shape)


def spread(grad: Any, weight: Any, size: Sizes, layout: Layout) -> Any:
    """Return what `correlate` gives back to an input of *size*: the transposed map."""
    samples, groups, kernel = grad.shape[0], layout.groups, weight.shape[2:]
    shape = (samples, weight.shape[1] * groups, *size)
    if 0 in grad.shape or 0 in weight.shape or 0 in shape:
        return cupy.zeros(shape, grad.dtype)
    count, rows = grad.shape[2:], prod(weight.shape[1:])
    cells = prod(count)
    if _small(samples, groups, rows, cells):
        return implicit.spread(grad, weight, size, layout)
    matrix = weight.reshape(groups, -1, rows).swapaxes(1, 2)
    grad = cupy.ascontiguousarray(grad).reshape(samples, groups, -1, cells)
    parts = []
    for part in _blocks(samples, groups * rows * cells, grad.itemsize):
        shares = matmul(matrix, grad[part]).reshape(-1, groups * rows, cells)
        parts.append(_gathered(shares, (len(shares), *shape[1:]), kernel, count, layout))
    return parts[0] if len(parts) == 1 else cupy.concatenate(parts)


def weigh(grad: Any, x: Any, kernel: Sizes, layout: Layout) -> Any:
    """Return the gradient of the weight: products of *grad* with the windows of *x*."""
    samples, channels, groups = x.shape[0], x.shape[1], layout.groups
    shape = (grad.shape[1], channels // groups, *kernel)
    if 0 in grad.shape or 0 in x.shape or 0 in shape:
        return cupy.zeros(shape, grad.dtype)
    count, rows = grad.shape[2:], prod(shape[1:])
    cells = prod(count)
    if _small(samples, groups, rows, cells):
        return implicit.weigh(grad, x, kernel, layout)
    grad = grad.reshape(samples, groups, -1, cells)
    total: Any = None
    for part in _blocks(samples, groups * rows * cells, x.itemsize):
        seen = _columns(x[part], kernel, count, layout, sample_first=False)
        shares = grad[part].transpose(1, 2, 0, 3).reshape(groups, grad.shape[2], -1)
        product = matmul(shares, seen.reshape(groups, rows, -1).swapaxes(1, 2))
        total = product if total is None else total + product
    return total.reshape(shape)


def _where_it_fits(op: str, made: Callable[..., Any]) -> None:
    """Register the family's kernel over the maps here where arrays are floating; else as it is."""

    @ks.family(op)
    def chosen(xp: Any) -> Any:
        kernel, plain = made(xp, family.Maps(correlate, spread, weigh)), made(xp)

        def run(x: Any, other: Any, *bias: Any, **options: Any) -> Any:
            fits = x.dtype.name in FLOATS and other.dtype.name in FLOATS and x.ndim <= 5
            return (kernel if fits else plain)(x, other, *bias, **options)

        return run


_where_it_fits("cr::_convolution", family.convolution)
_where_it_fits("cr::convolution_backward_input", family.convolution_backward_input)
_where_it_fits("cr::convolution_backward_weight", family.convolution_backward_weight)
