"""Numbers combined at places in the order of the places: the same result every time.

Atomic operations come in any order, and a sum of floats may differ in its last bits from one time
to the next. Here the places are sorted first; one thread then does all that meets in one place.
"""

from __future__ import annotations

from typing import Any, Final

import cupy
import numpy as np

from .cuda import THREADS, Source, blocks_for

SOURCE: Final = Source(
    r"""
// `order` sorts the places and keeps equal ones as they stood: the thread that meets the first of a
// run of equal places goes through the run.
extern "C" __global__ void combine_in_order(
    T* __restrict__ out, const long long* __restrict__ places,
    const long long* __restrict__ order, const T* __restrict__ values, long long count,
    int multiply) {
  for (long long s = blockIdx.x * (long long)blockDim.x + threadIdx.x; s < count;
       s += (long long)blockDim.x * gridDim.x) {
    const long long place = places[order[s]];
    if (s && places[order[s - 1]] == place) continue;
    T made = out[place];
    for (long long r = s; r < count && places[order[r]] == place; r++)
      made = multiply ? made * values[order[r]] : made + values[order[r]];
    out[place] = made;
  }
}
""",
    ["combine_in_order"],
    dtypes=["float32", "float64"],
)


def combine_in_order(out: Any, places: Any, values: Any, *, multiply: bool = False) -> None:
    """Add *values*, or multiply with them, at *places*: what ``out[places]`` names.

    Args:
        out: Of any shape, float32 or float64; written to.
        places: An index of it.
        values: What broadcasts to ``out[places]``.
        multiply: Multiply instead of adding.
    """
    numbers = cupy.ascontiguousarray(cupy.arange(out.size).reshape(out.shape)[places])
    if not numbers.size:
        return
    values = cupy.ascontiguousarray(cupy.broadcast_to(values, numbers.shape), out.dtype)
    order = cupy.argsort(numbers.reshape(-1), kind="stable")
    flat = cupy.ascontiguousarray(out)
    kernel = SOURCE.kernels(out.dtype.name)["combine_in_order"]
    arrays = (flat, numbers, order, values)
    scalars = (np.int64(numbers.size), np.int32(multiply))
    kernel(blocks_for(numbers.size), (THREADS,), (*arrays, *scalars))
    if flat is not out:
        out[...] = flat
