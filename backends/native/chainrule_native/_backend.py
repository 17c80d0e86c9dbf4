"""The live backend: NumPy's, with threads to set and memory to ask about."""

from __future__ import annotations

import os

from chainrule_numpy._backend import NumpyBackend

from . import spec
from ._levels import core
from ._threads import right_number


class NativeBackend(NumpyBackend):
    """Arrays are NumPy's own, in memory that is used again after they are gone."""

    @property
    def level_name(self) -> str:
        """Which instructions the kernels use."""
        return str(core().level)

    def use_threads(self, count: int | None) -> None:
        core().set_thread_count(count or right_number())

    def memory_stats(self) -> dict[str, int]:
        return dict(core().memory_stats())


def create() -> NativeBackend:
    """Return the live backend."""
    megabytes = os.environ.get("CHAINRULE_NATIVE_CACHE_MB", "").strip()
    if megabytes.isdigit():
        core().set_memory_limit(int(megabytes) << 20)
    if megabytes != "0":
        core().use_allocator()
    return NativeBackend(spec)
