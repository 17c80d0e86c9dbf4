"""Timers, which chainrule does not have here."""

from .._absent import absent

__getattr__ = absent("utils.benchmark", "Use timeit, or time.perf_counter.")
