"""The modified Bessel functions of orders zero and one, and sinc."""

from __future__ import annotations

from typing import Any, Final

from chainrule.backend import Array, Kernel

from .special_common import elementwise, exp_parts, halves, polynomial
from .special_tables import I0_LARGE, I0_SMALL, I1_LARGE, I1_SMALL, SINC

#: Where the power series hands over to the series in 1/x.
SMALL: Final = 9.0
#: i0 and i1 overflow a little below.
LAST: Final = 714.0


@elementwise
def i0(xp: Any, x: Array) -> Array:
    """Return the kernel of the modified Bessel function of the first kind, order zero.

    Accuracy:
        4 ulp everywhere. Beyond 713.98 the result is inf.

    Differs from PyTorch:
        The infinities give inf, not nan.

    Source:
        DLMF 10.25.2 (power series) and 10.40.1 (series in 1/x), both as polynomials of our own.

    >>> import numpy as np
    >>> i0(np)(np.array([0.0, 1.0, 20.0]))
    array([1.00000000e+00, 1.26606588e+00, 4.35582826e+07])
    """
    a = xp.minimum(xp.abs(x), LAST)
    small = power_series(xp, xp.fmin(a, SMALL), I0_SMALL, 1.0, 0.25)
    return xp.where(a < SMALL, small, times_exp(xp, large_series(xp, a, I0_LARGE), a))


@elementwise
def i0e(xp: Any, x: Array) -> Array:
    """Return the kernel of ``exp(-|x|) i0(x)``, which does not overflow.

    Accuracy:
        4 ulp everywhere.

    Source:
        As `i0`.

    >>> import numpy as np
    >>> i0e(np)(np.array([0.0, 1.0, 1e10]))
    array([1.00000000e+00, 4.65759608e-01, 3.98942280e-06])
    """
    a = xp.abs(x)
    b = xp.fmin(a, SMALL)
    small = xp.exp(-b) * power_series(xp, b, I0_SMALL, 1.0, 0.25)
    return xp.where(a < SMALL, small, large_series(xp, a, I0_LARGE))


@elementwise
def i1(xp: Any, x: Array) -> Array:
    """Return the kernel of the modified Bessel function of the first kind, order one.

    Accuracy:
        4 ulp everywhere. Beyond 713.98 the result is inf, with the sign of x.

    Differs from PyTorch:
        The infinities give inf with their sign, not nan; minus zero stays minus zero.

    Source:
        As `i0`.

    >>> import numpy as np
    >>> i1(np)(np.array([0.0, 1.0, -1.0]))
    array([ 0.       ,  0.5651591, -0.5651591])
    """
    a = xp.minimum(xp.abs(x), LAST)
    b = xp.fmin(a, SMALL)
    small = 0.5 * b * power_series(xp, b, I1_SMALL, 2.0, 0.2)
    large = times_exp(xp, large_series(xp, a, I1_LARGE), a)
    return xp.copysign(xp.where(a < SMALL, small, large), x)


@elementwise
def i1e(xp: Any, x: Array) -> Array:
    """Return the kernel of ``exp(-|x|) i1(x)``, which does not overflow.

    Accuracy:
        4 ulp everywhere.

    Differs from PyTorch:
        Minus zero stays minus zero.

    Source:
        As `i0`.

    >>> import numpy as np
    >>> i1e(np)(np.array([0.0, 1.0, -1e10]))
    array([ 0.00000000e+00,  2.07910415e-01, -3.98942280e-06])
    """
    a = xp.abs(x)
    b = xp.fmin(a, SMALL)
    small = 0.5 * b * (xp.exp(-b) * power_series(xp, b, I1_SMALL, 2.0, 0.2))
    return xp.copysign(xp.where(a < SMALL, small, large_series(xp, a, I1_LARGE)), x)


def power_series(
    xp: Any, a: Array, table: tuple[float, ...], constant: float, slope: float
) -> Array:
    """Return the sum in ``u = a^2 / 4``, corrected for the rounding of u.

    The derivative of its logarithm is ``1 / (constant + slope u)``, near enough for a correction.
    """
    s, t = halves(xp, a)
    u = 0.25 * (a * a)
    slip = (0.25 * s * s - u) + 0.25 * t * (t + 2.0 * s)
    value = 1.0 + u * polynomial(u, table)
    return value + value * (slip / (constant + slope * u))


def large_series(xp: Any, a: Array, table: tuple[float, ...]) -> Array:
    """Return ``exp(-a)`` times the Bessel function of *table*, for *a* from `SMALL` on."""
    b = xp.maximum(a, SMALL)
    return polynomial(1.0 / b, table) / xp.sqrt(b)


def times_exp(xp: Any, scaled: Array, a: Array) -> Array:
    """Return ``scaled exp(a)``, inf where that is too large."""
    w, n = exp_parts(xp, xp.fmin(a, LAST), 0.0)
    half = xp.ldexp(scaled + scaled * w, n - 1)
    return 2.0 * xp.where(half >= 2.0**1023, xp.inf, half)


def sinc(xp: Any) -> Kernel:
    """Return the kernel of ``sin(pi x) / (pi x)``: of complex numbers by this very formula.

    >>> import numpy as np
    >>> sinc(np)(np.array([0.5j])).real
    array([1.46505238])
    """
    real = real_sinc(xp)

    def kernel(x: Array) -> Array:
        if x.dtype.kind != "c":
            return real(x)
        zero = x == 0
        turned = xp.where(zero, 1.0, x) * xp.pi
        return xp.where(zero, 1.0, xp.sin(turned) / turned).astype(x.dtype)

    return kernel


@elementwise
def real_sinc(xp: Any, x: Array) -> Array:
    """Return the kernel of ``sin(pi x) / (pi x)``: one at zero, nan at the infinities.

    Accuracy:
        3 ulp everywhere.

    Differs from PyTorch:
        The whole numbers give exactly zero, not the sine of a rounded multiple of pi.

    Source:
        x is reduced to the nearest whole number before it is multiplied by pi; the polynomial is
        our own.

    >>> import numpy as np
    >>> real_sinc(np)(np.array([0.0, 0.5, 3.0]))
    array([1.        , 0.63661977, 0.        ])
    """
    a = xp.fmin(xp.abs(x), 1e300)
    turn = a - 2.0 * xp.rint(0.5 * a)
    s = xp.where(xp.abs(turn) > 0.5, xp.copysign(1.0, turn) - turn, turn)
    ratio = xp.where(a < 0.5, 1.0, s / xp.maximum(a, 0.5))
    value = ratio * (1.0 + s * s * polynomial(s * s, SINC))
    return xp.where(xp.abs(x) < xp.inf, value, xp.nan)
