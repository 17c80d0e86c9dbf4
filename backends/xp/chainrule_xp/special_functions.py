"""Kernels of chainrule/ops/special.py. What they compute with stands in special.py."""

from __future__ import annotations

from chainrule.backend import KernelSet

from . import special

ks = KernelSet("xp")

ks.family("cr::erf")(special.erf)
ks.family("cr::erfc")(special.erfc)
ks.family("cr::erfinv")(special.erfinv)
ks.family("cr::lgamma")(special.lgamma)
ks.family("cr::digamma")(special.digamma)
ks.family("cr::_polygamma")(special.polygamma)
