"""Models for phones, which chainrule does not have here."""

from .._absent import absent

__getattr__ = absent("utils.mobile_optimizer", "Save the parameters with chainrule.save.")
