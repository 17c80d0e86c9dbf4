"""The graph under PyTorch's module path."""

from __future__ import annotations

from ..graph import Node

__all__ = ["Node"]
