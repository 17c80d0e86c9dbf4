"""Kernels for clipping gradients: the norms of all of them, and their scaling.

They stand for ops of chainrule/ops/fused.py.
"""

from __future__ import annotations

from typing import Any, Final

import cupy
import numpy as np

from chainrule.backend import Kernel, KernelSet

from .cuda import FLOATS, THREADS, Source
from .lists import TABLE, Arrays, launch, tables

ks = KernelSet("cupy")

SOURCE: Final = Source(
    TABLE
    + r"""
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
    ["norm_parts", "norms_of_parts", "scale"],
)

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
        for table, blocks, part in tables([tensors, tensors]):
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
            launch(SOURCE, "scale", [tensors], [factor[0]])
        else:
            otherwise(tensors, factor)

    return scale
