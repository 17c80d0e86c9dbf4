"""Windows of other shapes than those of the top level, which chainrule does not have."""

from .._absent import absent

__getattr__ = absent(
    "signal.windows",
    "Use hann_window and its kin of the top level, or from_numpy(scipy.signal.windows...).",
)
