"""The state of many small parameters in one piece of memory, so that one call updates it all."""

from __future__ import annotations

import math
import operator
import weakref
from typing import Any

import numpy as np

#: In elements. Beyond it the arithmetic costs more than the calls, and joining saves nothing.
LIMIT = 1 << 15


class Joined(np.ndarray[Any, Any]):
    """Memory that holds several arrays side by side.

    It knows the arrays it was cut into, and so can tell whether a list of arrays is all of them in
    order: only then may they be taken as one. An array that was copied or replaced is another, and
    the list is then worked on array by array.

    Attributes:
        parts: The arrays, weakly: they hold this memory, not the other way round.
        scratch: Memory of the same size for intermediate results.
        scratch_parts: That memory cut in the same way.
    """

    parts: tuple[weakref.ref[Any], ...]
    scratch: Any
    scratch_parts: list[Any]

    def holds(self, arrays: list[Any]) -> bool:
        """Return whether *arrays* are all parts, in order."""
        alive = [part() for part in self.parts]
        return len(alive) == len(arrays) and all(map(operator.is_, alive, arrays))


def cut(memory: Any, shapes: list[tuple[int, ...]]) -> list[Any]:
    """Return plain arrays of *shapes* that lie in *memory* one after the other."""
    parts, start = [], 0
    for shape in shapes:
        parts.append(np.ndarray(shape, memory.dtype, memory, start * memory.itemsize))
        start += math.prod(shape)
    return parts


def zeros(shapes: list[tuple[int, ...]], dtype: Any) -> list[Any]:
    """Return arrays of zeros that lie side by side."""
    memory = Joined(sum(map(math.prod, shapes)), dtype)
    memory.fill(0)
    parts = cut(memory, shapes)
    memory.parts = tuple(map(weakref.ref, parts))
    memory.scratch = np.empty(memory.size, dtype)
    memory.scratch_parts = cut(memory.scratch, shapes)
    return parts


def whole(arrays: list[Any]) -> Joined | None:
    """Return the memory that *arrays* are all parts of, in order, or None."""
    memory = arrays[0].base
    return memory if type(memory) is Joined and memory.holds(arrays) else None


def plain(memory: Joined) -> Any:
    """Return *memory* as a plain array, which NumPy's functions take faster."""
    return memory.view(np.ndarray)


def flattened(arrays: list[Any]) -> Any:
    """Return the elements of *arrays* one after the other, in new memory."""
    return np.concatenate([array.reshape(-1) for array in arrays])
