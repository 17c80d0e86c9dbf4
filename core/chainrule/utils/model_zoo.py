"""Downloads, which chainrule does not have here."""

from .._absent import absent

__getattr__ = absent("utils.model_zoo", "Fetch the file otherwise, then chainrule.load(path).")
