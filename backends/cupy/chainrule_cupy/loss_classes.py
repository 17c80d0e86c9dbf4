"""Kernels of chainrule/ops/loss_classes.py: classes are checked on the device, nobody waits."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import cupy
import numpy as np

from chainrule.backend import KernelSet

from . import faults
from .cuda import THREADS, Source, blocks_for, or_null
from .softmax import grid_for, threads_for

ks = KernelSet("cupy")

NONE, MEAN, SUM = 0, 1, 2

_FAULT: Final = faults.register(
    "Target {place} is out of bounds.\n"
    "nll_loss: expected classes from {low} to {high}, or ignore_index."
)

# Samples are counted over the batch and what lies behind the classes. One block adds them up in a
# fixed order, so that a sum is the same every time; 1,024 threads are enough for a batch.
SOURCE: Final = Source(
    faults.REPORT
    + r"""
__device__ inline bool looked_up(
    const I* target, const T* weight, long long s, long long classes, long long ignore,
    long long* fault, int op, long long* cls, Acc* w) {
  *cls = (long long)target[s];
  if (*cls == ignore) return false;
  if (*cls < 0 || *cls >= classes) { report(fault, op, *cls, 0, classes); return false; }
  *w = weight ? (Acc)weight[*cls] : (Acc)1;
  return true;
}

extern "C" __global__ void nll_each(
    const T* __restrict__ x, const I* __restrict__ target, const T* __restrict__ weight,
    T* __restrict__ loss, long long samples, long long classes, long long inner, long long ignore,
    long long* fault, int op) {
  for (long long s = blockIdx.x * (long long)blockDim.x + threadIdx.x; s < samples;
       s += (long long)blockDim.x * gridDim.x) {
    long long c; Acc w;
    bool counts = looked_up(target, weight, s, classes, ignore, fault, op, &c, &w) && w != 0;
    loss[s] = counts ? (T)(-(Acc)x[(s / inner * classes + c) * inner + s % inner] * w) : (T)0;
  }
}

extern "C" __global__ void nll_total(
    const T* __restrict__ x, const I* __restrict__ target, const T* __restrict__ weight,
    T* __restrict__ loss, T* __restrict__ total, long long samples, long long classes,
    long long inner, long long ignore, int mean, long long* fault, int op) {
  __shared__ Acc cells[32];
  Acc sum = 0, weights = 0;
  for (long long s = threadIdx.x; s < samples; s += blockDim.x) {
    long long c; Acc w;
    if (looked_up(target, weight, s, classes, ignore, fault, op, &c, &w)) {
      weights += w;
      if (w != 0) sum -= (Acc)x[(s / inner * classes + c) * inner + s % inner] * w;
    }
  }
  sum = block_sum(sum, cells);
  weights = block_sum(weights, cells);
  if (threadIdx.x == 0) { loss[0] = (T)(mean ? sum / weights : sum); total[0] = (T)weights; }
}

// Every element is written, so that nothing need be filled with zeros before.
extern "C" __global__ void nll_backward(
    const T* __restrict__ grad, const I* __restrict__ target, const T* __restrict__ weight,
    const T* __restrict__ total, T* __restrict__ out, long long elements, long long classes,
    long long inner, long long ignore, int reduction) {
  for (long long e = blockIdx.x * (long long)blockDim.x + threadIdx.x; e < elements;
       e += (long long)blockDim.x * gridDim.x) {
    const long long i = e % inner, c = e / inner % classes, s = e / inner / classes * inner + i;
    const long long cls = (long long)target[s];
    Acc v = 0;
    if (cls == c && cls != ignore) {
      Acc w = weight ? (Acc)weight[c] : (Acc)1;
      Acc g = reduction == 0 ? (Acc)grad[s] : (Acc)grad[0];
      if (reduction == 1) g /= (Acc)total[0];
      v = w == 0 ? (Acc)0 : -g * w;
    }
    out[e] = (T)v;
  }
}

// A row of scores is `classes` elements that lie `inner` apart; row s belongs to target s.
#define EACH_CLASS for (long long j = threadIdx.x; j < classes; j += blockDim.x)

// The largest score of a row, and the sum of the exponentials of what the scores lack of it.
__device__ inline Acc largest_and_sum(
    const T* row, long long classes, long long inner, Acc* most, Acc* cells) {
  Acc largest = (Acc)row[0], sum = 0;
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
    ["nll_each", "nll_total", "nll_backward", "cross_entropy", "cross_entropy_backward"],
    indices=["int64", "uint8"],
)


