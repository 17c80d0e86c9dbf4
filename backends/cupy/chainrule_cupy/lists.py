"""Many arrays in one launch, whatever their shapes.

Where the arrays lie is passed by value, in the arguments of the kernel: nothing is copied to the
device, and a graph that captures the launch keeps the addresses. A block of threads takes one piece
of one array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cupy
import numpy as np

from .cuda import THREADS, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Arrays = list[Any]

#: Parameters per launch. With five addresses each, sizes and two numbers, the arguments stay below
#: the 4 KiB that every GPU takes.
MOST: Final = 56
LISTS: Final = 5
#: Which of the lists are gradients, which nobody writes to.
GRADIENTS: Final = 1
#: Elements that a block of threads takes.
PIECE: Final = 1 << 14

#: What stands before the text of kernels that take a table of arrays.
TABLE: Final = (
    f"#define MOST {MOST}\n#define LISTS {LISTS}\n#define PIECE {PIECE}\n"
    r"""
struct Table {
  unsigned long long at[LISTS][MOST];  // addresses
  long long sizes[MOST];
  double numbers[2][MOST];
  int starts[MOST + 1];                // the first block of each parameter
  int count;
};

// A loop over the elements i of this block's piece, of arrays number k: a parameter at p and its
// gradient at g.
#define EACH_ELEMENT \
  int k = 0; \
  while (k + 1 < table.count && (int)blockIdx.x >= table.starts[k + 1]) k++; \
  const long long first = (long long)(blockIdx.x - table.starts[k]) * PIECE; \
  const long long end = first + PIECE < table.sizes[k] ? first + PIECE : table.sizes[k]; \
  T* p = (T*)table.at[0][k]; \
  const T* g = (const T*)table.at[1][k]; \
  for (long long i = first + threadIdx.x; i < end; i += blockDim.x)
"""
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


def tables(
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


def launch(
    source: Source,
    name: str,
    lists: list[Arrays],
    scalars: list[Any],
    numbers: Sequence[Sequence[float]] = (),
) -> None:
    """Run kernel *name* of *source* over *lists* of arrays, of which some are empty."""
    kernel = source.kernels(lists[0][0].dtype.name)[name]
    for table, blocks, _ in tables(lists, numbers):
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
