"""Python's own multiprocessing under PyTorch's path. Tensors are copied between processes."""

from __future__ import annotations

from multiprocessing import *  # noqa: F403 - its __all__ is the list
from multiprocessing import __all__ as _names

__all__ = [*_names, "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy"]  # noqa: PLE0604 - a list of strings


def set_sharing_strategy(new_strategy: str) -> None:
    """Take a strategy that changes nothing: tensors are copied."""


def get_sharing_strategy() -> str:
    """Return how tensors go from process to process."""
    return "file_descriptor"


def get_all_sharing_strategies() -> set[str]:
    """Return the strategies that are taken."""
    return {"file_descriptor", "file_system"}
