"""Parts of graphs of programs, by the names that libraries annotate with."""

from .._absent import absent

__getattr__ = absent("fx.proxy", "The graph of a result can be walked from its grad_fn.")
