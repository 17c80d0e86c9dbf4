"""PyTorch's first registry of operators from Python, which chainrule does not have."""

from ._absent import absent

__getattr__ = absent("_custom_ops", "Use Function.as_op, or a plugin: `chainrule plugins new`.")
