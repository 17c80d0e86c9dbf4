"""Steps of optimizers: one launch for up to `MOST` parameters, whatever their shapes."""

from __future__ import annotations

from typing import Any, Final

import cupy
import numpy as np

from chainrule.backend import KernelSet

from .cuda import NULL, THREADS, Source, accumulator
from .lists import TABLE, Arrays, launch, tables

ks = KernelSet("cupy")

SOURCE: Final = Source(
    TABLE
    + r"""
// Counts one step for each parameter, of which `T` is the type of the count, and leaves what Adam
// makes of it: 1 - beta1^step, and the root of 1 - beta2^step.
extern "C" __global__ void count_steps(
    Table table, double (*corrections)[2], double beta1, double beta2) {
  for (int k = threadIdx.x; k < table.count; k += blockDim.x) {
    T* count = (T*)table.at[0][k];
    const double step = (double)(Acc)(*count = (T)((Acc)*count + 1));
    corrections[k][0] = 1 - pow(beta1, step);
    corrections[k][1] = sqrt(1 - pow(beta2, step));
  }
}

// Corrections come from the host, in the table, or from the device, if `corrections` is there; so
// does the learning rate.
extern "C" __global__ void adam(
    Table table, const double (*corrections)[2], const Acc* rate, Acc lr, Acc beta1, Acc beta2,
    Acc decay, Acc eps, int decoupled, int maximize) {
  if (rate) lr = rate[0];
  EACH_ELEMENT {
    T* mean_at = (T*)table.at[2][k];
    T* square_at = (T*)table.at[3][k];
    const Acc correction = (Acc)(corrections ? corrections[k][0] : table.numbers[0][k]);
    const Acc root = (Acc)(corrections ? corrections[k][1] : table.numbers[1][k]);
    Acc x = (Acc)p[i], d = maximize ? -(Acc)g[i] : (Acc)g[i];
    if (decoupled) x *= 1 - lr * decay; else d += decay * x;
    Acc mean = (Acc)mean_at[i], square = (Acc)square_at[i];
    mean += (d - mean) * (1 - beta1);
    square = square * beta2 + d * d * (1 - beta2);
    mean_at[i] = (T)mean;
    square_at[i] = (T)square;
    if (table.at[4][k]) {  // AMSGrad: the largest average of squares yet
      T* largest_at = (T*)table.at[4][k];
      square = larger((Acc)largest_at[i], square);
      largest_at[i] = (T)square;
    }
    p[i] = (T)(x - mean / (sqrt(square) / root + eps) * (lr / correction));
  }
}

extern "C" __global__ void sgd(
    Table table, const Acc* rate, Acc lr, Acc momentum, Acc dampening, Acc decay, int nesterov,
    int maximize, int first_step) {
  if (rate) lr = rate[0];
  EACH_ELEMENT {
    Acc x = (Acc)p[i], d = maximize ? -(Acc)g[i] : (Acc)g[i];
    d += decay * x;
    if (table.at[2][k]) {
      T* buffer_at = (T*)table.at[2][k];
      const Acc buffer = first_step ? d : (Acc)buffer_at[i] * momentum + d * (1 - dampening);
      buffer_at[i] = (T)buffer;
      d = nesterov ? d + momentum * buffer : buffer;
    }
    p[i] = (T)(x - lr * d);
  }
}

extern "C" __global__ void rmsprop(
    Table table, Acc lr, Acc alpha, Acc eps, Acc decay, Acc momentum, int maximize) {
  EACH_ELEMENT {
    T* square_at = (T*)table.at[2][k];
    Acc x = (Acc)p[i], d = maximize ? -(Acc)g[i] : (Acc)g[i];
    d += decay * x;
    const Acc square = (Acc)square_at[i] * alpha + d * d * (1 - alpha);
    square_at[i] = (T)square;
    Acc spread = square;
    if (table.at[4][k]) {  // centered: less the square of the mean
      T* mean_at = (T*)table.at[4][k];
      const Acc mean = (Acc)mean_at[i] + (d - (Acc)mean_at[i]) * (1 - alpha);
      mean_at[i] = (T)mean;
      spread -= mean * mean;
    }
    Acc change = d / (sqrt(spread) + eps);
    if (table.at[3][k]) {
      T* buffer_at = (T*)table.at[3][k];
      change = (Acc)buffer_at[i] * momentum + change;
      buffer_at[i] = (T)change;
    }
    p[i] = (T)(x - lr * change);
  }
}

extern "C" __global__ void adagrad(
    Table table, Acc eps, Acc decay, int maximize) {
  EACH_ELEMENT {
    T* total_at = (T*)table.at[2][k];
    Acc x = (Acc)p[i], d = maximize ? -(Acc)g[i] : (Acc)g[i];
    d += decay * x;
    const Acc total = (Acc)total_at[i] + d * d;
    total_at[i] = (T)total;
    p[i] = (T)(x - d / (sqrt(total) + eps) * (Acc)table.numbers[0][k]);
  }
}
""",
    ["adam", "count_steps", "sgd", "rmsprop", "adagrad"],
)


