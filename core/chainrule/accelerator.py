"""The accelerator of this machine, if a backend for one can run."""

from __future__ import annotations

from . import cuda
from .device import Device

__all__ = [
    "current_accelerator",
    "current_device_index",
    "device_count",
    "is_available",
    "synchronize",
]


def is_available() -> bool:
    """Return whether there is an accelerator that a backend can use."""
    return cuda.is_available()


def current_accelerator(check_available: bool = False) -> Device | None:
    """Return the device of the accelerator, or None."""
    return Device("cuda") if cuda.is_available() else None


def device_count() -> int:
    """Return how many there are."""
    return cuda.device_count() if cuda.is_available() else 0


def current_device_index() -> int:
    """Return the number of the one in use."""
    return cuda.current_device() if cuda.is_available() else 0


def synchronize(device: object = None) -> None:
    """Wait until the accelerator has finished."""
    if cuda.is_available():
        cuda.synchronize()
