"""Steps of optimizers: one launch for up to `MOST` parameters, whatever their shapes.

Where the arrays lie is passed by value, in the arguments of the kernel: nothing is copied to the
device, and a graph that captures the step keeps the addresses. A block of threads takes one piece
of one parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cupy
import numpy as np

from chainrule.backend import Kernel, KernelSet

from .cuda import FLOATS, NULL, THREADS, Source, accumulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ks = KernelSet("cupy")

#: Parameters per launch. With five addresses each, sizes and two numbers, the arguments stay below
#: the 4 KiB that every GPU takes.
MOST: Final = 56
LISTS: Final = 5
#: Which of the lists are gradients, which no step writes to.
GRADIENTS: Final = 1
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

// Norms: a part per block of threads, which a block per parameter then puts together, in order.
enum { SQUARES, ABSOLUTE, LARGEST };

extern "C" __global__ void norm_parts(Table table, double* parts, int what) {
  __shared__ double cells[32];
  Acc part = 0;
  EACH_ELEMENT {
    const Acc v = (Acc)g[i], size = v < 0 ? -v : v;
    part = what == LARGEST ? larger(part, size) : part + (what == SQUARES ? v * v : size);
  }
  const double whole =
      what == LARGEST ? block_largest((double)part, cells) : block_sum((double)part, cells);
  if (threadIdx.x == 0) parts[blockIdx.x] = whole;
}

extern "C" __global__ void norms_of_parts(
    Table table, const double* parts, T* out, int what) {
  __shared__ double cells[32];
  double whole = 0;
  for (int b = table.starts[blockIdx.x] + threadIdx.x; b < table.starts[blockIdx.x + 1];
       b += blockDim.x)
    whole = what == LARGEST ? larger(whole, parts[b]) : whole + parts[b];
  whole = what == LARGEST ? block_largest(whole, cells) : block_sum(whole, cells);
  if (threadIdx.x == 0) out[blockIdx.x] = (T)(what == SQUARES ? sqrt(whole) : whole);
}

extern "C" __global__ void scale(Table table, const T* factor) {
  EACH_ELEMENT { p[i] = (T)((Acc)p[i] * (Acc)factor[0]); }
}
""",
    [
        "adam", "count_steps", "sgd", "rmsprop", "adagrad", "norm_parts", "norms_of_parts", "scale",
    ],
)  # fmt: skip

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


def _tables(
    lists: list[Arrays], numbers: Sequence[Sequence[float]] = ()
) -> Iterator[tuple[Any, int, slice]]:
    """Yield tables of *lists*, of which some are empty, for `MOST` parameters each.

    With a table come the blocks of threads that it asks for, and the parameters that it holds. What
    does not lie in one piece is copied before, and written back when the next table is asked for.
    """
    dtype = lists[0][0].dtype
    for first in range(0, len(lists[0]), MOST):
        part = slice(first, first + MOST)
        given = [[cupy.ascontiguousarray(a, dtype) for a in arrays[part]] for arrays in lists]
        table = _table(given, [row[part] for row in numbers])
        yield table, int(table["starts"][0][table["count"][0]]), part
        for position, (arrays, whole) in enumerate(zip(given, lists, strict=True)):
            for array, original in zip(arrays, whole[part], strict=True):
                if array is not original and position != GRADIENTS:
                    original[...] = array


def _launch(
    name: str,
    lists: list[Arrays],
    scalars: list[Any],
    numbers: Sequence[Sequence[float]] = (),
) -> None:
    """Run kernel *name* over parameters, gradients and state: *lists*, of which some are empty."""
    kernel = SOURCE.kernels(lists[0][0].dtype.name)[name]
    for table, blocks, _ in _tables(lists, numbers):
        if blocks:
            kernel((blocks,), (THREADS,), (table, *scalars))


def _table(lists: list[Arrays], numbers: Sequence[Sequence[float]]) -> Any:
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
    scalars = [NULL, NULL, *scalars, *_flags(decoupled, maximize)]
    lists = [params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs]
    _launch("adam", lists, scalars, numbers)


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
    for table, blocks, part in _tables(lists):
        if blocks:
            kernel((blocks,), (THREADS,), (table, corrections[part], *scalars))


def _count(steps: Arrays, beta1: float, beta2: float) -> Any:
    """Add one to *steps*; return what Adam corrects averages by after so many, ``(n, 2)``."""
    corrections = cupy.empty((len(steps), 2), np.float64)
    betas = (np.float64(beta1), np.float64(beta2))
    kernel = SOURCE.kernels(steps[0].dtype.name)["count_steps"]
    for table, _, part in _tables([steps]):
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
    _launch("sgd", [params, grads, momentum_buffers], scalars)


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


#: What the parts of a norm are, by its order.
PARTS: Final = {2.0: 0, 1.0: 1, float("inf"): 2}


@ks.over("cr::_norms_of_")
def norms_of_(otherwise: Kernel) -> Kernel:
    def norms(tensors: Arrays, *, ord: float) -> Any:
        dtype, what = tensors[0].dtype, PARTS.get(ord)
        no_largest = what == PARTS[float("inf")] and not all(t.size for t in tensors)
        if what is None or no_largest or dtype.name not in FLOATS:
            return otherwise(tensors, ord=ord)
        kernels, flag = SOURCE.kernels(dtype.name), np.int32(what)
        out = cupy.empty(len(tensors), dtype)
        tensors = [cupy.ascontiguousarray(tensor) for tensor in tensors]
        for table, blocks, part in _tables([tensors, tensors]):
            parts = cupy.empty(blocks, np.float64)
            if blocks:
                kernels["norm_parts"]((blocks,), (THREADS,), (table, parts, flag))
            count = (len(out[part]),)
            kernels["norms_of_parts"](count, (THREADS,), (table, parts, out[part], flag))
        return out

    return norms


@ks.over("cr::_scale_")
def scale_(otherwise: Kernel) -> Kernel:
    def scale(tensors: Arrays, factor: Arrays) -> None:
        if tensors[0].dtype.name in FLOATS and factor[0].dtype == tensors[0].dtype:
            _launch("scale", [tensors], [factor[0]])
        else:
            otherwise(tensors, factor)

    return scale
