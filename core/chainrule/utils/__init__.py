"""What goes with tensors: data loading, checkpointing, trees of containers."""

from __future__ import annotations

from . import hooks

__all__ = ["hooks"]
