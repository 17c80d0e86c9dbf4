"""Kernels of chainrule/ops/fused_rows.py: what is several nodes otherwise, in a launch each way.

RMS norm is layer norm with a mean of zero, and has the same kernels.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

import cupy
import numpy as np

from chainrule.backend import Kernel, KernelSet

from . import faults
from .cuda import NULL, Source, or_null
from .loss_classes import FAULT, LOOKED_UP, MEAN, NONE, contiguous, sizes_of
from .normalization import Sizes, by_rows, over_rows, prepared, rows_backward
from .softmax import grid_for, threads_for

ks = KernelSet("cupy")

SOURCE: Final = Source(
    LOOKED_UP
    + r"""
// A row of scores is `classes` elements that lie `inner` apart; row s belongs to target s.
#define EACH_CLASS for (long long j = threadIdx.x; j < classes; j += blockDim.x)

// The largest score of a row, and the sum of the exponentials of what the scores lack of it.
__device__ inline Acc largest_and_sum(
    const T* row, long long classes, long long inner, Acc* most, Acc* cells) {
  Acc largest = classes ? (Acc)row[0] : (Acc)0, sum = 0;
  EACH_CLASS largest = larger(largest, (Acc)row[j * inner]);
  *most = largest = block_largest(largest, cells);
  EACH_CLASS sum += exp((Acc)row[j * inner] - largest);
  return block_sum(sum, cells);
}

// What one block leaves for another is written and read as atomics.
__device__ inline void leave(unsigned long long* at, double v) {
  atomicExch(at, (unsigned long long)__double_as_longlong(v));
}
__device__ inline double left(unsigned long long* at) {
  return __longlong_as_double((long long)atomicAdd(at, 0ull));
}

// Every block leaves its sums in `parts`, behind a count of the blocks that have; the last one
// adds up all of them, always in the same order.
extern "C" __global__ void cross_entropy(
    const T* __restrict__ x, const I* __restrict__ target, const T* __restrict__ weight,
    T* __restrict__ loss, T* __restrict__ total, unsigned long long* parts, long long samples,
    long long classes, long long inner, long long ignore, int reduction, long long* fault,
    int op) {
  __shared__ Acc cells[32];
  __shared__ double sums[32];
  __shared__ int last;
  double sum = 0, weights = 0;
  for (long long s = blockIdx.x; s < samples; s += gridDim.x) {
    const T* row = x + s / inner * classes * inner + s % inner;
    Acc most;
    const Acc exponentials = largest_and_sum(row, classes, inner, &most, cells);
    if (threadIdx.x == 0) {
      long long c; Acc w, v = 0;
      if (looked_up(target, weight, s, classes, ignore, fault, op, &c, &w)) {
        weights += w;
        if (w != 0) v = (log(exponentials) - ((Acc)row[c * inner] - most)) * w;
      }
      sum += v;
      if (reduction == 0) loss[s] = (T)v;
    }
  }
  if (threadIdx.x == 0) {
    leave(parts + 1 + 2 * blockIdx.x, sum);
    leave(parts + 2 + 2 * blockIdx.x, weights);
    __threadfence();
    last = atomicAdd(parts, 1ull) + 1 == gridDim.x;
  }
  __syncthreads();
  if (!last) return;
  sum = weights = 0;
  for (unsigned b = threadIdx.x; b < gridDim.x; b += blockDim.x) {
    sum += left(parts + 1 + 2 * b);
    weights += left(parts + 2 + 2 * b);
  }
  sum = block_sum(sum, sums);
  weights = block_sum(weights, sums);
  if (threadIdx.x == 0) {
    total[0] = (T)weights;
    if (reduction) loss[0] = (T)(reduction == 1 ? sum / weights : sum);
  }
}

