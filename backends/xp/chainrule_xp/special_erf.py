"""The error function and its family: erf, erfc, erfcx and erfinv, each to 2 ulp in float64."""

from __future__ import annotations

from typing import Any, Final

from chainrule.backend import Array

from .special_common import elementwise, exp_parts, halves, log_parts, polynomial
from .special_tables import ERF, ERFCINV_FAR, ERFCINV_NEAR, ERFCX, ERFINV, LOG_ERFC

INVERSE_SQRT_PI: Final = 0.5641895835477563
#: What the polynomial for erfcx is added to: a number of few digits, so that it costs no error.
LEAD: Final = 0.625
#: From here on erfc is computed as a tail.
FIRST_TAIL: Final = 0.75
#: exp(x^2) reaches the end of float64 a little below.
LAST_SQUARE_ROOT: Final = 26.63


@elementwise
def erf(xp: Any, x: Array) -> Array:
    """Return the kernel of ``2/sqrt(pi)`` times the integral of ``exp(-t^2)`` from 0 to x.

    Up to ``|x| = 1`` an odd polynomial, beyond it one minus the exponential of a polynomial for
    ``log(erfc(x))``.

    Accuracy:
        2 ulp everywhere; signed zeros and subnormals included.

    Source:
        W. J. Cody (1969), Math. Comp. 23, 631, for the split of the range; the polynomials are
        our own.

    >>> import numpy as np
    >>> erf(np)(np.array([0.0, 0.5, np.inf]))
    array([0.        , 0.52049988, 1.        ])
    """
    x = clamp(xp, x, 6.0)
    a = xp.abs(x)
    far = xp.copysign(1.0 - xp.exp(polynomial(a - 1.0, LOG_ERFC)), x)
    return xp.where(a < 1.0, erf_near(x), far)


@elementwise
def erfc(xp: Any, x: Array) -> Array:
    """Return the kernel of ``1 - erf(x)``, without the cancellation where erf is near one.

    Accuracy:
        2 ulp everywhere, down to the subnormal results at ``x = 27``.

    Source:
        M. M. Shepherd and J. G. Laframboise (1981), Math. Comp. 36, 249, for the variable
        ``(x - k) / (x + k)``; the square of x in two parts is from ``s_erf.c``, Sun Microsystems
        (1993), fdlibm 5.3.

    >>> import numpy as np
    >>> erfc(np)(np.array([-1.0, 0.0, 10.0]))
    array([1.84270079e+00, 1.00000000e+00, 2.08848758e-45])
    """
    a = xp.fmin(xp.abs(x), 28.0)
    s, t = halves(xp, a)
    tail = times_exp(xp, *tail_parts(a), -s * s, -t * (t + 2.0 * s))
    far = xp.where(x < 0.0, 2.0 - tail, tail)
    near = erfc_near(clamp(xp, x, FIRST_TAIL))
    return xp.where(a < FIRST_TAIL, near, xp.where(xp.isnan(x), x, far))


@elementwise
def erfcx(xp: Any, x: Array) -> Array:
    """Return the kernel of ``exp(x^2) erfc(x)``, which neither underflows nor loses digits.

    Accuracy:
        2 ulp everywhere. Below -26.63 the result is inf.

    Source:
        As `erfc`; for negative x, ``erfcx(-x) = 2 exp(x^2) - erfcx(x)``, DLMF 7.4.2.

    >>> import numpy as np
    >>> erfcx(np)(np.array([-1.0, 0.0, 1e10]))
    array([5.00898008e+00, 1.00000000e+00, 5.64189584e-11])
    """
    a = xp.abs(x)
    rest, divisor = tail_parts(xp.fmin(a, 1e300))
    right = (LEAD + rest) / divisor
    s, t = halves(xp, xp.fmin(a, LAST_SQUARE_ROOT))
    w, n = exp_parts(xp, s * s, t * (t + 2.0 * s))
    power = xp.ldexp(xp.ones_like(x), n)
    half = (power - 0.5 * right) + power * w
    left = 2.0 * xp.where(half < 2.0**1023, half, xp.inf)
    near = 1.0 - erf_near(clamp(xp, x, 0.5))
    far = xp.where(a < 1e17, right, INVERSE_SQRT_PI / xp.maximum(a, 1e17))
    return xp.where(a < 0.5, near + w * near, xp.where(x < 0.0, left, far))


