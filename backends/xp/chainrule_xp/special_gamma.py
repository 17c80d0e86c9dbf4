"""The logarithm of the gamma function and its first derivative."""

from __future__ import annotations

from typing import Any, Final

from chainrule.backend import Array

from .special_common import elementwise, log_parts, polynomial
from .special_tables import COT, DIGAMMA, DIGAMMA_REST, LGAMMA, SINC, STIRLING

# log(2 pi) / 2 - 1 / 2, in two parts.
STIRLING_HIGH: Final = 0.4189385332046727
STIRLING_LOW: Final = 1.6728209650585413e-17
#: Its lgamma is the largest float64.
LAST_LGAMMA: Final = 2.5599833278516383e305
#: The reciprocal of any smaller number overflows.
FIRST_RECIPROCAL: Final = 5.56268464626801e-309
# The positive root of digamma less one, in two parts (OEIS A030169).
ROOT_HIGH: Final = 0.46163214496836236
ROOT_LOW: Final = -1.5522348162858677e-17


@elementwise
def lgamma(xp: Any, x: Array) -> Array:
    """Return the kernel of ``log(|gamma(x)|)``: inf at zero and the negative integers.

    Between 1 and 2.5 it is a polynomial times ``(x - 1)(x - 2)``, between 0 and 1
    ``lgamma(1 + x) - log(x)``, above 2.5 Stirling's series with the logarithm in two parts. Below
    zero it comes by reflection.

    Accuracy:
        2 ulp for positive x, at the roots 1 and 2 too. For negative x 3 ulp of the largest of 1,
        ``|lgamma(x)|`` and ``|lgamma(1 - x)|``: near its negative roots lgamma is a difference.

    Source:
        DLMF 5.11.1 (Stirling), 5.5.1 and 5.5.3 (recurrence and reflection).

    >>> import numpy as np
    >>> lgamma(np)(np.array([0.0, 0.5, 3.0, 100.0]))
    array([         inf,   0.57236494,   0.69314718, 359.13420537])
    """
    a = xp.fmin(xp.abs(x), LAST_LGAMMA)
    negative = x < 0.0
    lead, rest = lgamma_parts(xp, a, negative)
    distance = xp.where(negative, gamma_reflection(xp, a), 1.0)
    reflected = xp.log(xp.where(distance > 0.0, distance, 1.0))
    value = xp.where(negative, -reflected - (lead + rest), lead + rest)
    pole = (a == 0.0) | (distance == 0.0) | (xp.abs(x) > LAST_LGAMMA)
    return xp.where(xp.isnan(x), x, xp.where(pole, xp.inf, value))


def lgamma_parts(xp: Any, a: Array, negative: Array) -> tuple[Array, Array]:
    """Return two numbers whose sum is lgamma at *a*, or at ``1 + a`` for *negative* ``a < 1.5``."""
    shifted = a < xp.where(negative, 1.5, 1.0)
    y = xp.fmin(xp.where(shifted, a, a - 1.0), 1.5)
    product = y * (y - 1.0)
    core = product * polynomial((y - 0.5) / (y + 2.5), LGAMMA)

    large = a >= 2.5
    inner = xp.where(negative, 1.0, xp.fmin(xp.fmax(a, 5e-324), 1.0))
    high, low = log_parts(xp, xp.where(large, a, inner))
    factor = xp.where(large, 0.5 - a, 1.0)
    z = 1.0 / xp.fmax(a, 2.5)
    series = z * polynomial(z * z, STIRLING) + STIRLING_LOW
    rest = xp.where(large, series, core) - factor * low
    rest += xp.where(large, STIRLING_HIGH, 0.5 * product)
    return factor * (large - high), rest


def gamma_reflection(xp: Any, a: Array) -> Array:
    """Return ``|sin(pi a)| / pi``, times *a* from 1.5 on."""
    s = a - xp.rint(a)
    sine = xp.abs(s) * (1.0 + s * s * polynomial(s * s, SINC))
    return xp.where(a < 1.5, sine, sine * a)


@elementwise
def digamma(xp: Any, x: Array) -> Array:
    """Return the kernel of the derivative of lgamma.

    The pole at zero gives -inf from the right and inf from the left; the others give nan.

    Accuracy:
        2 ulp for positive x, at the root 1.4616 too. For negative x 4 ulp of the largest of 1,
        ``|digamma(x)|`` and ``|digamma(1 - x)|``: near its negative roots digamma is a difference.

    Source:
        DLMF 5.11.2 (asymptotic series), 5.5.2 and 5.5.4 (recurrence and reflection).

    >>> import numpy as np
    >>> digamma(np)(np.array([0.0, 1.0, -0.5, -1.0]))
    array([       -inf, -0.57721566,  0.03648997,         nan])
    """
    return digamma_values(xp, x)


def digamma_values(xp: Any, x: Array) -> Array:
    """Return digamma of a flat float64 array."""
    a = xp.fmin(xp.abs(x), 1e308)
    negative = x < 0.0
    s = a - xp.rint(a)
    usable = xp.abs(s) >= FIRST_RECIPROCAL
    cotangent = (1.0 - s * s * polynomial(s * s, COT)) / xp.where(usable, s, 1.0)
    reciprocal = 1.0 / xp.fmax(a, FIRST_RECIPROCAL)
    recurrence = xp.where((a >= 1.0) == negative, reciprocal, 0.0)
    change = xp.where(negative, cotangent + recurrence, -recurrence)

    value = digamma_from_one(xp, xp.where(a < 1.0, a, a - 1.0)) + change
    value = xp.where(negative & (s == 0.0), xp.nan, value)
    value = xp.where(a < FIRST_RECIPROCAL, xp.copysign(xp.inf, -x), value)
    return xp.where(x < xp.inf, value, x)


def digamma_from_one(xp: Any, y: Array) -> Array:
    """Return digamma at ``1 + y`` for ``y >= 0``."""
    near = xp.fmin(y, 1.0)
    d = near - ROOT_HIGH
    slip = (near - (d + ROOT_HIGH)) - ROOT_LOW
    core = d + ((d + slip) * polynomial((near - 0.25) / (near + 2.25), DIGAMMA) + slip)

    b = xp.fmax(y + 1.0, 2.0)
    z = 1.0 / b
    high, low = log_parts(xp, b)
    series = high + (low - z * (0.5 + z * polynomial(z * z, DIGAMMA_REST)))
    return xp.where(y < 1.0, core, series)
