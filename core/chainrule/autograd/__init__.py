"""Differentiation with PyTorch's names: `backward`, `grad`, `Function`, the grad modes."""

from __future__ import annotations

from typing import Any

from ..differentiate import backward, grad
from ..grad_mode import enable_grad, no_grad, set_grad_enabled

__all__ = ["backward", "enable_grad", "grad", "no_grad", "set_grad_enabled"]