@elementwise
def erfinv(xp: Any, x: Array) -> Array:
    """Return the kernel of the inverse of erf: inf at one, nan beyond it.

    Accuracy:
        2 ulp everywhere.

    Source:
        M. J. Wichura (1988), Algorithm AS 241, Appl. Stat. 37, 477, for the variable
        ``sqrt(-log(1 - |x|))``; the polynomials are our own.

    >>> import numpy as np
    >>> erfinv(np)(np.array([-0.5, 0.0, 1.0, 2.0]))
    array([-0.47693628,  0.        ,         inf,         nan])
    """
    a = xp.abs(x)
    tail = erfcinv(xp, xp.fmin(xp.fmax(1.0 - a, 2.0**-54), 0.5))
    tail = xp.where(a < 1.0, tail, xp.where(a == 1.0, xp.inf, xp.nan))
    return xp.where(a <= 0.5, erfinv_near(clamp(xp, x, 0.5)), xp.copysign(tail, x))


def clamp(xp: Any, x: Array, limit: float) -> Array:
    """Return *x* between ``-limit`` and *limit*; nan stays."""
    return xp.minimum(xp.maximum(x, -limit), limit)


def erf_near(x: Array) -> Array:
    """Return erf for ``|x| <= 1``."""
    return x + x * polynomial(x * x, ERF)


def erfc_near(x: Array) -> Array:
    """Return erfc for ``|x| <= 3/4``. Where the result is small, the first difference is exact."""
    return (1.0 - x) - x * polynomial(x * x, ERF)


def erfinv_near(x: Array) -> Array:
    """Return erfinv for ``|x| <= 1/2``."""
    return x * (1.0 + polynomial(x * x, ERFINV))


def tail_parts(a: Array) -> tuple[Array, Array]:
    """Return ``(rest, divisor)`` with ``erfcx(a) = (LEAD + rest) / divisor``, for ``a >= 1/2``.

    What is lost in rounding the divisor is made good in the rest.
    """
    divisor = a + 0.5
    slip = (a - (divisor - 0.5)) / divisor
    return polynomial((a - 3.0) / (a + 3.0), ERFCX) - LEAD * slip, divisor


def times_exp(xp: Any, rest: Array, divisor: Array, high: Array, low: Array) -> Array:
    """Return ``exp(high + low) (LEAD + rest) / divisor``, rounding little before the division."""
    w, n = exp_parts(xp, high, low)
    return xp.ldexp((LEAD + (rest + w * (LEAD + rest))) / divisor, n)


def erfcinv(xp: Any, q: Array, square: float = 1.0, *, far: bool = False) -> Array:
    """Return ``sqrt(square)`` times the inverse of erfc at *q*, for ``0 < q <= 1/2``.

    It is ``r = sqrt(-log(q))`` plus a small smooth function of r. The rounding error of r is found
    from its exact square and taken back. *far* is needed for q below ``1e-16``.
    """
    high, low = log_parts(xp, q)
    high, low = -square * high, -square * low
    r = xp.sqrt(high + low)
    s, t = halves(xp, r)
    slip = ((high - s * s) - t * (t + 2.0 * s) + low) / (2.0 * r)
    root = square**0.5
    v = r if square == 1.0 else r * (1.0 / root)
    excess = polynomial((v - 2.0) / (v + 2.0), ERFCINV_NEAR)
    if far:
        beyond = polynomial((v - 10.0) / (v + 10.0), ERFCINV_FAR)
        excess = xp.where(v < 6.05, excess, beyond)
    return r + (root * excess + slip)
