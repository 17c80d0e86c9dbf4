"""Convolutions as products whose columns are never written out: one launch, and no memory beside.

Each of the three maps of convolution.py is a product of two matrices, of which one holds windows.
A block of threads computes a square of the result; what it needs of the two matrices it gathers
piece by piece into shared memory, and finds the windows in the array itself.

Source: Chetlur and others, "cuDNN: efficient primitives for deep learning", 2014, section 3.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

import cupy
import numpy as np

from chainrule_xp.convolution import Layout

from .cuda import Source, accumulator
from .sums import column_sums
from .windows import SEEN, WINDOW, window

Sizes = tuple[int, ...]

#: The side of the square that a block computes, and its threads; the text has the same numbers.
TILE: Final = 64
THREADS: Final = 256

SOURCE: Final = Source(
    WINDOW
    + SEEN
    + r"""
#define TILE 64
#define DEPTH 16

struct Sizes { long long samples, inputs, outputs, groups, places, windows, cells; };

// The window whose place k lies at cell p of a plane; false if there is none.
__device__ inline bool sees(const Window& w, long long p, long long k, long long* l) {
  int number[3];
  bool there = true;
  for (int d = 2; d >= 0; d--) {
    const int from = (int)(p % w.size[d]) + w.padding[d] - (int)(k % w.kernel[d]) * w.dilation[d];
    number[d] = from / w.stride[d];
    there = there && from >= 0 && from % w.stride[d] == 0 && number[d] < w.count[d];
    p /= w.size[d];
    k /= w.kernel[d];
  }
  *l = ((long long)number[0] * w.count[1] + number[1]) * w.count[2] + number[2];
  return there;
}

// store(m, n, sum of a(m, k) * b(k, n) over k from `first` to `end`), for all m and n. Each of
// 16 x 16 threads has four rows and four columns of a square, 16 apart.
template<class A, class B, class Store>
__device__ inline void multiply(
    long long rows, long long columns, long long first, long long end, A a, B b, Store store) {
  __shared__ Acc left[DEPTH][TILE + 1], right[DEPTH][TILE + 1];
  const int row = threadIdx.x / 16, column = threadIdx.x % 16;
  for (long long m = blockIdx.y * (long long)TILE; m < rows; m += gridDim.y * (long long)TILE)
    for (long long n = blockIdx.x * (long long)TILE; n < columns;
         n += gridDim.x * (long long)TILE) {
      Acc sums[4][4] = {};
      for (long long k = first; k < end; k += DEPTH) {
        for (int e = threadIdx.x; e < DEPTH * TILE; e += blockDim.x) {
          const int i = e % TILE, d = e / TILE;
          const bool within = k + d < end;
          left[d][i] = within && m + i < rows ? (Acc)a(m + i, k + d) : (Acc)0;
          right[d][i] = within && n + i < columns ? (Acc)b(k + d, n + i) : (Acc)0;
        }
        __syncthreads();
        for (int d = 0; d < DEPTH; d++)
          for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
              sums[i][j] += left[d][row + 16 * i] * right[d][column + 16 * j];
        __syncthreads();
      }
      for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
          if (m + row + 16 * i < rows && n + column + 16 * j < columns)
            store(m + row + 16 * i, n + column + 16 * j, sums[i][j]);
    }
}

extern "C" __global__ void correlate_tiles(
    const T* __restrict__ x, const T* __restrict__ weight, T* __restrict__ out, Sizes s,
    Window w) {
  for (long long g = blockIdx.z; g < s.groups; g += gridDim.z)
    multiply(
        s.outputs, s.samples * s.windows, 0, s.inputs * s.places,
        [=](long long m, long long k) {
          return weight[(g * s.outputs + m) * s.inputs * s.places + k];
        },
        [=](long long k, long long n) {
          long long at;
          const long long plane =
              (n / s.windows * s.groups + g) * s.inputs + k / s.places;
          return seen(w, n % s.windows, k % s.places, &at) ? x[plane * s.cells + at] : (T)0;
        },
        [=](long long m, long long n, Acc sum) {
          const long long plane = (n / s.windows * s.groups + g) * s.outputs + m;
          out[plane * s.windows + n % s.windows] = (T)sum;
        });
}

extern "C" __global__ void spread_tiles(
    const T* __restrict__ grad, const T* __restrict__ weight, T* __restrict__ out, Sizes s,
    Window w) {
  for (long long g = blockIdx.z; g < s.groups; g += gridDim.z)
    multiply(
        s.inputs, s.samples * s.cells, 0, s.outputs * s.places,
        [=](long long m, long long k) {
          return weight[((g * s.outputs + k / s.places) * s.inputs + m) * s.places
                        + k % s.places];
        },
        [=](long long k, long long n) {
          long long l;
          const long long plane = (n / s.cells * s.groups + g) * s.outputs + k / s.places;
          return sees(w, n % s.cells, k % s.places, &l) ? grad[plane * s.windows + l] : (T)0;
        },
        [=](long long m, long long n, Acc sum) {
          const long long plane = (n / s.cells * s.groups + g) * s.inputs + m;
          out[plane * s.cells + n % s.cells] = (T)sum;
        });
}

