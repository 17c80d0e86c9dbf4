"""Kernels of chainrule/ops/softmax.py: a block of threads per row, one launch each way."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import cupy
import numpy as np

from chainrule.backend import KernelSet

from .cuda import Source

ks = KernelSet("cupy")

# A row is `size` elements that lie `inner` apart; rows are counted over what is left and right of
# the dimension. Every kernel strides over rows, so that a grid of any size does all of them.
SOURCE: Final = Source(
    r"""
#define ROWS \
  __shared__ Acc cells[32]; \
  for (long long row = blockIdx.x; row < rows; row += gridDim.x) { \
    const long long base = (row / inner) * size * inner + row % inner;
#define EACH for (long long j = threadIdx.x; j < size; j += blockDim.x)

extern "C" __global__ void softmax_rows(
    const T* __restrict__ x, T* __restrict__ y, long long rows, long long size, long long inner) {
  ROWS
    Acc most = (Acc)x[base], sum = 0;
    EACH most = larger(most, (Acc)x[base + j * inner]);
    most = block_largest(most, cells);
    EACH sum += exp((Acc)x[base + j * inner] - most);
    sum = block_sum(sum, cells);
    EACH y[base + j * inner] = (T)(exp((Acc)x[base + j * inner] - most) / sum);
  }
}

extern "C" __global__ void log_softmax_rows(
    const T* __restrict__ x, T* __restrict__ y, long long rows, long long size, long long inner) {
  ROWS
    Acc most = (Acc)x[base], sum = 0;
    EACH most = larger(most, (Acc)x[base + j * inner]);
    most = block_largest(most, cells);
    EACH sum += exp((Acc)x[base + j * inner] - most);
    sum = log(block_sum(sum, cells));
    EACH y[base + j * inner] = (T)((Acc)x[base + j * inner] - most - sum);
  }
}

extern "C" __global__ void softmax_backward_rows(
    const T* __restrict__ grad, const T* __restrict__ y, T* __restrict__ out,
    long long rows, long long size, long long inner) {
  ROWS
    Acc sum = 0;
    EACH sum += (Acc)grad[base + j * inner] * (Acc)y[base + j * inner];
    sum = block_sum(sum, cells);
    EACH out[base + j * inner] =
        (T)((Acc)y[base + j * inner] * ((Acc)grad[base + j * inner] - sum));
  }
}

extern "C" __global__ void log_softmax_backward_rows(
    const T* __restrict__ grad, const T* __restrict__ y, T* __restrict__ out,
    long long rows, long long size, long long inner) {
  ROWS
    Acc sum = 0;
    EACH sum += (Acc)grad[base + j * inner];
    sum = block_sum(sum, cells);
    EACH out[base + j * inner] =
        (T)((Acc)grad[base + j * inner] - exp((Acc)y[base + j * inner]) * sum);
  }
}
""",
    ["softmax_rows", "log_softmax_rows", "softmax_backward_rows", "log_softmax_backward_rows"],
)


def threads_for(size: int) -> int:
    """Return how many threads share a row: whole warps, at most eight of them."""
    return min(256, -(-size // 32) * 32)


def grid_for(rows: int) -> tuple[int]:
    """Return a grid with a block per row, up to a number that fills any GPU."""
    return (max(1, min(rows, 1 << 16)),)


def _along_rows(name: str, *arrays: Any, dim: int) -> Any:
    """Return what the kernel *name* makes of *arrays*, row by row along *dim*."""
    given = arrays[0]
    if given.dtype.name not in SOURCE.dtypes:
        msg = f"{name}: expected a floating dtype, got {given.dtype}"
        raise TypeError(msg)
    shape = given.shape or (1,)
    arrays = tuple(
        cupy.ascontiguousarray(cupy.broadcast_to(array, given.shape)) for array in arrays
    )
    out = cupy.empty(given.shape, given.dtype)
    if not out.size:
        return out
    dim %= len(shape)
    size, inner = shape[dim], prod(shape[dim + 1 :])
    rows = out.size // size
    kernel = SOURCE.kernels(given.dtype.name)[name]
    numbers = (np.int64(rows), np.int64(size), np.int64(inner))
    kernel(grid_for(rows), (threads_for(size),), (*arrays, out, *numbers))
    return out


@ks.forward("cr::_softmax")
def softmax(x: Any, *, dim: int) -> Any:
    return _along_rows("softmax_rows", x, dim=dim)


@ks.forward("cr::softmax_backward")
def softmax_backward(grad: Any, output: Any, *, dim: int) -> Any:
    return _along_rows("softmax_backward_rows", grad, output, dim=dim)


@ks.forward("cr::_log_softmax")
def log_softmax(x: Any, *, dim: int) -> Any:
    return _along_rows("log_softmax_rows", x, dim=dim)


@ks.forward("cr::log_softmax_backward")
def log_softmax_backward(grad: Any, output: Any, *, dim: int) -> Any:
    return _along_rows("log_softmax_backward_rows", grad, output, dim=dim)
