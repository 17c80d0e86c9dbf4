"""Training on several machines, which chainrule does not have; programs may ask whether it is."""

from __future__ import annotations

import enum

from .._absent import absent

__all__ = ["ReduceOp", "group", "is_available", "is_initialized", "is_torchelastic_launched"]


class ReduceOp(enum.Enum):
    """How PyTorch joins the tensors of several processes."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7
    PREMUL_SUM = 8


class group:  # noqa: N801 - PyTorch's name
    """The processes that work together: none."""

    WORLD = None


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
