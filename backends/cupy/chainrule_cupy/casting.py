"""Conversions between floating dtypes, of which training in mixed precision makes many.

Four neighbours are read and written at once, where both arrays lie so that it can be done.
"""

from __future__ import annotations

from typing import Any, Final

import cupy
import numpy as np

from .cuda import FLOATS, THREADS, Source, blocks_for

# From `I` to `T`.
SOURCE: Final = Source(
    r"""
template<class X> struct alignas(4 * sizeof(X)) Four { X v[4]; };


extern "C" __global__ void cast(const I* __restrict__ x, T* __restrict__ out, long long count) {
  const long long first = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  const long long step = (long long)blockDim.x * gridDim.x;
  const bool aligned = (size_t)x % sizeof(Four<I>) == 0 && (size_t)out % sizeof(Four<T>) == 0;
  const long long fours = aligned ? count / 4 : 0;
  for (long long i = first; i < fours; i += step) {
    const Four<I> from = ((const Four<I>*)x)[i];
    Four<T> to;
    for (int k = 0; k < 4; k++) to.v[k] = (T)from.v[k];
    ((Four<T>*)out)[i] = to;
  }
  for (long long i = fours * 4 + first; i < count; i += step) out[i] = (T)x[i];
}
""",
    ["cast"],
    indices=FLOATS,
)


def cast(array: Any, dtype: Any) -> Any:
    """Return a contiguous *array* of one floating dtype as another one."""
    out = cupy.empty(array.shape, dtype)
    if out.size:
        kernel = SOURCE.kernels(dtype.name, array.dtype.name)["cast"]
        kernel(blocks_for(-(-out.size // 4)), (THREADS,), (array, out, np.int64(out.size)))
    return out


def fits(array: Any, dtype: Any) -> bool:
    """Return whether `cast` is for this *array* and *dtype*."""
    given: bool = array.dtype.name in FLOATS and dtype.name in FLOATS and array.dtype != dtype
    return given and bool(array.flags.c_contiguous)
