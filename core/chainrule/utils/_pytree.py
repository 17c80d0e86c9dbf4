"""Nested containers as trees, under PyTorch's module path."""

from __future__ import annotations

from .. import trees
from ..trees import *  # noqa: F403 - its __all__ is the list of what it offers
from ..trees import SUPPORTED_NODES, _broadcast_to_and_flatten  # noqa: F401 - PyTorch has them

__all__ = trees.__all__
