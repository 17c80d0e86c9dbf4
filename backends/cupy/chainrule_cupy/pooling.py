"""Kernels of chainrule/ops/pooling_max.py and pooling_average.py: one launch each way.

A window of three dimensions stands for all: of two dimensions, the first is 1. An element of the
result has a thread; the gradient of an average is gathered, so that nothing is added atomically.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

import cupy
import numpy as np

from chainrule.backend import KernelSet
from chainrule_xp import pooling as family
from chainrule_xp.convolution import Layout

from .cuda import FLOATS, THREADS, Source, blocks_for
from .windows import WINDOW, window

ks = KernelSet("cupy")

Sizes = tuple[int, ...]

SOURCE: Final = Source(
    WINDOW
    + r"""
#define ELEMENTS(n) \
  for (long long e = blockIdx.x * (long long)blockDim.x + threadIdx.x; e < (n); \
       e += (long long)blockDim.x * gridDim.x)

extern "C" __global__ void max_forward(
    const T* __restrict__ x, T* __restrict__ out, long long* __restrict__ places,
    long long elements, Window w) {
  const long long cells = (long long)w.size[0] * w.size[1] * w.size[2];
  ELEMENTS(elements) {
    long long r = e;
    const int c = r % w.count[2]; r /= w.count[2];
    const int b = r % w.count[1]; r /= w.count[1];
    const int a = r % w.count[0]; r /= w.count[0];
    const T* plane = x + r * cells;
    long long best = -1, first = -1;
    Acc most = 0;
    for (int i = 0; i < w.kernel[0]; i++) {
      const int d = a * w.stride[0] - w.padding[0] + i * w.dilation[0];
      if (d < 0 || d >= w.size[0]) continue;
      for (int j = 0; j < w.kernel[1]; j++) {
        const int h = b * w.stride[1] - w.padding[1] + j * w.dilation[1];
        if (h < 0 || h >= w.size[1]) continue;
        for (int k = 0; k < w.kernel[2]; k++) {
          const int v = c * w.stride[2] - w.padding[2] + k * w.dilation[2];
          if (v < 0 || v >= w.size[2]) continue;
          const long long at = ((long long)d * w.size[1] + h) * w.size[2] + v;
          const Acc found = (Acc)plane[at];
          if (first < 0 || found > most || found != found) { most = found; best = at; }
          first = at;
        }
      }
    }
    out[e] = plane[best];
    places[e] = best;
  }
}

extern "C" __global__ void average_forward(
    const T* __restrict__ x, T* __restrict__ out, long long elements, Window w, int include,
    long long divisor) {
  const long long cells = (long long)w.size[0] * w.size[1] * w.size[2];
  ELEMENTS(elements) {
    long long r = e;
    int at[3], low[3], high[3];
    for (int n = 2; n >= 0; n--) { at[n] = r % w.count[n]; r /= w.count[n]; }
    const T* plane = x + r * cells;
    long long by = 1;
    for (int n = 0; n < 3; n++) {
      low[n] = at[n] * w.stride[n] - w.padding[n];
      high[n] = low[n] + w.kernel[n];
      if (high[n] > w.size[n] + w.padding[n]) high[n] = w.size[n] + w.padding[n];
      if (include) by *= high[n] - low[n];
      if (low[n] < 0) low[n] = 0;
      if (high[n] > w.size[n]) high[n] = w.size[n];
      if (!include) by *= high[n] - low[n];
    }
    Acc sum = 0;
    for (int d = low[0]; d < high[0]; d++)
      for (int h = low[1]; h < high[1]; h++)
        for (int v = low[2]; v < high[2]; v++)
          sum += (Acc)plane[((long long)d * w.size[1] + h) * w.size[2] + v];
    out[e] = (T)(sum / (divisor ? divisor : by));
  }
}

