"""Kernels of chainrule/ops/loss_classes.py: classes are checked on the device, nobody waits."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import cupy
import numpy as np

from chainrule.backend import KernelSet

from . import faults
from .cuda import THREADS, Source, blocks_for, or_null

ks = KernelSet("cupy")

NONE, MEAN, SUM = 0, 1, 2

#: What a kernel reports.
FAULT: Final = faults.register(
    "Target {place} is out of bounds.\n"
    "nll_loss: expected classes from {low} to {high}, or ignore_index."
)

#: What a kernel calls: whether sample s counts, of which class it is, and the weight of that.
LOOKED_UP: Final = (
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
"""
)

# Samples are counted over the batch and what lies behind the classes. One block adds them up in a
# fixed order, so that a sum is the same every time; 1,024 threads are enough for a batch.
SOURCE: Final = Source(
    LOOKED_UP
    + r"""
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
""",
    ["nll_each", "nll_total", "nll_backward"],
    indices=["int64", "uint8"],
)


def sizes_of(x: Any) -> tuple[int, int, int]:
    """Return how many samples and classes there are, and how many samples lie behind the first."""
    dim = 1 if x.ndim > 1 else 0
    inner = prod(x.shape[dim + 1 :])
    return prod(x.shape[:dim]) * inner, x.shape[dim], inner


def contiguous(*arrays: Any) -> list[Any]:
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
    x, target, weight = contiguous(x, target, weight)
    samples, classes, inner = sizes_of(x)
    numbers = [np.int64(n) for n in (samples, classes, inner, ignore_index)]
    kernels = SOURCE.kernels(x.dtype.name, target.dtype.name)
    given, fault = (x, target, or_null(weight)), (faults.record(), np.int32(FAULT))
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
    grad, target, weight = contiguous(grad, target, weight)
    _, classes, inner = sizes_of(x)
    out = cupy.empty(x.shape, x.dtype)
    if out.size:
        kernel = SOURCE.kernels(x.dtype.name, target.dtype.name)["nll_backward"]
        numbers = [np.int64(n) for n in (out.size, classes, inner, ignore_index)]
        arrays = (grad, target, or_null(weight), total_weight, out)
        kernel(blocks_for(out.size), (THREADS,), (*arrays, *numbers, np.int32(reduction)))
    return out
