"""Types that annotations name, under PyTorch's module path."""

from __future__ import annotations

import builtins
from typing import Any

from .device import Device
from .ops.storages import TypedStorage as Storage
from .shapes import Size
from .tensor import Tensor

__all__ = ["Device", "Number", "Size", "Storage", "Tensor"]

Number = builtins.int | builtins.float | builtins.bool
_int, _float, _bool, _complex = builtins.int, builtins.float, builtins.bool, builtins.complex
_size = Any
