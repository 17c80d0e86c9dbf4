"""Exchange with other libraries under PyTorch's module path."""

from __future__ import annotations

from ..older import to_dlpack
from ..ops import from_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
