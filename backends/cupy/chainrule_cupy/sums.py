"""Sums over leading dimensions, which undo broadcasting: in order, and so the same every time."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import cupy
import numpy as np

from chainrule.backend import KernelSet
from chainrule_xp import reductions as family

from .cuda import FLOATS, Source, accumulator

ks = KernelSet("cupy")

# 32 columns per block in x, a part of the rows per block in y: neighbouring threads read
# neighbouring elements. What the parts give is added up by a second launch, if there are several.
SOURCE: Final = Source(
    r"""
template<class From, class To> __device__ inline void columns(
    const From* x, To* out, long long rows, long long size) {
  __shared__ Acc cells[8][33];
  const long long c = blockIdx.x * 32ll + threadIdx.x;
  Acc sum = 0;
  if (c < size)
    for (long long r = blockIdx.y * 8ll + threadIdx.y; r < rows; r += 8ll * gridDim.y)
      sum += (Acc)x[r * size + c];
  cells[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y == 0 && c < size) {
    sum = 0;
    for (int k = 0; k < 8; k++) sum += cells[k][threadIdx.x];
    out[blockIdx.y * size + c] = (To)sum;
  }
}

extern "C" __global__ void columns_whole(
    const T* __restrict__ x, T* __restrict__ out, long long rows, long long size) {
  columns(x, out, rows, size);
}
extern "C" __global__ void columns_in_parts(
    const T* __restrict__ x, Acc* __restrict__ out, long long rows, long long size) {
  columns(x, out, rows, size);
}
extern "C" __global__ void columns_of_parts(
    const Acc* __restrict__ x, T* __restrict__ out, long long rows, long long size) {
  columns(x, out, rows, size);
}
""",
    ["columns_whole", "columns_in_parts", "columns_of_parts"],
)

ROWS_PER_PART: Final = 512
PARTS: Final = 64


def column_sums(x: Any) -> Any:
    """Return the sums of the columns of a matrix ``(rows, size)``, contiguous."""
    rows, size = x.shape
    out = cupy.empty(size, x.dtype)
    kernels = SOURCE.kernels(x.dtype.name)
    across, block = -(-size // 32), (32, 8)
    parts = max(1, min(PARTS, rows // ROWS_PER_PART))
    if parts == 1:
        kernels["columns_whole"]((across, 1), block, (x, out, np.int64(rows), np.int64(size)))
        return out
    some = cupy.empty((parts, size), accumulator(x.dtype))
    kernels["columns_in_parts"]((across, parts), block, (x, some, np.int64(rows), np.int64(size)))
    kernels["columns_of_parts"]((across, 1), block, (some, out, np.int64(parts), np.int64(size)))
    return out


@ks.family("cr::_sum")
def sum(xp: Any) -> Any:
    plain = family.sum(xp)

    def kernel(x: Any, *, dim: Any, keepdim: bool = False, dtype: Any = None) -> Any:
        lead = len(dim)
        if (
            dtype is None
            and 0 < lead < x.ndim
            and x.size
            and tuple(sorted(d % x.ndim for d in dim)) == tuple(range(lead))
            and x.flags.c_contiguous
            and x.dtype.name in FLOATS
        ):
            rest = x.shape[lead:]
            sums = column_sums(x.reshape(prod(x.shape[:lead]), prod(rest)))
            return sums.reshape((1,) * lead + rest if keepdim else rest)
        return plain(x, dim=dim, keepdim=keepdim, dtype=dtype)

    return kernel
