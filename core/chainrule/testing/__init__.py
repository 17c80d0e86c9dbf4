"""Tools for tests: op samples, fixtures, the generic checks that every backend must pass."""

from __future__ import annotations

from ..autograd import gradcheck, gradgradcheck
from .cases import ErrorSample, OpCase, Sample

__all__ = ["ErrorSample", "OpCase", "Sample", "gradcheck", "gradgradcheck"]
