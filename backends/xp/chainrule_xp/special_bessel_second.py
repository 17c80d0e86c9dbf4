"""The Bessel functions J, Y and K of orders zero and one.

Near zero J is a series in x^2, and Y and K are one too, beside a logarithm times J or I. Far from
it J and Y are a cosine and a sine of x, each times a series in 1 / x^2, and K is an exponential.

Accuracy:
    A few units in the last place of the larger of the result and ``sqrt(2 / (pi x))`` for J and Y,
    which have zeros; of the result for K.

Source:
    M. Abramowitz and I. A. Stegun (1964), Handbook of Mathematical Functions, section 9.4, for the
    split; the series are our own, see special_bessel_tables.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from chainrule.backend import Array, Kernel

from .special_bessel import i0 as i0_factory
from .special_bessel import i1 as i1_factory
from .special_bessel_tables import (
    J0_SMALL,
    J1_SMALL,
    K0_LARGE,
    K0_SMALL,
    K1_LARGE,
    K1_SMALL,
    P0,
    P1,
    Q0,
    Q1,
    Y0_SMALL,
    Y1_SMALL,
)
from .special_common import elementwise

#: Where the series in x^2 hands over to the one in 1 / x^2.
FAR: Final = 8.0
TWO_OVER_PI: Final = 2.0 / math.pi


def clenshaw(t: Array, coefficients: Sequence[float]) -> Array:
    """Return the Chebyshev series at *t*, between -1 and 1.

    Source:
        C. W. Clenshaw (1955), MTAC 9, 118.
    """
    twice = 2.0 * t
    before, now = 0.0 * t, 0.0 * t
    for coefficient in coefficients[:0:-1]:
        before, now = now, twice * now - before + coefficient
    return t * now - before + coefficients[0]


def _small(xp: Any, a: Array, table: Sequence[float]) -> Array:
    b = xp.fmin(a, FAR)
    return clenshaw(b * b * (2.0 / 64.0) - 1.0, table)


def _waves(
    xp: Any, a: Array, order: int, p_table: Sequence[float], q_table: Sequence[float]
) -> tuple[Array, Array]:
    """Return J and Y for *a* from `FAR` on."""
    b = xp.maximum(xp.where(xp.isfinite(a), a, 1e300), FAR)
    ratio = FAR / b
    u = 2.0 * ratio * ratio - 1.0
    p, q = clenshaw(u, p_table), clenshaw(u, q_table) * ratio
    sine, cosine = xp.sin(b), xp.cos(b)
    # cos and sin of b - pi/4 and of b - 3 pi/4, without rounding the difference.
    c, s = (cosine + sine, sine - cosine) if order == 0 else (sine - cosine, -cosine - sine)
    scale = xp.sqrt(1.0 / (math.pi * b))
    return scale * (p * c - q * s), scale * (p * s + q * c)


def _with_ends(xp: Any, x: Array, found: Array) -> Array:
    return xp.where(xp.isinf(x), 0.0, xp.where(xp.isnan(x), xp.nan, found))


@elementwise
def bessel_j0(xp: Any, x: Array) -> Array:
    """Return the kernel of the Bessel function of the first kind, order zero.

    >>> import numpy as np
    >>> bessel_j0(np)(np.array([0.0, 1.0]))
    array([1.        , 0.76519769])
    """
    a = xp.abs(x)
    near = xp.where(a == 0.0, 1.0, _small(xp, a, J0_SMALL))
    return _with_ends(xp, x, xp.where(a < FAR, near, _waves(xp, a, 0, P0, Q0)[0]))


@elementwise
def bessel_j1(xp: Any, x: Array) -> Array:
    """Return the kernel of the Bessel function of the first kind, order one.

    >>> import numpy as np
    >>> bessel_j1(np)(np.array([0.0, 1.0]))
    array([0.        , 0.44005059])
    """
    a = xp.abs(x)
    near = a * _small(xp, a, J1_SMALL)
    found = xp.where(a < FAR, near, _waves(xp, a, 1, P1, Q1)[0])
    return _with_ends(xp, x, xp.where(x < 0.0, -found, found))


def _second(xp: Any, x: Array, near: Array, far: Array) -> Array:
    """Return Y: -inf at zero, nan below."""
    found = xp.where(x < FAR, near, far)
    found = xp.where(x > 0.0, found, xp.where(x == 0.0, -xp.inf, xp.nan))
    return xp.where(xp.isinf(x) & (x > 0.0), 0.0, found)


@elementwise
def bessel_y0(xp: Any, x: Array) -> Array:
    """Return the kernel of the Bessel function of the second kind, order zero.

    >>> import numpy as np
    >>> bessel_y0(np)(np.array([1.0, 10.0]))
    array([0.08825696, 0.05567117])
    """
    a = xp.where(x > 0.0, x, 1.0)
    logarithm = TWO_OVER_PI * xp.log(0.5 * xp.fmin(a, FAR))
    near = _small(xp, a, Y0_SMALL) + logarithm * _small(xp, a, J0_SMALL)
    return _second(xp, x, near, _waves(xp, a, 0, P0, Q0)[1])


@elementwise
def bessel_y1(xp: Any, x: Array) -> Array:
    """Return the kernel of the Bessel function of the second kind, order one.

    >>> import numpy as np
    >>> bessel_y1(np)(np.array([1.0, 10.0]))
    array([-0.78121282,  0.24901542])
    """
    a = xp.where(x > 0.0, x, 1.0)
    b = xp.fmin(a, FAR)
    first = b * _small(xp, a, J1_SMALL)
    near = b * _small(xp, a, Y1_SMALL) + TWO_OVER_PI * (xp.log(0.5 * b) * first - 1.0 / b)
    return _second(xp, x, near, _waves(xp, a, 1, P1, Q1)[1])


def _modified(order: int, *, scaled: bool) -> Callable[[Any], Kernel]:
    """Return the family factory of K, times ``exp(x)`` if *scaled*."""
    near_table, far_table = (K0_SMALL, K0_LARGE) if order == 0 else (K1_SMALL, K1_LARGE)

    def function(xp: Any, x: Array) -> Array:
        a = xp.where(x > 0.0, x, 1.0)
        b = xp.fmin(a, 2.0)
        rest = clenshaw(0.5 * b * b - 1.0, near_table)
        if order == 0:
            near = rest - xp.log(0.5 * b) * i0_factory(xp)(b)
        else:
            near = rest / b + xp.log(0.5 * b) * i1_factory(xp)(b)
        c = xp.maximum(a, 2.0)
        far = clenshaw(4.0 / c - 1.0, far_table) / xp.sqrt(c)
        if scaled:
            found = xp.where(a <= 2.0, near * xp.exp(b), far)
        else:
            found = xp.where(a <= 2.0, near, far * xp.exp(-c))
        return xp.where(x > 0.0, found, xp.where(x == 0.0, xp.inf, xp.nan))

    function.__name__ = f"{'scaled_' if scaled else ''}modified_bessel_k{order}"
    return elementwise(function)


modified_bessel_k0 = _modified(0, scaled=False)
modified_bessel_k1 = _modified(1, scaled=False)
scaled_modified_bessel_k0 = _modified(0, scaled=True)
scaled_modified_bessel_k1 = _modified(1, scaled=True)


@elementwise
def spherical_bessel_j0(xp: Any, x: Array) -> Array:
    """Return the kernel of ``sin(x) / x``.

    >>> import numpy as np
    >>> spherical_bessel_j0(np)(np.array([0.0, 1.0]))
    array([1.        , 0.84147098])
    """
    zero = x == 0.0
    found = xp.where(zero, 1.0, xp.sin(xp.where(xp.isinf(x), 0.0, x)) / xp.where(zero, 1.0, x))
    return xp.where(xp.isinf(x), 0.0, found)
