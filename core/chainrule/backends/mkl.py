"""Whether Intel's MKL is there: chainrule does not use it."""

from __future__ import annotations


def is_available() -> bool:
    """Return False."""
    return False
