"""`Function` and its helpers under PyTorch's module path."""

from __future__ import annotations

from ..function import Function, FunctionCtx, once_differentiable

__all__ = ["Function", "FunctionCtx", "once_differentiable"]
