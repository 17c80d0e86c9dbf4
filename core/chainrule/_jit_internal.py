"""What libraries take from the inside of PyTorch's compiler of programs."""

from __future__ import annotations

from .jit import export, ignore, is_scripting, script_method, unused

__all__ = ["_copy_to_script_wrapper", "export", "ignore", "is_scripting", "unused"]

_copy_to_script_wrapper = script_method
