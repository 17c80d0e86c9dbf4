"""Kernels of chainrule/ops/normalization.py: one launch forward, one to three backward.

A row is what mean and variance are taken over: the last dimensions (layer norm), or the channels
of a group with what lies behind them (group norm). Weight and bias belong to an element by
``row % groups * per_row + j / behind``. Mean and variance are taken in two passes over the row.
With a null pointer for the means, a mean of zero is taken: that is RMS norm (fused_rows.py).
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

import cupy
import numpy as np

from chainrule.backend import KernelSet

from .cuda import NULL, Source, accumulator
from .softmax import grid_for, threads_for
from .sums import column_sums

ks = KernelSet("cupy")

Sizes = tuple[int, ...]

SOURCE: Final = Source(
    r"""
extern "C" __global__ void rows_forward(
    const T* __restrict__ x, const T* __restrict__ weight, const T* __restrict__ bias,
    T* __restrict__ y, T* __restrict__ means, T* __restrict__ rstds, long long rows,
    long long size, long long groups, long long per_row, long long behind, Acc eps) {
  __shared__ Acc cells[32];
  for (long long row = blockIdx.x; row < rows; row += gridDim.x) {
    const T* r = x + row * size;
    Acc mean = 0, square = 0;
    if (means) {
      for (long long j = threadIdx.x; j < size; j += blockDim.x) mean += (Acc)r[j];
      mean = block_sum(mean, cells) / size;
    }
    for (long long j = threadIdx.x; j < size; j += blockDim.x) {
      const Acc away = (Acc)r[j] - mean;
      square += away * away;
    }
    const Acc rstd = 1 / sqrt(block_sum(square, cells) / size + eps);
    for (long long j = threadIdx.x; j < size; j += blockDim.x) {
      const long long c = row % groups * per_row + j / behind;
      Acc v = ((Acc)r[j] - mean) * rstd;
      if (weight) v *= (Acc)weight[c];
      if (bias) v += (Acc)bias[c];
      y[row * size + j] = (T)v;
    }
    if (threadIdx.x == 0) {
      if (means) means[row] = (T)mean;
      rstds[row] = (T)rstd;
    }
  }
}

extern "C" __global__ void rows_backward(
    const T* __restrict__ grad, const T* __restrict__ x, const T* __restrict__ weight,
    const T* __restrict__ means, const T* __restrict__ rstds, T* __restrict__ out,
    long long rows, long long size, long long groups, long long per_row, long long behind) {
  __shared__ Acc cells[32];
  for (long long row = blockIdx.x; row < rows; row += gridDim.x) {
    const long long base = row * size;
    const Acc mean = means ? (Acc)means[row] : (Acc)0, rstd = (Acc)rstds[row];
    Acc sum = 0, product = 0;
    for (long long j = threadIdx.x; j < size; j += blockDim.x) {
      Acc g = (Acc)grad[base + j];
      if (weight) g *= (Acc)weight[row % groups * per_row + j / behind];
      sum += g;
      product += g * (((Acc)x[base + j] - mean) * rstd);
    }
    sum = means ? block_sum(sum, cells) / size : (Acc)0;
    product = block_sum(product, cells) / size;
    for (long long j = threadIdx.x; j < size; j += blockDim.x) {
      Acc g = (Acc)grad[base + j];
      if (weight) g *= (Acc)weight[row % groups * per_row + j / behind];
      out[base + j] = (T)((g - sum - ((Acc)x[base + j] - mean) * rstd * product) * rstd);
    }
  }
}

// What the weight of a layer gets, and its bias, if `totals` is there: a part of the rows per block
// in y, 32 columns per block in x; the parts are added up afterwards, in order, so that the result
// is the same every time.
extern "C" __global__ void layer_parameters(
    const T* __restrict__ grad, const T* __restrict__ x, const T* __restrict__ means,
    const T* __restrict__ rstds, Acc* __restrict__ products, Acc* __restrict__ totals,
    long long rows, long long size) {
  __shared__ Acc first[8][33], second[8][33];
  const long long c = blockIdx.x * 32ll + threadIdx.x;
  Acc product = 0, total = 0;
  if (c < size)
    for (long long r = blockIdx.y * 8ll + threadIdx.y; r < rows; r += 8ll * gridDim.y) {
      const Acc g = (Acc)grad[r * size + c];
      total += g;
      const Acc mean = means ? (Acc)means[r] : (Acc)0;
      product += g * (((Acc)x[r * size + c] - mean) * (Acc)rstds[r]);
    }
  first[threadIdx.y][threadIdx.x] = product;
  second[threadIdx.y][threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.y == 0 && c < size) {
    product = total = 0;
    for (int k = 0; k < 8; k++) {
      product += first[k][threadIdx.x];
      total += second[k][threadIdx.x];
    }
    products[blockIdx.y * size + c] = product;
    if (totals) totals[blockIdx.y * size + c] = total;
  }
}

