"""The ops, by family."""

from __future__ import annotations

from typing import Final

from .bessel import airy, iv, ive, jv, kv, kve, struve, yv
from .elliptic import ellipd, ellipe, ellipk
from .exponential import dawsn, exp1, expi, expn, fresnel, lambertw, spence
from .hypergeometric import hyp1f1, hyp2f1
from .incomplete import (
    betainc,
    betainc_slopes,
    betaincinv,
    gammainc,
    gammainc_slope,
    gammaincc,
    gammainccinv,
    gammaincinv,
)
from .normal import owens_t, voigt_profile, wofz

OPS: Final = (
    jv, yv, iv, ive, kv, kve, struve, airy, ellipk, ellipe, ellipd, exp1, expi, expn, dawsn, spence,
    fresnel, lambertw, gammainc, gammaincc, gammaincinv, gammainccinv, gammainc_slope, betainc,
    betaincinv, betainc_slopes, hyp1f1, hyp2f1, owens_t, voigt_profile, wofz,
)  # fmt: skip
