"""Types of the graph that PyTorch keeps in C++."""

from __future__ import annotations

from ..graph import InputMetadata as _InputMetadata
from ..graph import Node
from ..saved import SavedTensor

__all__ = ["Node", "SavedTensor", "_InputMetadata"]
