"""Dispatch to Python, which chainrule does not have here."""

from .._absent import absent

__getattr__ = absent("utils._python_dispatch", "Use overrides.TorchFunctionMode.")
