"""Switches of the libraries under PyTorch. Programs set them; here they change nothing.

chainrule's own backends are plugins: see ``chainrule backends``.
"""

from __future__ import annotations

from . import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]
