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
    const long long* __restrict__ order, const T* __restrict__ values, long long count, int how) {
  for (long long s = blockIdx.x * (long long)blockDim.x + threadIdx.x; s < count;
       s += (long long)blockDim.x * gridDim.x) {
    const long long place = places[order[s]];
    if (s && places[order[s - 1]] == place) continue;
    T made = out[place];
    for (long long r = s; r < count && places[order[r]] == place; r++) {
      const T v = values[order[r]];
      made = how == 0 ? made + v : how == 1 ? made * v : how == 2 ? larger(made, v)
                      : -larger(-made, -v);
    }
    out[place] = made;
  }
}
""",
    ["combine_in_order"],
    dtypes=["float32", "float64"],
)


#: Ways to combine two numbers. The larger one of a number and NaN is NaN, as in NumPy.
ADD, MULTIPLY, LARGER, SMALLER = range(4)


def combine_in_order(out: Any, places: Any, values: Any, how: int = ADD) -> None:
    """Combine *values* with what ``out[places]`` names.

    Args:
        out: Of any shape, float32 or float64; written to.
        places: An index of it.
        values: What broadcasts to ``out[places]``.
        how: One of the ways above.
    """
    numbers = cupy.ascontiguousarray(cupy.arange(out.size).reshape(out.shape)[places])
    if not numbers.size:
        return
    values = cupy.ascontiguousarray(cupy.broadcast_to(values, numbers.shape), out.dtype)
    order = cupy.argsort(numbers.reshape(-1), kind="stable")
    flat = cupy.ascontiguousarray(out)
    kernel = SOURCE.kernels(out.dtype.name)["combine_in_order"]
    arrays = (flat, numbers, order, values)
    scalars = (np.int64(numbers.size), np.int32(how))
    kernel(blocks_for(numbers.size), (THREADS,), (*arrays, *scalars))
    if flat is not out:
        out[...] = flat
