"""Graphs of programs, which chainrule does not have."""

from ._absent import absent

__getattr__ = absent("fx", "The graph of a result can be walked from its grad_fn.")
