"""The grad modes under PyTorch's module path."""

from __future__ import annotations

from ..grad_mode import enable_grad, no_grad, set_grad_enabled

__all__ = ["enable_grad", "no_grad", "set_grad_enabled"]
