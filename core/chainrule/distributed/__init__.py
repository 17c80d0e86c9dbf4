"""Training on several machines, which chainrule does not have; programs may ask whether it is."""

from __future__ import annotations

from .._absent import absent

__all__ = ["is_available", "is_initialized", "is_torchelastic_launched"]


def is_available() -> bool:
    """Return False."""
    return False


def is_initialized() -> bool:
    """Return False."""
    return False


def is_torchelastic_launched() -> bool:
    """Return False."""
    return False


__getattr__ = absent("distributed", "Run one process; guard with distributed.is_available().")
