"""What tensors that look at the same memory have in common."""

from __future__ import annotations


class Storage:
    """The version counter that a tensor shares with its views and with ``detach()``.

    Every in-place write adds one. A node that saved a tensor keeps the version it saw, and
    compares when it needs the tensor: see Note [Versions] in graph.py. A tensor gets its storage
    object with its first view, detach or write, so that plain arithmetic never makes one.
    """

    __slots__ = ("__weakref__", "version")

    version: int

    def __init__(self) -> None:
        self.version = 0
