"""`Tensor` under PyTorch's module path."""

from __future__ import annotations

from .tensor import Tensor

__all__ = ["Tensor"]
