"""Models from the network, which chainrule does not have."""

from ._absent import absent

__getattr__ = absent("hub", "Load a file that you have with chainrule.load.")
