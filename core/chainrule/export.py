"""Export of programs, which chainrule does not have."""

from ._absent import absent

__getattr__ = absent("export", "Save the parameters with chainrule.save(model.state_dict(), file).")
