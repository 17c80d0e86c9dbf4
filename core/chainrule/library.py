"""PyTorch's registry of operators, which chainrule does not have."""

from ._absent import absent

__getattr__ = absent("library", "Use Function.as_op, or a plugin: see `chainrule plugins new`.")
