"""Further special functions, as in special.py: what fewer programs use.

Largest error in float64, in units in the last place:

- 8: the modified Bessel functions K, and `zeta`
- 8: the Bessel functions J and Y, of the larger of the result and ``sqrt(2 / (pi x))``; 40: Y near
  its first zero, of the result
- `airy_ai`: see special_airy.py
- `igamma`, `igammac`: 100 from 1e-10 to 1; in the tails as many as their logarithm has
"""

from __future__ import annotations

from .special_airy import airy_ai, airy_ai_slope
from .special_bessel_second import (
    bessel_j0,
    bessel_j1,
    bessel_y0,
    bessel_y1,
    modified_bessel_k0,
    modified_bessel_k1,
    scaled_modified_bessel_k0,
    scaled_modified_bessel_k1,
    spherical_bessel_j0,
)
from .special_incomplete import igamma, igammac, zeta

__all__ = [
    "airy_ai",
    "airy_ai_slope",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "igamma",
    "igammac",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "spherical_bessel_j0",
    "zeta",
]
