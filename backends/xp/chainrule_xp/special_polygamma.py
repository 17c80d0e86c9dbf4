"""The higher derivatives of lgamma, by the Hurwitz zeta function."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from chainrule.backend import Array

from .special_common import elementwise, polynomial
from .special_gamma import digamma_values
from .special_tables import COT

#: The Bernoulli numbers B2, B4, .. B24.
BERNOULLI: Final = tuple(
    Fraction(numerator, denominator)
    for numerator, denominator in (
        (1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510),
        (43867, 798), (-174611, 330), (854513, 138), (-236364091, 2730),
    )
)  # fmt: skip
#: Pi to 60 digits.
PI: Final = Fraction(3141592653589793238462643383279502884197169399375105820974945, 10**60)
LARGEST: Final = sys.float_info.max
#: Terms summed one by one before the series for the rest.
TERMS: Final = 8
#: Up to here a power by multiplication is both faster and right; its unit is one.
FEW_FACTORS: Final = 4


@elementwise
def polygamma(xp: Any, x: Array, n: int) -> Array:
    """Return the kernel of the derivative of order *n* of digamma, ``kernel(x, n=1)``.

    For positive x it is ``(-1)^(n+1) n! zeta(n+1, x)``: eight terms of the sum and the rest by the
    formula of Euler and Maclaurin, or from ``x = 8 + 3 (n+1) / 4`` on by that formula alone. Below
    zero by reflection.

    Accuracy:
        4 ulp for positive x, wherever the result is above ``2^(n - 1022)``. For negative x
        ``2 n + 4`` ulp of ``n! / t^(n+1)``, where t is the distance from x to the nearest integer.

    Differs from PyTorch:
        The poles of the first derivative give inf, not large numbers; at inf all orders give zero,
        not nan; at -inf the first derivative gives inf, not nan. Orders above 170 are computed for
        positive x, and not infinite throughout.

    Source:
        DLMF 25.11.12 (zeta), 25.11.28 (Euler and Maclaurin) and 5.15.6 (reflection).

    >>> import numpy as np
    >>> polygamma(np)(np.array([1.0, 10.0]), n=1)
    array([1.64493407, 0.10516634])
    """
    if n == 0:
        return digamma_values(xp, x)
    plan = plan_of(n)
    a = xp.abs(x)
    negative = x < 0.0
    bounded = xp.fmin(a, 2.0**53)
    t = bounded - xp.rint(bounded)
    is_pole = xp.where(negative, xp.abs(t), a) <= plan.first

    zeta = hurwitz_zeta(xp, xp.maximum(xp.where(negative, 1.0 + a, a), plan.first), plan)
    mirrored = reflection(xp, xp.where(negative & ~is_pole, t, 0.5), plan)
    value = xp.where(negative, mirrored - xp.fmin(zeta, LARGEST), plan.sign * zeta)
    # An odd pole has two sides; on an integer itself the right one counts.
    from_left = 1.0 if plan.sign > 0.0 else xp.where(negative & (t > 0.0), 1.0, -1.0)
    return xp.where(is_pole, from_left * xp.inf, value)


@dataclass(frozen=True)
class Plan:
    """The constants of one order. With ``s = n + 1``, powers are of *unit* times their base.

    Attributes:
        n: The order.
        sign: ``(-1)^(n+1)``
        unit: A power of two that keeps ``(unit x)^-s`` near ``n! x^-s``.
        factor: ``n! unit^s``
        first: From zero to here the result overflows.
        last: The largest sum whose product with *factor* is finite.
        far: From here on the formula for the rest needs no terms before it.
        grain: Adding and subtracting it leaves a multiple of the rounding unit at ``far + 8``.
        rest: The series for the rest in ``1/x^2``.
        mirror: The polynomial in ``pi cot(pi x) / unit``, every second power, for reflection;
            empty where its coefficients, and the results with them, overflow.
    """

    n: int
    sign: float
    unit: float
    factor: float
    first: float
    last: float
    far: float
    grain: float
    rest: tuple[float, ...]
    mirror: tuple[float, ...]


@lru_cache
def plan_of(n: int) -> Plan:
    """Return the constants for order *n*."""
    s, factorial = n + 1, math.factorial(n)
    shift = (factorial.bit_length() - 1) // s
    factor = float(Fraction(factorial, 2 ** (shift * s)))
    far = 8.0 + 0.75 * s
    return Plan(
        n=n,
        sign=1.0 if n % 2 else -1.0,
        unit=2.0**-shift,
        factor=factor,
        first=(factor ** (1 / s)) * (2.0 ** (-1024 / s)) * 2.0**shift * (1.0 + 1e-12),
        last=LARGEST * (1.0 - 1e-15) / factor,
        far=far,
        grain=2.0 ** math.ceil(math.log2(far + TERMS)),
        rest=rest_coefficients(n),
        mirror=mirror_coefficients(n, shift),
    )


def rest_coefficients(n: int) -> tuple[float, ...]:
    """Return ``B_2j / (2j)! (n+1) (n+2) .. (n+2j-1)`` for each j."""
    rising, coefficients = Fraction(n + 1), []
    for j, bernoulli in enumerate(BERNOULLI, start=1):
        coefficients.append(float(bernoulli / math.factorial(2 * j) * rising))
        rising *= (n + 2 * j) * (n + 2 * j + 1)
    return tuple(coefficients)


def mirror_coefficients(n: int, shift: int) -> tuple[float, ...]:
    """Return the derivative of order n of ``-pi cot(pi x)`` as a polynomial in ``pi cot(pi x)``.

    With c for the cotangent the derivative of ``c^k`` is ``-k (1 + c^2) c^(k-1)``, so that all
    terms have one sign and every second is missing.
    """
    powers = [0, 1]
    for _ in range(n):
        slopes = [k * p for k, p in enumerate(powers)][1:]
        powers = [p + q for p, q in zip([*slopes, 0, 0], [0, 0, *slopes], strict=True)]
    scaled = [p * PI ** (n + 1 - k) / 2 ** (shift * k) for k, p in enumerate(powers)]
    try:
        return tuple(float(p) for p in scaled[(n + 1) % 2 :: 2])
    except OverflowError:
        return ()


def hurwitz_zeta(xp: Any, x: Array, plan: Plan) -> Array:
    """Return ``n! zeta(n+1, x)`` for ``x >= plan.first``."""
    n, s = plan.n, plan.n + 1
    near = x < plan.far
    first = xp.fmin(x, plan.far)
    # Rounded to where adding the whole numbers up to eight is exact; the slope makes up for it.
    even = (first + plan.grain) - plan.grain
    base = xp.where(near, even + TERMS, x)
    z = 1.0 / base
    rest = 1.0 / n + z * (0.5 + z * polynomial(z * z, plan.rest))
    rest = rest * xp.power(base * plan.unit, -float(n)) / plan.unit
    terms = [even + k for k in range(1, TERMS)]
    if s <= FEW_FACTORS:
        terms = [1.0 / math.prod([x] * (s - 1), start=x) for x in terms]
    else:
        terms = [xp.power(x * plan.unit, -float(s)) for x in terms]
    total = pairwise_sum([*terms, rest])
    total = total - total * ((first - even) * n / (even + 0.7))
    total = total + xp.power(first * plan.unit, -float(s))
    total = xp.where(total < plan.last, total, xp.inf)
    return plan.factor * xp.where(near, total, rest)


def pairwise_sum(terms: list[Array]) -> Array:
    """Return the sum of a power of two of arrays, with few roundings each."""
    while len(terms) > 1:
        terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=True)]
    return terms[0]


def reflection(xp: Any, t: Array, plan: Plan) -> Array:
    """Return ``(-1)^n pi`` times the derivative of order n of ``cot(pi t)``, for ``|t| <= 1/2``."""
    cotangent = (1.0 - t * t * polynomial(t * t, COT)) / (t * plan.unit)
    if plan.mirror:
        size = polynomial(cotangent * cotangent, plan.mirror)
    else:
        size = xp.where(cotangent == 0.0, 0.0, xp.inf)
    return size if plan.n % 2 else size * cotangent
