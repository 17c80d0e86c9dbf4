"""What tensors that look at the same memory have in common."""

from __future__ import annotations

from typing import Any


class Storage:
    """The version counter that a tensor shares with its views and with ``detach()``.

    Every in-place write adds one. A node that saved a tensor keeps the version it saw, and
    compares when it needs the tensor: see Note [Versions] in graph.py. A tensor gets its storage
    object with its first view, detach or write, so that plain arithmetic never makes one.

    Attributes:
        version: How often the memory was written to.
        rebased: How often the history of what lives there was rewritten by a recorded write; views
            compare it to know that theirs is stale.
        written: The name of what wrote last; in anomaly mode, the last writes with their lines.
            Unset before the first.
    """

    __slots__ = ("__weakref__", "rebased", "version", "written")

    version: int
    rebased: int
    written: Any

    def __init__(self) -> None:
        self.version = self.rebased = 0
