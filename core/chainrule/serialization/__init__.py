"""Tensors and models in files.

`save` and `load` write and read PyTorch's own format; `save_file` and `load_file` write and read
safetensors, which holds named tensors and nothing else. A file is written whole or not at all, and
read whole before anything is made of it. Neither reader runs code that a file brings, unless told.
"""

from __future__ import annotations

from typing import Any

from ._loading import load
from ._safetensors import load_file, save_file
from ._saving import save
from ._unpickling import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals

__all__ = [
    "MAP_LOCATION", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "load",
    "load_file", "safe_globals", "save", "save_file",
]  # fmt: skip

#: What ``map_location`` may be: None, a device or its name, a mapping, a function.
MAP_LOCATION = Any
