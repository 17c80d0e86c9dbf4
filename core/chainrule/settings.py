"""Switches that programs set at their start: threads, determinism, precision of products."""

from __future__ import annotations

import os
from typing import Any, Final

from ._warn import once
from .backend import asked, for_device, use_determinism, use_threads
from .device import Device
from .errors import ArgumentError, AutogradError

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled",
    "memory_stats",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_num_threads",
    "set_warn_always",
    "use_deterministic_algorithms",
]  # fmt: skip

_set: Final[dict[str, Any]] = {
    "interop": None, "warn_only": False, "precision": "highest",
}  # fmt: skip


def _cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def get_num_threads() -> int:
    """Return how many threads one operation may use."""
    return asked["threads"] or int(os.environ.get("OMP_NUM_THREADS") or 0) or _cores()


def set_num_threads(int: int) -> None:
    """Set how many threads one operation may use, in backends that ask: the native one does.

    NumPy's own products take what OMP_NUM_THREADS, OPENBLAS_NUM_THREADS or threadpoolctl say.

    Raises:
        RuntimeError: it is not positive.
    """
    use_threads(_positive("set_num_threads", int))


def memory_stats(device: Any = None) -> dict[str, int]:
    """Return what the backend of *device* knows of its memory, under PyTorch's names.

    Args:
        device: By default the CPU, whose backend is the one that makes new tensors there.

    Returns:
        Bytes in use (``"allocated_bytes.all.current"`` and ``".peak"``), bytes that are kept to be
        used again (``"inactive_bytes.all.current"``), and counts; empty where nobody counts.

    >>> isinstance(memory_stats(), dict)
    True
    """
    return for_device(Device(device or "cpu")).memory_stats()


def get_num_interop_threads() -> int:
    """Return how many operations may run at once: those of all threads of the program."""
    return _set["interop"] or _cores()


def set_num_interop_threads(int: int) -> None:
    """Take a number that `get_num_interop_threads` gives back, and that changes nothing."""
    _set["interop"] = _positive("set_num_interop_threads", int)


def _positive(who: str, count: Any) -> int:
    if not isinstance(count, int) or isinstance(count, bool):
        raise ArgumentError(f"{who} expects an int, but got {type(count).__name__}")
    if count <= 0:
        raise AutogradError(f"{who} expects a positive integer\n{who}: got {count}.")
    return count


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for the same numbers in every run. On the CPU they always are.

    On CUDA devices, what several places add to or multiply comes in the order of the places, not as
    it happens to, which takes longer: gradients of rows that were looked up, `scatter_add` and its
    kin.
    """
    use_determinism(bool(mode))
    _set["warn_only"] = bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Return what `use_deterministic_algorithms` was told."""
    return bool(asked["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Return whether a warning was asked for instead of an error."""
    return bool(_set["warn_only"])


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Ask for the same numbers by a word: default, warn or error; or by 0, 1, 2."""
    words = {"default": 0, "warn": 1, "error": 2}
    if debug_mode not in {*words, *words.values()}:
        raise AutogradError(
            "invalid value of debug_mode, expected `default`, `warn`, `error`, 0, 1, or 2, but got "
            f"{debug_mode}"
        )
    level = words.get(debug_mode, debug_mode) if isinstance(debug_mode, str) else debug_mode
    use_deterministic_algorithms(bool(level), warn_only=level == 1)


def get_deterministic_debug_mode() -> int:
    """Return the mode as a number."""
    return 0 if not asked["deterministic"] else 1 if _set["warn_only"] else 2


def set_float32_matmul_precision(precision: str) -> None:
    """Take a precision of products of float32: they are always computed in float32."""
    if precision not in {"highest", "high", "medium"}:
        raise AutogradError(f"{precision} is not one of 'highest', 'high', or 'medium'")
    _set["precision"] = precision


def get_float32_matmul_precision() -> str:
    """Return what `set_float32_matmul_precision` was told."""
    return str(_set["precision"])


def set_warn_always(b: bool, /) -> None:
    """Let what is warned of once in a process be warned of each time."""
    once.always = bool(b)


def is_warn_always_enabled() -> bool:
    """Return what `set_warn_always` was told."""
    return once.always


def set_flush_denormal(mode: bool, /) -> bool:
    """Return False: numbers near zero are kept, whatever *mode* says."""
    return False
