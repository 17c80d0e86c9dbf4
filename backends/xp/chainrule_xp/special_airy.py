"""The Airy function Ai and its derivative.

Between -4 and 1 a series in x; above, an exponential times one in x^(-3/2); below, a cosine and a
sine of ``2/3 |x|^(3/2)``, each times a series in ``|x|^-3``.

Accuracy:
    Two units in the last place between -4 and 1, ``|x|^(3/2)`` more elsewhere, where the angle and
    the exponent are rounded: of the result above 1, else of the envelope ``|x|^(-1/4)``, of the
    derivative ``|x|^(1/4)``.

Source:
    NIST Digital Library of Mathematical Functions, sections 9.2 and 9.7, for the split; the series
    are our own, see special_bessel_tables.py.
"""

from __future__ import annotations

import math
from typing import Any, Final

from chainrule.backend import Array

from .special_bessel_second import clenshaw
from .special_bessel_tables import (
    AIRY_DECAY,
    AIRY_MIDDLE,
    AIRY_P,
    AIRY_Q,
    AIRY_SLOPE_DECAY,
    AIRY_SLOPE_MIDDLE,
    AIRY_SLOPE_P,
    AIRY_SLOPE_Q,
)
from .special_common import elementwise

#: Where the series in x begins and ends.
LOW: Final = -4.0
HIGH: Final = 1.0


def _middle(xp: Any, x: Array, table: tuple[float, ...]) -> Array:
    inside = xp.minimum(xp.maximum(x, LOW), HIGH)
    return clenshaw((inside - LOW) * (2.0 / (HIGH - LOW)) - 1.0, table)


def _decay(xp: Any, x: Array, table: tuple[float, ...]) -> tuple[Array, Array]:
    """Return the exponential with its series above `HIGH`, and the fourth root of x."""
    a = xp.minimum(xp.maximum(x, HIGH), 1e4)
    power = a * xp.sqrt(a)
    series = clenshaw(2.0 / power - 1.0, table)
    return xp.exp(power * (-2.0 / 3.0)) * (0.5 / math.sqrt(math.pi)) * series, a**0.25


def _waves(
    xp: Any, x: Array, p_table: tuple[float, ...], q_table: tuple[float, ...]
) -> tuple[Array, Array, Array, Array, Array]:
    """Return P, Q, cosine and sine below `LOW`, and the fourth root of -x."""
    z = xp.minimum(xp.maximum(xp.where(xp.isfinite(x), -x, -LOW), -LOW), 1e100)
    power = z * xp.sqrt(z)
    ratio = 8.0 / power
    u = 2.0 * ratio * ratio - 1.0
    p, q = clenshaw(u, p_table), clenshaw(u, q_table) / power
    sine, cosine = xp.sin(power * (2.0 / 3.0)), xp.cos(power * (2.0 / 3.0))
    # cos and sin of the angle less pi/4, without rounding the difference; sqrt(2 pi) is common.
    scale = 1.0 / math.sqrt(2.0 * math.pi)
    return p * scale, q * scale, cosine + sine, sine - cosine, z**0.25


@elementwise
def airy_ai(xp: Any, x: Array) -> Array:
    """Return the kernel of Ai. Infinities give 0, the limit.

    >>> import numpy as np
    >>> airy_ai(np)(np.array([-5.0, 0.0, 1.0]))
    array([0.35076101, 0.35502805, 0.13529242])
    """
    fall, root = _decay(xp, x, AIRY_DECAY)
    p, q, c, s, fourth = _waves(xp, x, AIRY_P, AIRY_Q)
    found = xp.where(x > HIGH, fall / root, _middle(xp, x, AIRY_MIDDLE))
    found = xp.where(x < LOW, (p * c + q * s) / fourth, found)
    return xp.where(xp.isnan(x), xp.nan, xp.where(xp.isinf(x), 0.0, found))


@elementwise
def airy_ai_slope(xp: Any, x: Array) -> Array:
    """Return the kernel of the derivative of Ai, which has no limit at minus infinity: nan.

    >>> import numpy as np
    >>> airy_ai_slope(np)(np.array([-5.0, 0.0, 1.0]))
    array([ 0.32719282, -0.2588194 , -0.15914744])
    """
    fall, root = _decay(xp, x, AIRY_SLOPE_DECAY)
    p, q, c, s, fourth = _waves(xp, x, AIRY_SLOPE_P, AIRY_SLOPE_Q)
    found = xp.where(x > HIGH, -fall * root, _middle(xp, x, AIRY_SLOPE_MIDDLE))
    found = xp.where(x < LOW, (p * s - q * c) * fourth, found)
    found = xp.where(xp.isinf(x), xp.where(x > 0.0, 0.0, xp.nan), found)
    return xp.where(xp.isnan(x), xp.nan, found)
