"""CUDA devices under PyTorch's names; they come with the CuPy backend."""

from __future__ import annotations

from .. import backend as _backend
from ..device import Device
from ..errors import BackendError

__all__ = [
    "current_device",
    "device_count",
    "is_available",
    "manual_seed",
    "manual_seed_all",
    "synchronize",
]


def is_available() -> bool:
    """Return whether a CUDA device can be used.

    >>> is_available() in (True, False)
    True
    """
    return device_count() > 0


def device_count() -> int:
    """Return the number of CUDA devices; 0 where the backend or the hardware is missing."""
    try:
        return _backend.for_device(Device("cuda")).device_count()
    except BackendError:
        return 0


def current_device() -> int:
    """Return the index of the current CUDA device.

    Raises:
        AssertionError: there is none.
    """
    return _backend.for_device(Device("cuda")).canonical(Device("cuda")).index or 0


def synchronize(device: Device | str | None = None) -> None:
    """Wait until a CUDA device has finished.

    Raises:
        AssertionError: there is none.
    """
    where = Device(device or "cuda")
    _backend.for_device(where).synchronize(where)


def manual_seed(seed: int) -> None:
    """Seed the stream of the current CUDA device; nothing where there is none."""
    if is_available():
        from ..random import manual_seed as seed_all

        seed_all(seed)


manual_seed_all = manual_seed
