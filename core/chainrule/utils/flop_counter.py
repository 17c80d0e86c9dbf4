"""Counting of operations, which chainrule does not have here."""

from .._absent import absent

__getattr__ = absent("utils.flop_counter", "Use chainrule.profiler.")
