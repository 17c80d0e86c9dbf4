"""Versions: PyTorch's names for what a program may ask."""

from __future__ import annotations

__version__ = "0.1.0"
debug = False
cuda = hip = xpu = git_version = None