def _scalars(dtype: Any, *values: float) -> list[Any]:
    return [accumulator(dtype)(value) for value in values]


def _flags(*values: bool) -> list[Any]:
    return [np.int32(value) for value in values]


@ks.forward("cr::_fused_adam_")
def adam_(
    params: Arrays,
    grads: Arrays,
    exp_avgs: Arrays,
    exp_avg_sqs: Arrays,
    max_exp_avg_sqs: Arrays,
    *,
    steps: list[float],
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    eps: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    numbers = [[1 - beta1**step for step in steps], [(1 - beta2**step) ** 0.5 for step in steps]]
    scalars = _scalars(params[0].dtype, lr, beta1, beta2, weight_decay, eps)
    scalars = [NULL, NULL, *scalars, *_flags(decoupled, maximize)]
    lists = [params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs]
    launch(SOURCE, "adam", lists, scalars, numbers)


@ks.forward("cr::_fused_adam_on_device_")
def adam_on_device_(
    params: Arrays,
    grads: Arrays,
    exp_avgs: Arrays,
    exp_avg_sqs: Arrays,
    max_exp_avg_sqs: Arrays,
    steps: Arrays,
    rates: Arrays,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    eps: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    dtype = params[0].dtype
    corrections = _count(steps, beta1, beta2)
    scalars = _scalars(dtype, lr, beta1, beta2, weight_decay, eps)
    scalars = [_rate(rates, dtype), *scalars, *_flags(decoupled, maximize)]
    kernel = SOURCE.kernels(dtype.name)["adam"]
    lists = [params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs]
    for table, blocks, part in tables(lists):
        if blocks:
            kernel((blocks,), (THREADS,), (table, corrections[part], *scalars))


def _count(steps: Arrays, beta1: float, beta2: float) -> Any:
    """Add one to *steps*; return what Adam corrects averages by after so many, ``(n, 2)``."""
    corrections = cupy.empty((len(steps), 2), np.float64)
    betas = (np.float64(beta1), np.float64(beta2))
    kernel = SOURCE.kernels(steps[0].dtype.name)["count_steps"]
    for table, _, part in tables([steps]):
        kernel((1,), (64,), (table, corrections[part], *betas))
    return corrections


def _rate(rates: Arrays, dtype: Any) -> Any:
    """Return the learning rate on the device, as kernels for *dtype* read it; null for none."""
    return rates[0].astype(accumulator(dtype), copy=False) if rates else NULL


@ks.forward("cr::_fused_sgd_")
def sgd_(
    params: Arrays,
    grads: Arrays,
    momentum_buffers: Arrays,
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    first: bool,
) -> None:
    scalars = [NULL, *_scalars(params[0].dtype, lr, momentum, dampening, weight_decay)]
    scalars += _flags(nesterov, maximize, first)
    launch(SOURCE, "sgd", [params, grads, momentum_buffers], scalars)


@ks.forward("cr::_fused_sgd_on_device_")
def sgd_on_device_(
    params: Arrays,
    grads: Arrays,
    momentum_buffers: Arrays,
    rates: Arrays,
    *,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    first: bool,
) -> None:
    dtype = params[0].dtype
    scalars = [_rate(rates, dtype), *_scalars(dtype, 0.0, momentum, dampening, weight_decay)]
    scalars += _flags(nesterov, maximize, first)
    launch(SOURCE, "sgd", [params, grads, momentum_buffers], scalars)


@ks.forward("cr::_fused_rmsprop_")
def rmsprop_(
    params: Arrays,
    grads: Arrays,
    square_avgs: Arrays,
    grad_avgs: Arrays,
    momentum_buffers: Arrays,
    *,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    maximize: bool,
) -> None:
    scalars = _scalars(params[0].dtype, lr, alpha, eps, weight_decay, momentum)
    lists = [params, grads, square_avgs, momentum_buffers, grad_avgs]
    launch(SOURCE, "rmsprop", lists, [*scalars, *_flags(maximize)])


@ks.forward("cr::_fused_adagrad_")
def adagrad_(
    params: Arrays,
    grads: Arrays,
    sums: Arrays,
    *,
    steps: list[float],
    lr: float,
    lr_decay: float,
    weight_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    rates = [lr / (1 + (step - 1) * lr_decay) for step in steps]
    scalars = [*_scalars(params[0].dtype, eps, weight_decay), *_flags(maximize)]
    launch(SOURCE, "adagrad", [params, grads, sums], scalars, [rates])
