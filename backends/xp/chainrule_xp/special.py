"""Special functions, each written once over a NumPy-like namespace ``xp``.

Every name here is a family factory: ``erf(xp)`` makes the kernel for one array library. A kernel
takes an array of any shape and of any floating dtype, and keeps both. It computes in float64 and
rounds once, so in float32 and float16 its result is one of the two numbers next to the true one
wherever the bound below is a few ulp of the result itself.

Largest error in float64, in units in the last place:

- 2: `erf`, `erfc`, `erfcx`, `erfinv`
- 2: `lgamma`, `digamma` for positive x; 3 and 4 of a larger number for negative x
- 3: `ndtr`, `log_ndtr`, `ndtri`, `sinc`
- 4: `i0`, `i0e`, `i1`, `i1e`
- 4: `polygamma` for positive x, more for negative x
"""

from __future__ import annotations

from .special_bessel import i0, i0e, i1, i1e, sinc
from .special_erf import erf, erfc, erfcx, erfinv
from .special_gamma import digamma, lgamma
from .special_normal import log_ndtr, ndtr, ndtri
from .special_polygamma import polygamma

__all__ = [
    "digamma",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "lgamma",
    "log_ndtr",
    "ndtr",
    "ndtri",
    "polygamma",
    "sinc",
]
