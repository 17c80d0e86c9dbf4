"""Whether a tensor has no values: here it always has."""

from __future__ import annotations

from typing import Any

from .._absent import absent

__all__ = ["is_fake"]

__getattr__ = absent("_subclasses.fake_tensor", "Compute with small tensors to learn shapes.")


def is_fake(x: Any) -> bool:
    """Return False: every tensor has values.

    >>> is_fake(1)
    False
    """
    return False
