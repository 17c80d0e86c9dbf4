"""What CUDA devices offer beside kernels: memory to ask about, streams, events, graphs.

`chainrule.cuda` is the face of it, with PyTorch's names.
"""

from __future__ import annotations

import sys
import threading
from typing import Any, Final

import cupy
from cupy.cuda import runtime

from .graphs import Graph, capturing

_Held = dict[int, tuple[Any, dict[int, Any]]]


class Peaks(cupy.cuda.MemoryHook):  # type: ignore[misc]  # CuPy has no types
    """Keeps the most that was used of each device's pool, from when it was first asked for."""

    name = "chainrule_peaks"

    def __init__(self) -> None:
        self.used: dict[int, int] = {}
        self.reserved: dict[int, int] = {}
        self.watching = False

    def watch(self, number: int) -> None:
        """Begin to look, if nobody has yet; start device *number* from what is used now."""
        if not self.watching:
            self.watching = True
            self.__enter__()
        self.reset(number)

    def reset(self, number: int) -> None:
        """Take what is used now as the most."""
        pool = cupy.get_default_memory_pool()
        with cupy.cuda.Device(number):
            self.used[number], self.reserved[number] = pool.used_bytes(), pool.total_bytes()

    def malloc_postprocess(self, **facts: Any) -> None:
        """Look at the pool after an allocation."""
        number, pool = facts["device_id"], cupy.get_default_memory_pool()
        self.used[number] = max(self.used.get(number, 0), pool.used_bytes())
        self.reserved[number] = max(self.reserved.get(number, 0), pool.total_bytes())


class Kept:
    """Memory that streams use beside the one it was allocated on.

    The pool hands freed memory out again on the stream of its allocation, at once. So what was put
    here stays until nobody else holds it and then, until the streams have done what they had been
    given by that time. That is looked at when something is added, and when caches are emptied.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: _Held = {}
        self._ending: list[tuple[Any, list[Any]]] = []

    def add(self, array: Any, stream: Any) -> None:
        """Keep the memory of *array* for *stream*."""
        self.sweep()
        memory = array.data.mem
        with self._lock:
            self._held.setdefault(id(memory), (memory, {}))[1][stream.ptr] = stream

    def sweep(self) -> None:
        """Let go what is needed no more; not while a graph is captured, which took the events."""
        if capturing() is not None:
            return
        with self._lock:
            for number, references in _references(self._held):
                if references == _ALONE:
                    memory, streams = self._held.pop(number)
                    with cupy.cuda.Device(memory.device_id):
                        events = [stream.record() for stream in streams.values()]
                    self._ending.append((memory, events))
            self._ending = [
                (memory, events)
                for memory, events in self._ending
                if not all(event.done for event in events)
            ]


def _references(held: _Held) -> list[tuple[int, int]]:
    """Return how many references there are to each memory, with those of the count itself."""
    return [(number, sys.getrefcount(memory)) for number, (memory, _) in held.items()]


#: References to memory that nobody else holds: how many the count adds differs between Pythons.
_ALONE: Final = dict(_references({0: (object(), {})}))[0]


class _Handle:
    """A handle of a stream, as CuPy asks for one."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.handle


class Runtime:
    """The devices of this machine, by number."""

    #: What the names of `chainrule.cuda` are made of.
    Stream, Event = cupy.cuda.Stream, cupy.cuda.Event
    Graph = Graph

    def __init__(self) -> None:
        self._peaks, self._kept = Peaks(), Kept()

    # Devices

    def current_device(self) -> int:
        """Return the number of the current device."""
        return int(runtime.getDevice())

    def set_device(self, number: int) -> None:
        """Make device *number* the current one of this thread."""
        runtime.setDevice(number)

    def properties(self, number: int) -> dict[str, Any]:
        """Return what CUDA tells of device *number*."""
        found: dict[str, Any] = dict(runtime.getDeviceProperties(number))
        found["name"] = (
            found["name"].decode() if isinstance(found["name"], bytes) else found["name"]
        )
        return found

    def can_access_peer(self, number: int, peer: int) -> bool:
        """Return whether device *number* may read the memory of *peer*."""
        return bool(runtime.deviceCanAccessPeer(number, peer))

    def versions(self) -> tuple[int, int]:
        """Return the versions of CUDA: the runtime's and the driver's, 13020 for 13.2."""
        return int(runtime.runtimeGetVersion()), int(runtime.driverGetVersion())

    # Memory

    def memory(self, number: int) -> dict[str, int]:
        """Return bytes of CuPy's pool on device *number*: used and reserved, now and at most."""
        pool = cupy.get_default_memory_pool()
        with cupy.cuda.Device(number):
            used, reserved = int(pool.used_bytes()), int(pool.total_bytes())
        return {
            "used": used,
            "reserved": reserved,
            "peak_used": max(used, self._peaks.used.get(number, 0)),
            "peak_reserved": max(reserved, self._peaks.reserved.get(number, 0)),
        }

    def reset_peaks(self, number: int) -> None:
        """Count the most that is used from now on."""
        self._peaks.watch(number)

    def free_and_total(self, number: int) -> tuple[int, int]:
        """Return the bytes of device *number* that are free, and all of them."""
        with cupy.cuda.Device(number):
            free, total = runtime.memGetInfo()
        return int(free), int(total)

    def empty_cache(self) -> None:
        """Give what the pools hold and nobody uses back to the driver."""
        self._kept.sweep()
        cupy.get_default_memory_pool().free_all_blocks()
        cupy.get_default_pinned_memory_pool().free_all_blocks()

    # Streams

    def keep(self, array: Any, stream: Any) -> None:
        """Keep the memory of *array* from being used anew while *stream* still reads it."""
        self._kept.add(array, stream)

    def current_stream(self, number: int) -> Any:
        """Return the stream that this thread works on, on device *number*."""
        with cupy.cuda.Device(number):
            return cupy.cuda.get_current_stream()

    def external_stream(self, handle: int) -> Any:
        """Return the stream of another library that has CUDA's *handle*, on the current device."""
        return cupy.cuda.Stream.from_external(_Handle(handle))

    def default_stream(self) -> Any:
        """Return the stream that work is put on where nobody says otherwise."""
        return cupy.cuda.Stream.null

    def elapsed(self, start: Any, end: Any) -> float:
        """Return the milliseconds between two events."""
        return float(cupy.cuda.get_elapsed_time(start, end))

    # Graphs

    def is_capturing(self) -> bool:
        """Return whether this thread captures a graph."""
        return capturing() is not None
