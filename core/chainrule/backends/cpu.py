"""What is known of the processor."""

from __future__ import annotations


def get_cpu_capability() -> str:
    """Return DEFAULT: the array library chooses its instructions itself."""
    return "DEFAULT"
