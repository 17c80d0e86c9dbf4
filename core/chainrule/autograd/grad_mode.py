"""The grad modes under PyTorch's module path."""

from __future__ import annotations

from ..grad_mode import enable_grad, no_grad, set_grad_enabled, set_multithreading_enabled
from ..inference import inference_mode

__all__ = [
    "enable_grad", "inference_mode", "no_grad", "set_grad_enabled", "set_multithreading_enabled",
]  # fmt: skip
