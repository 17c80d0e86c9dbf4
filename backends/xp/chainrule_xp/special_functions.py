"""Kernels of chainrule/ops/special.py. What they compute with stands in special.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import Kernel, KernelSet

ks = KernelSet("xp")

#: Ops by the name of their factory in special.py, whose tables are read on the first call of one.
FACTORIES = {
    "erf": "cr::erf",
    "erfc": "cr::erfc",
    "erfinv": "cr::erfinv",
    "lgamma": "cr::lgamma",
    "digamma": "cr::digamma",
    "polygamma": "cr::_polygamma",
    "erfcx": "cr::special_erfcx",
    "i0": "cr::i0",
    "i0e": "cr::special_i0e",
    "i1": "cr::special_i1",
    "i1e": "cr::special_i1e",
    "igamma": "cr::igamma",
    "igammac": "cr::igammac",
    "log_ndtr": "cr::special_log_ndtr",
    "ndtr": "cr::special_ndtr",
    "ndtri": "cr::special_ndtri",
    "sinc": "cr::sinc",
    "zeta": "cr::_zeta",
    "airy_ai": "cr::special_airy_ai",
    "airy_ai_slope": "cr::_airy_ai_slope",
    "bessel_j0": "cr::special_bessel_j0",
    "bessel_j1": "cr::special_bessel_j1",
    "bessel_y0": "cr::special_bessel_y0",
    "bessel_y1": "cr::special_bessel_y1",
    "modified_bessel_k0": "cr::special_modified_bessel_k0",
    "modified_bessel_k1": "cr::special_modified_bessel_k1",
    "scaled_modified_bessel_k0": "cr::special_scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1": "cr::special_scaled_modified_bessel_k1",
    "spherical_bessel_j0": "cr::special_spherical_bessel_j0",
}


def _late(name: str) -> Kernel:
    """Return the factory called *name*, imported when a kernel is first made from it."""

    def factory(xp: Any) -> Kernel:
        from . import special, special_further

        return getattr(special if name in special.__all__ else special_further, name)(xp)

    return factory


for _name, _op in FACTORIES.items():
    ks.family(_op)(_late(_name))
