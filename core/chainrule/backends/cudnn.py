"""Switches of cuDNN, which programs set."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

enabled = True
benchmark = False
deterministic = False
allow_tf32 = True
benchmark_limit = 10


def is_available() -> bool:
    """Return False: convolutions are chainrule's own."""
    return False


def version() -> int | None:
    """Return None: there is none."""
    return None


@contextlib.contextmanager
def flags(**switches: Any) -> Iterator[None]:
    """Set switches inside a ``with`` block."""
    before = {name: globals().get(name) for name in switches}
    globals().update(switches)
    try:
        yield
    finally:
        globals().update(before)
