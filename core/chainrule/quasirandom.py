"""Quasirandom sequences, which chainrule does not have: their table of numbers is large."""

from ._absent import absent

__getattr__ = absent(
    "quasirandom", "Draw with scipy.stats.qmc.Sobol and pass what it gives to from_numpy()."
)
