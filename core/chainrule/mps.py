"""Apple GPUs, which no backend drives; programs may ask whether there is one."""

from __future__ import annotations

from ._absent import absent

__all__ = ["device_count", "is_available"]


def is_available() -> bool:
    """Return False."""
    return False


def device_count() -> int:
    """Return 0."""
    return 0


__getattr__ = absent("mps", "Guard with mps.is_available().")