// The sums over samples and windows are long, and the result is small: `shares` blocks take a part
// of each sum, and leave it in a row of their own of `parts`.
extern "C" __global__ void weigh_tiles(
    const T* __restrict__ grad, const T* __restrict__ x, Acc* __restrict__ parts, Sizes s,
    Window w, long long shares) {
  const long long all = s.samples * s.windows, share = (all + shares - 1) / shares;
  for (long long z = blockIdx.z; z < s.groups * shares; z += gridDim.z) {
    const long long g = z % s.groups, part = z / s.groups, first = part * share;
    multiply(
        s.outputs, s.inputs * s.places, first, first + share < all ? first + share : all,
        [=](long long m, long long k) {
          const long long plane = (k / s.windows * s.groups + g) * s.outputs + m;
          return grad[plane * s.windows + k % s.windows];
        },
        [=](long long k, long long n) {
          long long at;
          const long long plane =
              (k / s.windows * s.groups + g) * s.inputs + n / s.places;
          return seen(w, k % s.windows, n % s.places, &at) ? x[plane * s.cells + at] : (T)0;
        },
        [=](long long m, long long n, Acc sum) {
          parts[((part * s.groups + g) * s.outputs + m) * s.inputs * s.places + n] = sum;
        });
  }
}
""",
    ["correlate_tiles", "spread_tiles", "weigh_tiles"],
)

_SIZES: Final = np.dtype(
    [
        (name, np.int64)
        for name in ("samples", "inputs", "outputs", "groups", "places", "windows", "cells")
    ]
)
#: Shares of a sum over samples and windows: windows that a share has at least, and how many.
WINDOWS_PER_SHARE: Final = 1024
SHARES: Final = 64


def _sizes(samples: int, weight: Sizes, groups: int, count: Sizes, size: Sizes) -> Any:
    """Return the sizes as the kernels take them; *weight* is ``(O, C / groups, *kernel)``."""
    places, windows, cells = prod(weight[2:]), prod(count), prod(size)
    row = (samples, weight[1], weight[0] // groups, groups, places, windows, cells)
    return np.array([row], _SIZES)


def _grid(rows: int, columns: int, layers: int) -> Sizes:
    """Return a grid with a block per square; what exceeds CUDA's bounds is strided over."""
    across, down = -(-columns // TILE), -(-rows // TILE)
    return min(across, (1 << 31) - 1), min(down, 65535), min(layers, 65535)


def correlate(x: Any, weight: Any, layout: Layout, count: Sizes) -> Any:
    """Return the sums of products of *weight* with the first *count* windows of *x*."""
    samples, outputs, groups = x.shape[0], weight.shape[0], layout.groups
    out = cupy.empty((samples, outputs, *count), x.dtype)
    sizes = _sizes(samples, weight.shape, groups, count, x.shape[2:])
    made = window(x.shape[2:], count, weight.shape[2:], layout)
    grid = _grid(outputs // groups, samples * prod(count), groups)
    arrays = (cupy.ascontiguousarray(x), cupy.ascontiguousarray(weight), out)
    SOURCE.kernels(x.dtype.name)["correlate_tiles"](grid, (THREADS,), (*arrays, sizes, made))
    return out


def spread(grad: Any, weight: Any, size: Sizes, layout: Layout) -> Any:
    """Return what `correlate` gives back to an input of *size*."""
    samples, inputs, groups = grad.shape[0], weight.shape[1], layout.groups
    out = cupy.empty((samples, inputs * groups, *size), grad.dtype)
    sizes = _sizes(samples, weight.shape, groups, grad.shape[2:], size)
    made = window(size, grad.shape[2:], weight.shape[2:], layout)
    grid = _grid(inputs, samples * prod(size), groups)
    arrays = (cupy.ascontiguousarray(grad), cupy.ascontiguousarray(weight), out)
    SOURCE.kernels(grad.dtype.name)["spread_tiles"](grid, (THREADS,), (*arrays, sizes, made))
    return out


def weigh(grad: Any, x: Any, kernel: Sizes, layout: Layout) -> Any:
    """Return the gradient of the weight: sums of products of *grad* with the windows of *x*."""
    samples, groups, count = x.shape[0], layout.groups, grad.shape[2:]
    shape = (grad.shape[1], x.shape[1] // groups, *kernel)
    shares = max(1, min(SHARES, samples * prod(count) // WINDOWS_PER_SHARE))
    parts = cupy.empty((shares, prod(shape)), accumulator(x.dtype))
    sizes = _sizes(samples, shape, groups, count, x.shape[2:])
    made = window(x.shape[2:], count, kernel, layout)
    grid = _grid(shape[0] // groups, prod(shape[1:]), groups * shares)
    arrays = (cupy.ascontiguousarray(grad), cupy.ascontiguousarray(x), parts)
    launch = SOURCE.kernels(x.dtype.name)["weigh_tiles"]
    launch(grid, (THREADS,), (*arrays, sizes, made, np.int64(shares)))
    whole = parts[0] if shares == 1 else column_sums(parts)
    return whole.astype(x.dtype, copy=False).reshape(shape)
