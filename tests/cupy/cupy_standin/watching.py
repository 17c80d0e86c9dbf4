"""Read what the stand-in counted and what it found wrong."""

from __future__ import annotations

import ctypes
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from . import libraries

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Counts:
    """Numbers of events; the difference of two is what happened in between.

    ``syncs`` are calls that wait for a stream, an event or a device; ``blocking_copies`` those
    copies that return only when the device is done. ``mallocs`` and ``frees`` are the driver's,
    ``pool_mallocs`` what programs asked CuPy's pool for. ``library_calls`` are cuBLAS's, whose
    launches are not ours to count.
    """

    launches: int = 0
    library_calls: int = 0
    syncs: int = 0
    blocking_copies: int = 0
    h2d: int = 0
    d2h: int = 0
    d2d: int = 0
    h2d_bytes: int = 0
    d2h_bytes: int = 0
    d2d_bytes: int = 0
    memsets: int = 0
    mallocs: int = 0
    frees: int = 0
    graph_launches: int = 0
    pool_mallocs: int = 0

    def __sub__(self, other: Counts) -> Counts:
        names = [field.name for field in fields(self)]
        return Counts(*(getattr(self, name) - getattr(other, name) for name in names))

    def __str__(self) -> str:
        parts = ((field.name, getattr(self, field.name)) for field in fields(self))
        return ", ".join(f"{name} {count}" for name, count in parts if count) or "nothing"


_pool = {"mallocs": 0}


def count_the_pool() -> None:
    """Let CuPy tell of every allocation from its pool."""
    import cupy

    class Hook(cupy.cuda.MemoryHook):
        name = "cupy_standin"

        def malloc_preprocess(self, **facts) -> None:
            _pool["mallocs"] += 1

    Hook().__enter__()  # for the life of the process


def counts() -> Counts:
    """Return the numbers since the process began."""
    native = len(fields(Counts)) - 1
    room = (ctypes.c_uint64 * native)()
    if libraries.driver().standin_counters(room, native) != native:
        raise RuntimeError("the counters of the library are not those of Counts")
    return Counts(*room, pool_mallocs=_pool["mallocs"])


@contextmanager
def counting() -> Iterator[Counts]:
    """Count what happens in the block: the object given is filled in when the block ends."""
    before, names_before, result = counts(), launches(), Counts()
    result.kernels = Counter()
    yield result
    vars(result).update(vars(counts() - before))
    result.kernels = launches() - names_before


def launches() -> Counter[str]:
    """Return how often each kernel was launched, by name."""
    lines = libraries.driver().standin_launches().decode().splitlines()
    return Counter({name: int(count) for name, count in (line.rsplit(" ", 1) for line in lines)})


def reports() -> list[str]:
    """Return what was found wrong since `forget_reports`."""
    return libraries.driver().standin_reports().decode().splitlines()


def forget_reports() -> list[str]:
    """Return what was found wrong, and let the device work again."""
    found = reports()
    libraries.driver().standin_forget()
    return found
