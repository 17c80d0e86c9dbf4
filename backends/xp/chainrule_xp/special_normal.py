"""The normal distribution: ndtr, log_ndtr and ndtri, built from the parts of the error function.

A composition such as ``erfc(-x / sqrt(2)) / 2`` would round ``x / sqrt(2)``, and the exponential
multiplies that error by ``x^2``. Here x itself is squared, in two parts.
"""

from __future__ import annotations

from typing import Any, Final

from chainrule.backend import Array

from .special_common import SQRT_HALF, elementwise, halves, polynomial
from .special_erf import FIRST_TAIL, LEAD, clamp, erf_near, erfcinv, erfinv_near, times_exp
from .special_tables import ERFCX

SQRT_2: Final = 1.4142135623730951
# The same in two parts, the first of 24 bits.
SQRT_2_HIGH: Final = float.fromhex("0x1.6a09e6p+0")
SQRT_2_LOW: Final = float.fromhex("0x1.9fcef32422cbfp-26")

#: Its square halved is the largest float64.
LAST_NORMAL: Final = 1.8961503816218352e154


@elementwise
def ndtr(xp: Any, x: Array) -> Array:
    """Return the kernel of the normal distribution function.

    Accuracy:
        3 ulp everywhere, down to the subnormal results at ``x = -38``.

    Source:
        DLMF 7.20.1 for ``ndtr(x) = erfc(-x / sqrt(2)) / 2``; computed as `erfc`.

    >>> import numpy as np
    >>> ndtr(np)(np.array([-1.0, 0.0, np.inf]))
    array([0.15865525, 0.5       , 1.        ])
    """
    a = xp.fmin(xp.abs(x), 40.0)
    tail = upper_tail(xp, a, *tail_parts(xp, a))
    far = xp.where(x > 0.0, 1.0 - tail, tail)
    near = 0.5 + 0.5 * erf_near(clamp(xp, x, FIRST_TAIL) * SQRT_HALF)
    return xp.where(a < FIRST_TAIL, near, xp.where(xp.isnan(x), x, far))


@elementwise
def log_ndtr(xp: Any, x: Array) -> Array:
    """Return the kernel of the logarithm of the normal distribution function.

    Below zero it is ``log(erfcx(-x / sqrt(2)) / 2) - x^2 / 2``, a sum of two negative numbers;
    above zero ``log1p`` of minus the other tail.

    Accuracy:
        3 ulp everywhere.

    Source:
        As `ndtr`.

    >>> import numpy as np
    >>> log_ndtr(np)(np.array([-1e10, 0.0, 5.0]))
    array([-5.00000000e+19, -6.93147181e-01, -2.86651613e-07])
    """
    a = xp.fmin(xp.abs(x), LAST_NORMAL)
    is_tail = a >= FIRST_TAIL
    near = 0.5 - 0.5 * erf_near(xp.fmin(a, FIRST_TAIL) * SQRT_HALF)
    rest, divisor = tail_parts(xp, xp.fmin(a, 1e30))
    scaled = xp.where(is_tail, (LEAD + rest) / divisor, near)
    left = xp.log(scaled) - xp.where(is_tail, 0.5 * a * a, 0.0)
    tail = upper_tail(xp, xp.fmin(a, 40.0), rest, divisor)
    right = xp.log1p(-xp.where(is_tail, tail, near))
    left = xp.where(x < -LAST_NORMAL, -xp.inf, left)
    return xp.where(x < 0.0, left, xp.where(xp.isnan(x), x, right))


@elementwise
def ndtri(xp: Any, p: Array) -> Array:
    """Return the kernel of the inverse of ndtr: -inf at zero, inf at one, nan outside.

    Accuracy:
        3 ulp everywhere, for subnormal p too.

    Source:
        M. J. Wichura (1988), Algorithm AS 241, Appl. Stat. 37, 477; computed as `erfinv`.

    >>> import numpy as np
    >>> ndtri(np)(np.array([0.025, 0.5, 1.0]))
    array([-1.95996398,  0.        ,         inf])
    """
    q = xp.fmin(p, 1.0 - p)
    tail = erfcinv(xp, 2.0 * xp.fmin(xp.fmax(q, 5e-324), 0.25), 2.0, far=True)
    tail = xp.where(q > 0.0, tail, xp.where(q == 0.0, xp.inf, xp.nan))
    near = erfinv_near(2.0 * clamp(xp, p - 0.5, 0.25)) * SQRT_2
    return xp.where(q >= 0.25, near, xp.copysign(tail, p - 0.5))


def tail_parts(xp: Any, a: Array) -> tuple[Array, Array]:
    """Return ``(rest, divisor)`` with ``ndtr(-a) = exp(-a^2/2) (LEAD + rest) / divisor``.

    The divisor is ``1 + sqrt(2) a``, rounded; what is lost is made good in the rest. For *a* from
    `FIRST_TAIL` on.
    """
    s, t = halves(xp, a)
    first = SQRT_2_HIGH * s
    second = SQRT_2_HIGH * t + SQRT_2_LOW * a
    product = first + second
    divisor = product + 1.0
    slip = (((first - product) + second) + ((product - divisor) + 1.0)) / divisor
    unit = 3.0 * SQRT_2
    return polynomial((a - unit) / (a + unit), ERFCX) - LEAD * slip, divisor


def upper_tail(xp: Any, a: Array, rest: Array, divisor: Array) -> Array:
    """Return ``ndtr(-a)`` from the parts of its tail."""
    s, t = halves(xp, a)
    return times_exp(xp, rest, divisor, -0.5 * s * s, -0.5 * t * (t + 2.0 * s))