// What weight and bias of channels get, a block per channel; `spans` is how many elements of a
// row a mean stands for.
extern "C" __global__ void channel_parameters(
    const T* __restrict__ grad, const T* __restrict__ x, const T* __restrict__ means,
    const T* __restrict__ rstds, T* __restrict__ products, T* __restrict__ totals,
    long long samples, long long channels, long long inner, long long groups) {
  __shared__ Acc cells[32];
  const long long c = blockIdx.x, group = c / (channels / groups);
  Acc product = 0, total = 0;
  for (long long e = threadIdx.x; e < samples * inner; e += blockDim.x) {
    const long long n = e / inner, at = (n * channels + c) * inner + e % inner;
    const Acc g = (Acc)grad[at];
    total += g;
    product += g * (((Acc)x[at] - (Acc)means[n * groups + group]) * (Acc)rstds[n * groups + group]);
  }
  product = block_sum(product, cells);
  total = block_sum(total, cells);
  if (threadIdx.x == 0) { products[c] = (T)product; totals[c] = (T)total; }
}

extern "C" __global__ void batch_forward(
    const T* __restrict__ x, const T* __restrict__ weight, const T* __restrict__ bias,
    const T* __restrict__ running_mean, const T* __restrict__ running_var, T* __restrict__ y,
    T* __restrict__ means, T* __restrict__ rstds, T* __restrict__ variances, long long samples,
    long long channels, long long inner, int training, Acc eps) {
  __shared__ Acc cells[32];
  const long long c = blockIdx.x, count = samples * inner;
  Acc mean, variance;
  if (training) {
    Acc sum = 0, square = 0;
    for (long long e = threadIdx.x; e < count; e += blockDim.x)
      sum += (Acc)x[(e / inner * channels + c) * inner + e % inner];
    mean = block_sum(sum, cells) / count;
    for (long long e = threadIdx.x; e < count; e += blockDim.x) {
      const Acc away = (Acc)x[(e / inner * channels + c) * inner + e % inner] - mean;
      square += away * away;
    }
    variance = block_sum(square, cells) / count;
  } else {
    mean = (Acc)running_mean[c];
    variance = (Acc)running_var[c];
  }
  const Acc rstd = 1 / sqrt(variance + eps);
  const Acc scale = weight ? rstd * (Acc)weight[c] : rstd, shift = bias ? (Acc)bias[c] : (Acc)0;
  for (long long e = threadIdx.x; e < count; e += blockDim.x) {
    const long long at = (e / inner * channels + c) * inner + e % inner;
    y[at] = (T)(((Acc)x[at] - mean) * scale + shift);
  }
  if (training && threadIdx.x == 0) {
    means[c] = (T)mean; rstds[c] = (T)rstd; variances[c] = (T)variance;
  }
}

