"""Places out of bounds, found on the device and told when the host next waits for it.

A device cannot raise. A kernel that meets a wrong place writes it into the device's fault record
and goes on with a harmless one; the next time the host reads a number or waits, the record is read
too, and the error is raised there. That is when CUDA tells its own errors, and, as with these,
``CUDA_LAUNCH_BLOCKING=1`` in the environment has every kernel that checks waited for, so that the
error is raised by the call that made it. Where no kernel checked anything, nothing is read.
"""

from __future__ import annotations

import os
from typing import Any, Final

import cupy
import numpy as np

from chainrule.errors import DimError

#: What a kernel calls: it keeps the first fault. `fault` is five numbers: whether there is one, the
#: code of the op, the place, the bound below and the bound above.
REPORT: Final = r"""
__device__ inline void report(long long* fault, int op, long long place, long long low,
                              long long high) {
  if (atomicCAS((unsigned long long*)fault, 0ull, 1ull) == 0ull) {
    fault[1] = op; fault[2] = place; fault[3] = low; fault[4] = high;
  }
}
"""
BLOCKING: Final = os.environ.get("CUDA_LAUNCH_BLOCKING", "0") not in {"", "0"}

#: The sentence of each op, filled in with the place and the bounds; a code is a position here.
_sentences: Final[list[tuple[type[Exception], str]]] = []
_records: Final[dict[int, Any]] = {}
_armed: Final[set[int]] = set()


def register(sentence: str, kind: type[Exception] = DimError) -> int:
    """Return the code of an op whose fault reads *sentence*, with {place}, {low} and {high}."""
    _sentences.append((kind, sentence))
    return len(_sentences) - 1


def record() -> Any:
    """Return the fault record of the current device, for a kernel that is about to check."""
    number = cupy.cuda.runtime.getDevice()
    found = _records.get(number)
    if found is None:
        found = _records[number] = cupy.zeros(5, np.int64)
    _armed.add(number)
    return found


def launched() -> None:
    """Tell at once what a kernel that was just launched found, if launches are to block."""
    if BLOCKING:
        check(cupy.cuda.runtime.getDevice())


def check(number: int) -> None:
    """Raise the fault that kernels found on device *number*, which must be current.

    Raises:
        DimError: a place was out of bounds.
    """
    if number not in _armed:
        return
    found = _records[number].get()
    _armed.discard(number)
    if not found[0]:
        return
    _records[number].fill(0)
    kind, sentence = _sentences[int(found[1])]
    first = sentence.format(place=int(found[2]), low=int(found[3]), high=int(found[4]) - 1)
    if not BLOCKING:
        first += (
            "\nFound on the device by an earlier call. CUDA_LAUNCH_BLOCKING=1 in the environment "
            "has the call raise it."
        )
    raise kind(first)
