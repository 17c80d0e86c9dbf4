"""Functions of two arguments: the incomplete gamma functions and the zeta function of Hurwitz."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from chainrule.backend import Array, Kernel

from .special_common import polynomial
from .special_gamma import lgamma
from .special_polygamma import BERNOULLI

#: B_2j / (2j)!, the coefficients of Euler and Maclaurin.
EULER_MACLAURIN: Final = tuple(float(b / math.factorial(2 * j)) for j, b in enumerate(BERNOULLI, 1))
#: The series of Stirling for log(gamma(a)) in 1/a^2, times a.
STIRLING: Final = tuple(float(b / (2 * j * (2 * j - 1))) for j, b in enumerate(BERNOULLI[:8], 1))
TERMS: Final = 12
#: No sum here needs more terms; what has not converged by then is not finite.
MOST_TERMS: Final = 20_000
#: So often it is asked whether all elements have converged: on a device, that waits.
LOOK: Final = 32
EPSILON: Final = 2.0**-54


def two_arguments(function: Callable[..., Array]) -> Callable[[Any], Kernel]:
    """Return the family factory of *function*, which maps two flat float64 arrays to one."""

    def factory(xp: Any) -> Kernel:
        def kernel(first: Any, second: Any) -> Array:
            first, second = xp.broadcast_arrays(xp.asarray(first), xp.asarray(second))
            dtype = xp.result_type(first.dtype, second.dtype)
            flat = [x.reshape(-1).astype(xp.float64) for x in (first, second)]
            made = function(xp, *flat) if flat[0].size else flat[0]
            return made.astype(dtype).reshape(first.shape)

        return kernel

    factory.__name__ = factory.__qualname__ = function.__name__
    factory.__module__, factory.__doc__ = function.__module__, function.__doc__
    return factory


@two_arguments
def zeta(xp: Any, x: Array, q: Array) -> Array:
    """Return the kernel of the sum of ``(q + k) ** -x`` over k from 0 on.

    Infinite at ``x = 1`` and at whole q up to zero; nan for ``x < 1``, and for negative q where x
    is no whole number.

    Source:
        DLMF 25.11.43: terms one by one, and Euler's and Maclaurin's formula for the rest.

    >>> import numpy as np
    >>> zeta(np)(np.array([2.0]), np.array([1.0]))
    array([1.64493407])
    """
    lowest = float(xp.min(xp.where(xp.isfinite(q), q, 0.0)).item())
    count = TERMS + min(max(0, math.ceil(-lowest)), MOST_TERMS)
    s = xp.where(x > 1.0, x, 2.0)
    total = xp.zeros_like(q)
    for k in range(count):
        base = q + k
        total = total + xp.power(xp.where(base == 0.0, 1.0, base), -s)
    b = q + count
    last = xp.power(b, -s)
    total = total + b * last / (s - 1.0) + 0.5 * last
    factor = s * last / b
    for j, coefficient in enumerate(EULER_MACLAURIN, 1):
        total = total + coefficient * factor
        factor = factor * (s + (2 * j - 1)) * (s + 2 * j) / (b * b)
    total = xp.where(xp.isinf(q) & (q > 0.0), 0.0, total)
    pole = (q <= 0.0) & (q == xp.floor(q))
    broken = (q < 0.0) & (x != xp.floor(x))
    total = xp.where(pole, xp.inf, xp.where(broken, xp.nan, total))
    return xp.where(x > 1.0, total, xp.where(x == 1.0, xp.inf, xp.nan))


@two_arguments
def igamma(xp: Any, a: Array, x: Array) -> Array:
    """Return the kernel of the lower incomplete gamma function, regularised: from 0 to 1.

    Source:
        DLMF 8.7.1 (series) and 8.9.2 (continued fraction, by the method of Lentz); the factor
        before them by Stirling's series, W. Gautschi (1979), ACM TOMS 5, 466.

    >>> import numpy as np
    >>> igamma(np)(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([0.63212056, 0.26424112])
    """
    lower, upper, below = _both(xp, a, x)
    return _ends(xp, a, x, xp.where(below, lower, 1.0 - upper), 0.0, 1.0)


@two_arguments
def igammac(xp: Any, a: Array, x: Array) -> Array:
    """Return the kernel of the upper incomplete gamma function: one minus `igamma`.

    Source:
        As `igamma`; where both are small, the sum in A. Gil, J. Segura and N. M. Temme (2012),
        SIAM J. Sci. Comput. 34, A2965, section 2.2.

    >>> import numpy as np
    >>> igammac(np)(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([0.36787944, 0.73575888])
    """
    lower, upper, below = _both(xp, a, x)
    small = (x <= 1.1) & xp.where(
        x <= 0.5, -0.4 / xp.log(xp.where(x < 0.5, xp.maximum(x, 1e-300), 0.5)) >= a, 1.1 * x >= a
    )
    near = _upper_of_small(xp, xp.where(small, a, 0.5), xp.where(small, x, 0.5))
    found = xp.where(small, near, xp.where(below, 1.0 - lower, upper))
    return _ends(xp, a, x, found, 1.0, 0.0)


def _both(xp: Any, a: Array, x: Array) -> tuple[Array, Array, Array]:
    """Return the lower function by its series, the upper by its fraction, and where which holds."""
    fine = (a > 0.0) & (x > 0.0) & xp.isfinite(a) & xp.isfinite(x)
    a, x = xp.where(fine, a, 1.0), xp.where(fine, x, 1.0)
    below = x < a + 1.0
    front = _front(xp, a, x)
    lower = front / a * _series(xp, xp.where(below, a, 1.0), xp.where(below, x, 0.5))
    upper = front * _fraction(xp, xp.where(below, 1.0, a), xp.where(below, 3.0, x))
    return lower, upper, below


def _ends(xp: Any, a: Array, x: Array, found: Array, at_zero: float, at_infinity: float) -> Array:
    """Return *found* with the limits where an argument is zero or infinite, nan where negative."""
    found = xp.where(x == 0.0, at_zero, found)
    found = xp.where(xp.isinf(a), at_zero, found)
    found = xp.where(xp.isinf(x), at_infinity, found)
    found = xp.where((a == 0.0) & (x > 0.0), at_infinity, found)
    nothing = (a < 0.0) | (x < 0.0) | ((a == 0.0) & (x == 0.0)) | (xp.isinf(a) & xp.isinf(x))
    return xp.where(nothing | xp.isnan(a) | xp.isnan(x), xp.nan, found)


def _front(xp: Any, a: Array, x: Array) -> Array:
    """Return ``x^a exp(-x) / gamma(a)``."""
    direct = xp.exp(a * xp.log(x) - x - lgamma(xp)(a))
    big = xp.maximum(a, 10.0)
    away = (x - big) / big
    exponent = -big * (away - xp.log1p(away))
    correction = polynomial(1.0 / (big * big), STIRLING) / big
    far = xp.exp(exponent - correction) * xp.sqrt(big / (2.0 * math.pi))
    return xp.where(a < 10.0, direct, far)


def _series(xp: Any, a: Array, x: Array) -> Array:
    term = total = xp.ones_like(a)
    for n in range(1, MOST_TERMS):
        term = term * (x / (a + n))
        total = total + term
        if n % LOOK == 0 and bool(xp.all(term <= EPSILON * total).item()):
            break
    return total


def _fraction(xp: Any, a: Array, x: Array) -> Array:
    tiny = 1e-300
    b = x + 1.0 - a
    c = xp.ones_like(a) / tiny
    d = 1.0 / xp.where(b == 0.0, tiny, b)
    result = d
    for n in range(1, MOST_TERMS):
        numerator = -n * (n - a)
        b = b + 2.0
        d = numerator * d + b
        c = b + numerator / c
        d = 1.0 / xp.where(d == 0.0, tiny, d)
        c = xp.where(c == 0.0, tiny, c)
        step = d * c
        result = result * step
        if n % LOOK == 0 and bool(xp.all(xp.abs(step - 1.0) <= 4.0 * EPSILON).item()):
            break
    return result


def _upper_of_small(xp: Any, a: Array, x: Array) -> Array:
    """Return the upper function for small arguments, without the difference from one."""
    power, total = xp.ones_like(a), xp.zeros_like(a)
    for n in range(1, 40):
        power = power * (-x / n)
        total = total + power / (a + n)
    log_x = xp.log(xp.maximum(x, 1e-300))
    # log(gamma(1 + a)) is small where a is: lgamma at 1 + a is right to its last bits there.
    first = -xp.expm1(a * log_x - lgamma(xp)(1.0 + a))
    return first - xp.exp(a * log_x - lgamma(xp)(a)) * total