def _sizes(x: Any) -> tuple[int, int, int]:
    """Return how many samples and classes there are, and how many samples lie behind the first."""
    dim = 1 if x.ndim > 1 else 0
    inner = prod(x.shape[dim + 1 :])
    return prod(x.shape[:dim]) * inner, x.shape[dim], inner


def _contiguous(*arrays: Any) -> list[Any]:
    return [None if array is None else cupy.ascontiguousarray(array) for array in arrays]


@ks.forward("cr::_nll_loss")
def nll_loss(
    x: Any,
    target: Any,
    weight: Any = None,
    *,
    reduction: int = MEAN,
    ignore_index: int = -100,
    spatial: bool | None = None,
) -> tuple[Any, Any]:
    x, target, weight = _contiguous(x, target, weight)
    samples, classes, inner = _sizes(x)
    numbers = [np.int64(n) for n in (samples, classes, inner, ignore_index)]
    kernels = SOURCE.kernels(x.dtype.name, target.dtype.name)
    given, fault = (x, target, or_null(weight)), (faults.record(), np.int32(_FAULT))
    loss = cupy.empty(target.shape if reduction == NONE else (), x.dtype)
    total = cupy.empty((), x.dtype)
    sums = cupy.empty((), x.dtype) if reduction == NONE else loss
    mean = np.int32(reduction == MEAN)
    kernels["nll_total"]((1,), (1024,), (*given, sums, total, *numbers, mean, *fault))
    if reduction == NONE and samples:
        kernels["nll_each"](blocks_for(samples), (THREADS,), (*given, loss, *numbers, *fault))
    faults.launched()
    return loss, total


@ks.backward("cr::_nll_loss")
def nll_loss_backward(
    grad: Any,
    x: Any,
    target: Any,
    weight: Any,
    total_weight: Any,
    *,
    reduction: int = MEAN,
    ignore_index: int = -100,
) -> Any:
    grad, target, weight = _contiguous(grad, target, weight)
    _, classes, inner = _sizes(x)
    out = cupy.empty(x.shape, x.dtype)
    if out.size:
        kernel = SOURCE.kernels(x.dtype.name, target.dtype.name)["nll_backward"]
        numbers = [np.int64(n) for n in (out.size, classes, inner, ignore_index)]
        arrays = (grad, target, or_null(weight), total_weight, out)
        kernel(blocks_for(out.size), (THREADS,), (*arrays, *numbers, np.int32(reduction)))
    return out


#: Blocks that rows are dealt out to; the last of them adds up what all found.
BLOCKS: Final = 1024


@ks.forward("cr::_fused_softmax_cross_entropy")
def fused_softmax_cross_entropy(
    x: Any, target: Any, weight: Any = None, *, reduction: int = MEAN, ignore_index: int = -100
) -> tuple[Any, Any]:
    x, target, weight = _contiguous(x, target, weight)
    samples, classes, inner = _sizes(x)
    blocks = max(1, min(samples, BLOCKS))
    loss = cupy.empty(target.shape if reduction == NONE else (), x.dtype)
    total = cupy.empty((), x.dtype)
    parts = cupy.zeros(1 + 2 * blocks, np.uint64)
    numbers = [np.int64(n) for n in (samples, classes, inner, ignore_index)]
    arrays = (x, target, or_null(weight), loss, total, parts)
    fault = (faults.record(), np.int32(_FAULT))
    kernel = SOURCE.kernels(x.dtype.name, target.dtype.name)["cross_entropy"]
    kernel((blocks,), (threads_for(classes),), (*arrays, *numbers, np.int32(reduction), *fault))
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
    grad, x, target, weight = _contiguous(grad, x, target, weight)
    samples, classes, inner = _sizes(x)
    out = cupy.empty(x.shape, x.dtype)
    if out.size:
        kernel = SOURCE.kernels(x.dtype.name, target.dtype.name)["cross_entropy_backward"]
        numbers = [np.int64(n) for n in (samples, classes, inner, ignore_index)]
        arrays = (grad, x, target, or_null(weight), total_weight, out)
        scalars = (*numbers, np.int32(reduction))
        kernel(grid_for(samples), (threads_for(classes),), (*arrays, *scalars))
    return out
