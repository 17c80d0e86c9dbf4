"""Sparse tensors, which chainrule does not have."""

from ._absent import absent

__getattr__ = absent("sparse", "Use index_add, scatter_add or embedding with dense tensors.")
