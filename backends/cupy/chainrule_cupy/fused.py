"""Steps of optimizers: one launch for up to `MOST` parameters, whatever their shapes.

Where the arrays lie is passed by value, in the arguments of the kernel: nothing is copied to the
device, and a graph that captures the step keeps the addresses. A block of threads takes one piece
of one parameter.
"""

from __future__ import annotations

from typing import Any, Final

import cupy
import numpy as np

from chainrule.backend import KernelSet

from .cuda import NULL, THREADS, Source, accumulator

ks = KernelSet("cupy")

#: Parameters per launch. With five addresses each, sizes and two numbers, the arguments stay below
#: the 4 KiB that every GPU takes.
MOST: Final = 56
LISTS: Final = 5
#: Elements that a block of threads updates.
PIECE: Final = 1 << 14

SOURCE: Final = Source(
    f"#define MOST {MOST}\n#define LISTS {LISTS}\n#define PIECE {PIECE}\n"
    r"""
struct Table {
  unsigned long long at[LISTS][MOST];  // addresses
  long long sizes[MOST];
  double numbers[2][MOST];
  int starts[MOST + 1];                // the first block of each parameter
  int count;
};

// Calls `body(k, i)` for the elements of this block's piece: number k, element i.
#define EACH_ELEMENT \
  int k = 0; \
  while (k + 1 < table.count && (int)blockIdx.x >= table.starts[k + 1]) k++; \
  const long long first = (long long)(blockIdx.x - table.starts[k]) * PIECE; \
  const long long end = first + PIECE < table.sizes[k] ? first + PIECE : table.sizes[k]; \
  T* p = (T*)table.at[0][k]; \
  const T* g = (const T*)table.at[1][k]; \
  for (long long i = first + threadIdx.x; i < end; i += blockDim.x)

extern "C" __global__ void adam(
    Table table, Acc lr, Acc beta1, Acc beta2, Acc decay, Acc eps, int decoupled, int maximize,
    const T* steps) {
  EACH_ELEMENT {
    T* mean_at = (T*)table.at[2][k];
    T* square_at = (T*)table.at[3][k];
    // 1 - beta1^step, and the root of 1 - beta2^step: from the host, or from a step on the device.
    Acc correction = (Acc)table.numbers[0][k], root = (Acc)table.numbers[1][k];
    if (steps) {
      correction = 1 - pow(beta1, (Acc)steps[0]);
      root = sqrt(1 - pow(beta2, (Acc)steps[0]));
    }
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
    Table table, Acc lr, Acc momentum, Acc dampening, Acc decay, int nesterov, int maximize,
    int first_step) {
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
    ["adam", "sgd", "rmsprop", "adagrad"],
)

_TABLE: Final = np.dtype(
    [
        ("at", np.uint64, (LISTS, MOST)),
        ("sizes", np.int64, (MOST,)),
        ("numbers", np.float64, (2, MOST)),
        ("starts", np.int32, (MOST + 1,)),
        ("count", np.int32),
    ],
    align=True,
)

Arrays = list[Any]


def _launch(
    name: str,
    lists: list[Arrays],
    scalars: list[Any],
    numbers: list[list[float]] = (),  # type: ignore[assignment]  # none
) -> None:
    """Run kernel *name* over parameters, gradients and state: *lists*, of which some are empty."""
    dtype = lists[0][0].dtype
    kernel = SOURCE.kernels(dtype.name)[name]
    for first in range(0, len(lists[0]), MOST):
        part = slice(first, first + MOST)
        given = [[cupy.ascontiguousarray(a, dtype) for a in arrays[part]] for arrays in lists]
        table = _table(given, [row[part] for row in numbers])
        blocks = int(table["starts"][0][table["count"][0]])
        if blocks:
            kernel((blocks,), (THREADS,), (table, *scalars))
        for arrays, whole in zip(given, lists, strict=True):
            for array, original in zip(arrays, whole[part], strict=True):
                if array is not original and arrays is not given[1]:
                    original[...] = array  # it does not lie in one piece


def _table(lists: list[Arrays], numbers: list[list[float]]) -> Any:
    made = np.zeros(1, _TABLE)
    row = made[0]
    for position, arrays in enumerate(lists):
        row["at"][position, : len(arrays)] = [array.data.ptr for array in arrays]
    sizes = [array.size for array in lists[0]]
    row["sizes"][: len(sizes)] = sizes
    row["starts"][1 : len(sizes) + 1] = np.cumsum([-(-size // PIECE) for size in sizes])
    made["count"] = len(sizes)
    for position, values in enumerate(numbers):
        row["numbers"][position, : len(values)] = values
    return made


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
    scalars += [*_flags(decoupled, maximize), NULL]
    lists = [params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs]
    _launch("adam", lists, scalars, numbers)


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
    scalars = _scalars(params[0].dtype, lr, momentum, dampening, weight_decay)
    scalars += _flags(nesterov, maximize, first)
    _launch("sgd", [params, grads, momentum_buffers], scalars)


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
    _launch("rmsprop", lists, [*scalars, *_flags(maximize)])


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
    _launch("adagrad", [params, grads, sums], scalars, [rates])
