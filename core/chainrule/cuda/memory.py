"""How much memory of a device is used. What is freed stays with the pool, for the next array."""

from __future__ import annotations

from typing import Any

from ._devices import is_initialized, number_of, runtime


def _memory(device: Any) -> dict[str, int]:
    """Return the numbers of a device; none where no device was used yet."""
    if not is_initialized():
        return {}
    found: dict[str, int] = runtime().memory(number_of(device))
    return found


def memory_allocated(device: Any = None) -> int:
    """Return the bytes that arrays use on a device.

    >>> memory_allocated() >= 0
    True
    """
    return _memory(device).get("used", 0)


def memory_reserved(device: Any = None) -> int:
    """Return the bytes that the pool holds, those that arrays use included."""
    return _memory(device).get("reserved", 0)


def max_memory_allocated(device: Any = None) -> int:
    """Return the most bytes that arrays used since `reset_peak_memory_stats`.

    Differs from PyTorch:
        Before that was called once, nobody keeps count, and it is what they use now.
    """
    return _memory(device).get("peak_used", 0)


def max_memory_reserved(device: Any = None) -> int:
    """Return the most bytes that the pool held; see `max_memory_allocated`."""
    return _memory(device).get("peak_reserved", 0)


def reset_peak_memory_stats(device: Any = None) -> None:
    """Begin to keep count of the most that is used, from now on."""
    runtime().reset_peaks(number_of(device))


reset_max_memory_allocated = reset_peak_memory_stats


def memory_stats(device: Any = None) -> dict[str, int]:
    """Return the numbers above in one dictionary, under PyTorch's keys."""
    found = _memory(device)
    keys = {
        "allocated_bytes.all.current": "used",
        "allocated_bytes.all.peak": "peak_used",
        "reserved_bytes.all.current": "reserved",
        "reserved_bytes.all.peak": "peak_reserved",
    }
    return {name: found[key] for name, key in keys.items()} if found else {}


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """Return the numbers above as a small table."""
    rows = memory_stats(device)
    return "\n".join(f"{name:<30}{value / 2**20:>12.2f} MiB" for name, value in rows.items())


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Return the bytes of a device that are free, and all of them.

    Raises:
        AssertionError: there is no device.
    """
    free, total = runtime().free_and_total(number_of(device))
    return free, total


def empty_cache() -> None:
    """Give the memory that the pool holds and no array uses back; nothing where there is none."""
    if is_initialized():
        runtime().empty_cache()


def ipc_collect() -> None:
    """Do nothing: no memory is shared with other processes."""