extern "C" __global__ void batch_backward(
    const T* __restrict__ grad, const T* __restrict__ x, const T* __restrict__ weight,
    const T* __restrict__ means, const T* __restrict__ rstds, T* __restrict__ out,
    T* __restrict__ products, T* __restrict__ totals, long long samples, long long channels,
    long long inner, int training, Acc eps) {
  __shared__ Acc cells[32];
  const long long c = blockIdx.x, count = samples * inner;
  // Outside of training, `rstds` holds the running variance.
  const Acc mean = (Acc)means[c];
  const Acc rstd = training ? (Acc)rstds[c] : 1 / sqrt((Acc)rstds[c] + eps);
  Acc product = 0, total = 0;
  for (long long e = threadIdx.x; e < count; e += blockDim.x) {
    const long long at = (e / inner * channels + c) * inner + e % inner;
    const Acc g = (Acc)grad[at];
    total += g;
    product += g * (((Acc)x[at] - mean) * rstd);
  }
  product = block_sum(product, cells);
  total = block_sum(total, cells);
  if (threadIdx.x == 0) { products[c] = (T)product; totals[c] = (T)total; }
  const Acc scale = weight ? rstd * (Acc)weight[c] : rstd;
  for (long long e = threadIdx.x; e < count; e += blockDim.x) {
    const long long at = (e / inner * channels + c) * inner + e % inner;
    Acc g = (Acc)grad[at];
    if (training) g -= total / count + ((Acc)x[at] - mean) * rstd * (product / count);
    out[at] = (T)(g * scale);
  }
}
""",
    [
        "rows_forward", "rows_backward", "layer_parameters", "channel_parameters", "batch_forward",
        "batch_backward",
    ],
)  # fmt: skip

#: Rows that one part of a sum over rows holds, and how many parts there may be.
ROWS_PER_PART: Final = 256
PARTS: Final = 64


def prepared(dtype: Any, *arrays: Any) -> list[Any]:
    """Return arrays as a kernel takes them: contiguous, of *dtype*; a null pointer for None."""
    return [NULL if a is None else cupy.ascontiguousarray(a, dtype) for a in arrays]


def _numbers(*values: int) -> list[Any]:
    return [np.int64(value) for value in values]


def by_rows(
    x: Any,
    weight: Any,
    bias: Any,
    rows: int,
    size: int,
    layout: Sizes,
    eps: float,
    *,
    centred: bool = True,
) -> tuple[Any, Any, Any]:
    """Return *x* with every row normalised, mean (null if not *centred*) and rstd of each row."""
    x, weight, bias = prepared(x.dtype, x, weight, bias)
    out = cupy.empty(x.shape, x.dtype)
    mean, rstd = cupy.empty(rows, x.dtype) if centred else NULL, cupy.empty(rows, x.dtype)
    if out.size:
        kernel = SOURCE.kernels(x.dtype.name)["rows_forward"]
        numbers = [*_numbers(rows, size, *layout), accumulator(x.dtype)(eps)]
        arrays = (x, weight, bias, out, mean, rstd)
        kernel(grid_for(rows), (threads_for(size),), (*arrays, *numbers))
    elif rows:
        rstd.fill(eps**-0.5)
        if centred:
            mean.fill(0)
    return out, mean, rstd


def rows_backward(
    grad: Any, x: Any, weight: Any, mean: Any, rstd: Any, rows: int, size: int, layout: Sizes
) -> Any:
    out = cupy.empty(x.shape, x.dtype)
    if out.size:
        kernel = SOURCE.kernels(x.dtype.name)["rows_backward"]
        arrays = (grad, x, weight, mean, rstd, out)
        numbers = _numbers(rows, size, *layout)
        kernel(grid_for(rows), (threads_for(size),), (*arrays, *numbers))
    return out


@ks.forward("cr::_native_layer_norm")
def native_layer_norm(
    x: Any, weight: Any, bias: Any, *, normalized_shape: Sizes, eps: float
) -> tuple[Any, Any, Any]:
    lead, size = x.shape[: x.ndim - len(normalized_shape)], prod(normalized_shape)
    kept = (*lead, *(1,) * len(normalized_shape))
    out, mean, rstd = by_rows(x, weight, bias, prod(lead), size, (1, size, 1), eps)
    return out, mean.reshape(kept), rstd.reshape(kept)


@ks.forward("cr::native_layer_norm_backward")
def native_layer_norm_backward(
    grad: Any, x: Any, mean: Any, rstd: Any, weight: Any, *, normalized_shape: Sizes, eps: float
) -> tuple[Any, Any, Any]:
    grad, x, mean, rstd, weight = prepared(x.dtype, grad, x, mean, rstd, weight)
    size, rows = prod(normalized_shape), mean.size
    out = rows_backward(grad, x, weight, mean, rstd, rows, size, (1, size, 1))
    if not out.size:
        none = cupy.zeros(normalized_shape, x.dtype)
        return out, none, none.copy()
    sums = over_rows(grad, x, mean, rstd, rows, size)
    return out, *(part.reshape(normalized_shape) for part in sums)


def over_rows(grad: Any, x: Any, mean: Any, rstd: Any, rows: int, size: int) -> list[Any]:
    """Return what weight and bias get; without means, the weight alone."""
    parts = max(1, min(PARTS, rows // ROWS_PER_PART))
    count = 1 if mean is NULL else 2
    sums = [cupy.empty((parts, size), accumulator(x.dtype)) for _ in range(count)]
    kernel = SOURCE.kernels(x.dtype.name)["layer_parameters"]
    arrays = (grad, x, mean, rstd, sums[0], NULL if mean is NULL else sums[1])
    kernel((-(-size // 32), parts), (32, 8), (*arrays, *_numbers(rows, size)))
    return [_added(part, x.dtype) for part in sums]


def _added(parts: Any, dtype: Any) -> Any:
    """Return the sum of the rows of *parts* as *dtype*."""
    whole = parts[0] if len(parts) == 1 else column_sums(parts)
    return whole.astype(dtype, copy=False)


@ks.forward("cr::_native_group_norm")
def native_group_norm(
    x: Any, weight: Any, bias: Any, *, N: int, C: int, HxW: int, group: int, eps: float
) -> tuple[Any, Any, Any]:
    rows, size = N * group, C * HxW // group
    layout = (group, C // group, max(HxW, 1))
    out, mean, rstd = by_rows(x, weight, bias, rows, size, layout, eps)
    return out, mean.reshape(N, group), rstd.reshape(N, group)


@ks.forward("cr::native_group_norm_backward")
def native_group_norm_backward(
    grad: Any, x: Any, weight: Any, mean: Any, rstd: Any, *, group: int, eps: float
) -> tuple[Any, Any, Any]:
    grad, x, weight, mean, rstd = prepared(x.dtype, grad, x, weight, mean, rstd)
    samples, channels, inner = x.shape[0], x.shape[1], prod(x.shape[2:])
    rows, size = samples * group, channels * inner // group
    layout = (group, channels // group, max(inner, 1))
    out = rows_backward(grad, x, weight, mean, rstd, rows, size, layout)
    products, totals = cupy.zeros(channels, x.dtype), cupy.zeros(channels, x.dtype)
    if out.size:
        kernel = SOURCE.kernels(x.dtype.name)["channel_parameters"]
        arrays = (grad, x, mean, rstd, products, totals)
        numbers = _numbers(samples, channels, inner, group)
        kernel((channels,), (threads_for(samples * inner),), (*arrays, *numbers))
    return out, products, totals


def _channels(x: Any) -> Sizes:
    return x.shape[0], x.shape[1], prod(x.shape[2:])


@ks.forward("cr::_native_batch_norm")
def native_batch_norm(
    x: Any, weight: Any, bias: Any, mean: Any, variance: Any, *, training: bool, eps: float
) -> tuple[Any, Any, Any, Any]:
    x, weight, bias, mean, variance = prepared(x.dtype, x, weight, bias, mean, variance)
    sizes = _channels(x)
    out = cupy.empty(x.shape, x.dtype)
    found = [cupy.empty(sizes[1] if training else 0, x.dtype) for _ in range(3)]
    if out.size:
        kernel = SOURCE.kernels(x.dtype.name)["batch_forward"]
        numbers = [*_numbers(*sizes), np.int32(training), accumulator(x.dtype)(eps)]
        arrays = (x, weight, bias, mean, variance, out, *found)
        kernel((sizes[1],), (threads_for(sizes[0] * sizes[2]),), (*arrays, *numbers))
    return out, *found


@ks.forward("cr::native_batch_norm_backward")
def native_batch_norm_backward(
    grad: Any,
    x: Any,
    weight: Any,
    mean: Any,
    rstd: Any,
    running_mean: Any,
    running_var: Any,
    *,
    training: bool,
    eps: float,
) -> tuple[Any, Any, Any]:
    used = (mean, rstd) if training else (running_mean, running_var)
    grad, x, weight, first, second = prepared(x.dtype, grad, x, weight, *used)
    sizes = _channels(x)
    out = cupy.empty(x.shape, x.dtype)
    products, totals = cupy.zeros(sizes[1], x.dtype), cupy.zeros(sizes[1], x.dtype)
    if out.size:
        kernel = SOURCE.kernels(x.dtype.name)["batch_backward"]
        numbers = [*_numbers(*sizes), np.int32(training), accumulator(x.dtype)(eps)]
        arrays = (grad, x, weight, first, second, out, products, totals)
        kernel((sizes[1],), (threads_for(sizes[0] * sizes[2]),), (*arrays, *numbers))
    return out, products, totals
