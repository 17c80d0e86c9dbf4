"""Differentiation with PyTorch's names: `backward`, `grad`, `Function`, the grad modes."""

from __future__ import annotations

from ..differentiate import backward, grad
from ..function import Function
from ..grad_mode import enable_grad, no_grad, set_grad_enabled
from . import function, functional, grad_mode, graph, variable
from .gradcheck import gradcheck, gradgradcheck
from .variable import Variable

__all__ = [
    "Function", "Variable", "backward", "enable_grad", "function", "functional", "grad",
    "grad_mode", "gradcheck", "gradgradcheck", "graph", "no_grad", "set_grad_enabled", "variable",
]  # fmt: skip