extern "C" __global__ void average_backward(
    const T* __restrict__ grad, T* __restrict__ out, long long elements, Window w, int include,
    long long divisor) {
  const long long windows = (long long)w.count[0] * w.count[1] * w.count[2];
  ELEMENTS(elements) {
    long long r = e;
    int from[3], to[3];
    for (int n = 2; n >= 0; n--) {
      const int place = (int)(r % w.size[n]) + w.padding[n];
      r /= w.size[n];
      from[n] = place < w.kernel[n] ? 0 : (place - w.kernel[n]) / w.stride[n] + 1;
      to[n] = place / w.stride[n] + 1;
      if (to[n] > w.count[n]) to[n] = w.count[n];
    }
    const T* plane = grad + r * windows;
    Acc sum = 0;
    for (int a = from[0]; a < to[0]; a++)
      for (int b = from[1]; b < to[1]; b++)
        for (int c = from[2]; c < to[2]; c++) {
          const int at[3] = {a, b, c};
          long long by = 1;
          for (int n = 0; n < 3; n++) {
            int low = at[n] * w.stride[n] - w.padding[n], high = low + w.kernel[n];
            if (high > w.size[n] + w.padding[n]) high = w.size[n] + w.padding[n];
            if (!include) {
              if (low < 0) low = 0;
              if (high > w.size[n]) high = w.size[n];
            }
            by *= high - low;
          }
          sum += (Acc)plane[((long long)a * w.count[1] + b) * w.count[2] + c]
                 / (divisor ? divisor : by);
        }
    out[e] = (T)sum;
  }
}
""",
    ["max_forward", "average_forward", "average_backward"],
)


def _max_pool(plain: Any) -> Any:
    def kernel(
        x: Any, *, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes,
        ceil_mode: bool,
    ) -> Any:  # fmt: skip
        if x.dtype.name not in FLOATS or 0 in x.shape:
            return plain(
                x, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation,
                ceil_mode=ceil_mode,
            )  # fmt: skip
        layout = Layout(stride or kernel_size, padding, dilation, 1)
        lead = x.ndim - len(kernel_size)
        sizes = x.shape[lead:]
        count = family.pooled(sizes, kernel_size, layout, ceil_mode)
        out = cupy.empty((*x.shape[:lead], *count), x.dtype)
        places = cupy.empty(out.shape, np.int64)
        made = window(sizes, count, kernel_size, layout)
        arrays = (cupy.ascontiguousarray(x), out, places)
        launch = SOURCE.kernels(x.dtype.name)["max_forward"]
        launch(blocks_for(out.size), (THREADS,), (*arrays, np.int64(out.size), made))
        return out, places

    return kernel


def _avg_pool(plain: Any) -> Any:
    def kernel(
        x: Any, *, kernel_size: Sizes, stride: Sizes, padding: Sizes, ceil_mode: bool,
        count_include_pad: bool, divisor_override: int | None,
    ) -> Any:  # fmt: skip
        if x.dtype.name not in FLOATS or 0 in x.shape:
            return plain(
                x, kernel_size=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode,
                count_include_pad=count_include_pad, divisor_override=divisor_override,
            )  # fmt: skip
        layout = Layout(stride or kernel_size, padding, (1,) * len(kernel_size), 1)
        lead = x.ndim - len(kernel_size)
        sizes = x.shape[lead:]
        count = family.pooled(sizes, kernel_size, layout, ceil_mode)
        out = cupy.empty((*x.shape[:lead], *count), x.dtype)
        made = window(sizes, count, kernel_size, layout)
        numbers = (np.int64(out.size), made, *_division(count_include_pad, divisor_override))
        launch = SOURCE.kernels(x.dtype.name)["average_forward"]
        launch(blocks_for(out.size), (THREADS,), (cupy.ascontiguousarray(x), out, *numbers))
        return out

    return kernel


def _division(include: bool, override: int | None) -> tuple[Any, Any]:
    return np.int32(include), np.int64(override or 0)


for _n in (2, 3):
    ks.family(f"cr::_max_pool{_n}d_with_indices")(lambda xp: _max_pool(family.max_pool(xp)))
    ks.family(f"cr::_avg_pool{_n}d")(lambda xp: _avg_pool(family.avg_pool(xp)))


@ks.family("cr::avg_pool_backward")
def avg_pool_backward(xp: Any) -> Any:
    plain = family.avg_pool_backward(xp)

    def kernel(grad: Any, *, input_sizes: Sizes, options: tuple[Any, ...]) -> Any:
        if grad.dtype.name not in FLOATS or 0 in input_sizes:
            return plain(grad, input_sizes=input_sizes, options=options)
        size, stride, padding, _, include, override = options
        layout = Layout(stride or size, padding, (1,) * len(size), 1)
        lead = len(input_sizes) - len(size)
        out = cupy.empty(input_sizes, grad.dtype)
        made = window(input_sizes[lead:], grad.shape[lead:], size, layout)
        numbers = (np.int64(prod(input_sizes)), made, *_division(include, override))
        launch = SOURCE.kernels(grad.dtype.name)["average_backward"]
        launch(blocks_for(out.size), (THREADS,), (cupy.ascontiguousarray(grad), out, *numbers))
        return out

    return kernel


@ks.family("cr::_pool_scatter")
def pool_scatter(xp: Any) -> Any:
    plain = family.pool_scatter(xp)

    def kernel(x: Any, indices: Any, *, sizes: Sizes, spatial: int, apart: bool) -> Any:
        if x.dtype.name not in SCATTER.dtypes or not x.size:
            return plain(x, indices, sizes=sizes, spatial=spatial, apart=apart)
        out = cupy.zeros(sizes, x.dtype)
        lead = len(sizes) - spatial
        windows, cells = prod(x.shape[lead:]), prod(sizes[lead:])
        launch = SCATTER.kernels(x.dtype.name)["scatter_planes"]
        arrays = (cupy.ascontiguousarray(x), cupy.ascontiguousarray(indices), out)
        numbers = (*map(np.int64, (x.size, windows, cells)), np.int32(apart))
        launch(blocks_for(x.size), (THREADS,), (*arrays, *numbers))
        return out

    return kernel


SCATTER: Final = Source(
    r"""
extern "C" __global__ void scatter_planes(
    const T* __restrict__ x, const long long* __restrict__ places, T* __restrict__ out,
    long long elements, long long windows, long long cells, int apart) {
  for (long long e = blockIdx.x * (long long)blockDim.x + threadIdx.x; e < elements;
       e += (long long)blockDim.x * gridDim.x) {
    T* at = out + e / windows * cells + places[e];
    if (apart) *at = x[e]; else atomicAdd(at, x[e]);
  }
}
""",
    ["scatter_planes"],
    dtypes=["float32", "float64"],
)
