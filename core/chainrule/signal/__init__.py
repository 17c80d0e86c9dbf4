"""Signal processing, of which PyTorch has windows."""

from . import windows

__all__ = ["windows"]
