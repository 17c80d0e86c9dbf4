"""Masked tensors, which chainrule does not have."""

from ._absent import absent

__getattr__ = absent("masked", "Use masked_fill, where and masked_select.")