extern "C" __global__ void cross_entropy_backward(
    const T* __restrict__ grad, const T* __restrict__ x, const I* __restrict__ target,
    const T* __restrict__ weight, const T* __restrict__ total, T* __restrict__ out,
    long long samples, long long classes, long long inner, long long ignore, int reduction) {
  __shared__ Acc cells[32];
  for (long long s = blockIdx.x; s < samples; s += gridDim.x) {
    const long long base = s / inner * classes * inner + s % inner;
    Acc most;
    const Acc exponentials = largest_and_sum(x + base, classes, inner, &most, cells);
    const long long c = (long long)target[s];
    const bool counts = c != ignore && c >= 0 && c < classes;
    Acc share = !counts ? (Acc)0 : weight ? (Acc)weight[c] : (Acc)1;
    if (share != 0) {
      share *= (Acc)grad[reduction ? 0 : s];
      if (reduction == 1) share /= (Acc)total[0];
    }
    EACH_CLASS {
      const Acc p = exp((Acc)x[base + j * inner] - most) / exponentials;
      out[base + j * inner] = (T)(p * share - (j == c ? share : (Acc)0));
    }
  }
}
""",
    ["cross_entropy", "cross_entropy_backward"],
    indices=["int64", "uint8"],
)

#: Blocks that rows are dealt out to; the last of them adds up what all found.
BLOCKS: Final = 1024


@ks.forward("cr::_fused_softmax_cross_entropy")
def fused_softmax_cross_entropy(
    x: Any, target: Any, weight: Any = None, *, reduction: int = MEAN, ignore_index: int = -100
) -> tuple[Any, Any]:
    x, target, weight = contiguous(x, target, weight)
    samples, classes, inner = sizes_of(x)
    blocks = max(1, min(samples, BLOCKS))
    loss = cupy.empty(target.shape if reduction == NONE else (), x.dtype)
    total = cupy.empty((), x.dtype)
    parts = cupy.zeros(1 + 2 * blocks, np.uint64)
    numbers = [np.int64(n) for n in (samples, classes, inner, ignore_index)]
    arrays = (x, target, or_null(weight), loss, total, parts)
    fault = (faults.record(), np.int32(FAULT))
    kernel = SOURCE.kernels(x.dtype.name, target.dtype.name)["cross_entropy"]
    threads = threads_for(max(1, classes))
    kernel((blocks,), (threads,), (*arrays, *numbers, np.int32(reduction), *fault))
    faults.launched()
    return loss, total


@ks.forward("cr::fused_softmax_cross_entropy_backward")
def fused_softmax_cross_entropy_backward(
    grad: Any,
    x: Any,
    target: Any,
    weight: Any,
    total_weight: Any,
    *,
    reduction: int = MEAN,
    ignore_index: int = -100,
) -> Any:
    grad, x, target, weight = contiguous(grad, x, target, weight)
    samples, classes, inner = sizes_of(x)
    out = cupy.empty(x.shape, x.dtype)
    if out.size:
        kernel = SOURCE.kernels(x.dtype.name, target.dtype.name)["cross_entropy_backward"]
        numbers = [np.int64(n) for n in (samples, classes, inner, ignore_index)]
        arrays = (grad, x, target, or_null(weight), total_weight, out)
        scalars = (*numbers, np.int32(reduction))
        kernel(grid_for(samples), (threads_for(classes),), (*arrays, *scalars))
    return out


@ks.forward("cr::_fused_rms_norm")
def fused_rms_norm(x: Any, weight: Any, *, normalized_shape: Sizes, eps: float) -> tuple[Any, Any]:
    lead, size = x.shape[: x.ndim - len(normalized_shape)], prod(normalized_shape)
    layout = (1, size, 1)
    out, _, rstd = by_rows(x, weight, None, prod(lead), size, layout, eps, centred=False)
    return out, rstd.reshape(*lead, *(1,) * len(normalized_shape))


@ks.over("cr::_rms_norm")
def rms_norm(otherwise: Kernel) -> Kernel:
    def norm(x: Any, weight: Any, *, normalized_shape: Sizes, eps: float) -> Any:
        if weight is not None and weight.dtype != x.dtype:
            return otherwise(x, weight, normalized_shape=normalized_shape, eps=eps)
        return fused_rms_norm(x, weight, normalized_shape=normalized_shape, eps=eps)[0]

    return norm


@ks.forward("cr::fused_rms_norm_backward")
def fused_rms_norm_backward(
    grad: Any, x: Any, rstd: Any, weight: Any, *, normalized_shape: Sizes, eps: float
) -> tuple[Any, Any]:
    grad, x, rstd, weight = prepared(x.dtype, grad, x, rstd, weight)
    size, rows = prod(normalized_shape), rstd.size
    out = rows_backward(grad, x, weight, NULL, rstd, rows, size, (1, size, 1))
    if not out.size:
        return out, cupy.zeros(normalized_shape, x.dtype)
    return out, over_rows(grad, x, NULL, rstd, rows, size)[0].reshape(normalized_shape)
