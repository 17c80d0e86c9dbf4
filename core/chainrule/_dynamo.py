"""PyTorch's tracer of Python code, by the names that programs guard themselves with."""

from __future__ import annotations

from ._absent import absent
from .compiler import disable, is_compiling, list_backends, reset

__all__ = ["disable", "is_compiling", "list_backends", "reset"]

__getattr__ = absent("_dynamo", "Nothing is traced: leave the call out.")
