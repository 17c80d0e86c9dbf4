"""The special functions keep their promises: errors against mpmath, poles, dtypes and shapes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import mpmath
import numpy as np
import pytest

from chainrule_xp import special
from chainrule_xp.special_common import BLOCK

INF, NAN = math.inf, math.nan
KERNELS = {name: getattr(special, name)(np) for name in special.__all__}
UNARY = sorted(set(special.__all__) - {"polygamma"})

mp = mpmath.mp.clone()
mp.dps = 40


# The oracle. Where mpmath has no function, or one that loses digits, a formula at 40 digits.


def erfcx(x):
    if x < 50:
        return mp.exp(x * x) * mp.erfc(x)
    series = mp.fsum((-1) ** k * mp.fac2(2 * k - 1) / (2 * x * x) ** k for k in range(20))
    return series / (x * mp.sqrt(mp.pi))


def erfcinv(q):
    """Newton's iteration on the logarithm."""
    log_q = mp.log(q)
    y = mp.erfinv(1 - q) if q > 1e-3 else mp.sqrt(-log_q - mp.log(mp.sqrt(-mp.pi * log_q)))
    step = 1
    while abs(step) > mp.mpf(10) ** -34:
        step = (mp.log(mp.erfc(y)) - log_q) * erfcx(y) * mp.sqrt(mp.pi) / 2
        y += step
    return y


def erfinv(x):
    return mp.erfinv(x) if abs(x) <= 0.5 else mp.sign(x) * erfcinv(1 - abs(x))


def ndtr(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def log_ndtr(x):
    if x > 3:
        return mp.log1p(-ndtr(-x))
    if x > -1e4:
        return mp.log(ndtr(x))
    return mp.log(erfcx(-x / mp.sqrt(2)) / 2) - x * x / 2


def ndtri(p):
    if p < 0.25:
        return -mp.sqrt(2) * erfcinv(2 * p)
    if p > 0.75:
        return mp.sqrt(2) * erfcinv(2 * (1 - p))
    return mp.sqrt(2) * mp.erfinv(2 * p - 1)


def lgamma(x):
    if x > 0:
        return mp.loggamma(x)
    return mp.log(mp.pi / abs(mp.sinpi(x) * x)) - mp.loggamma(-x)


def digamma(x):
    return mp.psi(0, x)


def polygamma(n, x):
    """By Euler and Maclaurin from 40 + n on: mpmath's zeta is right in absolute terms alone."""
    if x < 0:
        return mp.psi(n, x)
    s, count = n + 1, 41 + n
    b = x + count
    rest = b / n + mp.mpf(1) / 2
    for j in range(1, 22):
        rest += mp.bernoulli(2 * j) / mp.factorial(2 * j) * mp.rf(s, 2 * j - 1) * b ** (1 - 2 * j)
    zeta = mp.fsum((x + k) ** -s for k in range(count)) + rest * b**-s
    return (-1) ** s * mp.factorial(n) * zeta


def bessel(order, *, scaled):
    return lambda x: mp.besseli(order, x) * (mp.exp(-abs(x)) if scaled else 1)


# The points.

random = np.random.default_rng(20)
SMALL = np.concatenate(
    [10.0 ** random.uniform(-323, 0, 60), [5e-324, 1e-320, 2.0**-1022, 2.0**-27]]
)


def between(low, high, count):
    """Return a grid and as many random points."""
    return np.concatenate([np.linspace(low, high, count), random.uniform(low, high, count)])


def both_signs(x):
    return np.concatenate([x, -x])


def powers(low, high, count):
    return 10.0 ** random.uniform(low, high, count)


def without_whole_numbers(x):
    return x[x != np.rint(x)]


@dataclass(frozen=True)
class Case:
    """A function, its oracle, the points to try and the promised bound in ulp.

    The ulp is that of the result or, where the promise says so, of the larger *scale*.
    """

    name: str
    oracle: Callable
    points: np.ndarray
    bound: float
    scale: Callable = lambda x, exact: abs(exact)

    def __str__(self):
        return f"{self.name}{'-negative' if self.points.max() < 0 else ''}"


def at_least_one(function):
    return lambda x, exact: max(1, abs(exact), abs(function(1 - x)))


AROUND_ONE = np.concatenate([1 + SMALL / 8, 1 - SMALL / 8])
AROUND_TWO = np.concatenate([2 + SMALL / 8, 2 - SMALL / 8])
DIGAMMA_ROOT = 1.4616321449683622
NEGATIVE = -without_whole_numbers(
    np.concatenate([between(1e-3, 5, 1000), between(5, 200, 100), SMALL[SMALL > 1e-308]])
)
BESSEL = np.concatenate([both_signs(SMALL), between(-12, 12, 600), between(12, 712, 120)])

CASES = [
    Case("erf", mp.erf, np.concatenate([both_signs(SMALL), between(-6.5, 6.5, 1500)]), 2),
    Case("erfc", mp.erfc, np.concatenate([both_signs(SMALL), between(-6.5, 28, 1500),
                                          between(0.7, 0.9, 500)]), 2),
    Case("erfcx", erfcx, np.concatenate([both_signs(SMALL), between(-26.6, 28, 1000),
                                         between(-0.6, 0.6, 500), powers(1, 308, 60)]), 2),
    Case("erfinv", erfinv, np.concatenate([both_signs(SMALL), between(-0.9999, 0.9999, 300),
                                           both_signs(1 - powers(-16, -1, 100))]), 2),
    Case("ndtr", ndtr, np.concatenate([both_signs(SMALL), between(-38.4, 9, 1000),
                                       between(-1, 1, 500)]), 3),
    Case("log_ndtr", log_ndtr, np.concatenate([both_signs(SMALL), between(-30, 38, 600),
                                               between(-2, 2, 200), -powers(1, 154, 60)]), 3),
    Case("ndtri", ndtri, np.concatenate([between(0.0001, 0.9999, 250), powers(-323, -1, 150),
                                         1 - powers(-16, -1, 60)]), 3),
    Case("lgamma", lgamma, np.concatenate([SMALL, AROUND_ONE, AROUND_TWO, between(0.01, 4, 1200),
                                           between(4, 200, 100), powers(2, 305, 60)]), 2),
    Case("lgamma", lgamma, NEGATIVE, 3, at_least_one(lgamma)),
    Case("digamma", digamma, np.concatenate([SMALL[SMALL > 1e-308], between(0.01, 4, 1200),
                                             between(4, 200, 100), powers(2, 305, 60),
                                             DIGAMMA_ROOT + both_signs(powers(-16, -1, 60))]), 2),
    Case("digamma", digamma, NEGATIVE, 4, at_least_one(digamma)),
    Case("i0", bessel(0, scaled=False), BESSEL, 4),
    Case("i0e", bessel(0, scaled=True), BESSEL, 4),
    Case("i1", bessel(1, scaled=False), BESSEL, 4),
    Case("i1e", bessel(1, scaled=True), BESSEL, 4),
    Case("sinc", mp.sincpi, np.concatenate([both_signs(SMALL), between(-4, 4, 800),
                                            between(-1e3, 1e3, 100), powers(3, 18, 40)]), 3),
]  # fmt: skip


def errors(got, exact, scale, dtype=np.float64):
    """Return the errors of *got* in units in the last place of the numbers *scale*, in *dtype*."""
    units = []
    for value in scale:
        below = dtype(float(value))
        if float(below) > value:
            below = np.nextafter(below, dtype(0))
        units.append(float(np.spacing(below)))
    return np.array(
        [
            float(abs(mp.mpf(float(g)) - e) / unit)
            for g, e, unit in zip(got, exact, units, strict=True)
        ]
    )


def at_worst(points, found):
    """Return in words where the error is largest."""
    place = int(np.argmax(found))
    return f"{found[place]:.3f} ulp at {points[place]!r}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_error_in_float64_stays_within_the_promise(case):
    got = KERNELS[case.name](case.points)
    arguments = [mp.mpf(float(x)) for x in case.points]
    exact = [case.oracle(x) for x in arguments]
    scale = [case.scale(x, e) for x, e in zip(arguments, exact, strict=True)]
    found = errors(got, exact, scale)

    assert found.max() <= case.bound, at_worst(case.points, found)


POLYGAMMA_POSITIVE = {
    n: np.concatenate([between(0.05, 12, 80), between(5, 2 * n + 30, 80), powers(-1.5, 3, 60)])
    for n in (1, 2, 3, 4, 10, 30, 170)
}
POLYGAMMA_NEGATIVE = {
    n: -without_whole_numbers(np.concatenate([between(0.01, 8, 80), powers(-3, 0, 40)]))
    for n in (1, 2, 3, 10, 30)
}


@pytest.mark.parametrize("n", POLYGAMMA_POSITIVE)
def test_polygamma_error_for_positive_x_stays_within_the_promise(n):
    points = POLYGAMMA_POSITIVE[n]
    got = KERNELS["polygamma"](points, n=n)
    # The promise is for results that are neither inf nor so small that their power underflows.
    promised = np.isfinite(got) & (np.abs(got) > 2.0 ** (n - 1022))
    exact = [polygamma(n, mp.mpf(float(x))) for x in points[promised]]
    found = errors(got[promised], exact, map(abs, exact))

    assert len(found) > len(points) / 2
    assert found.max() <= 4, at_worst(points[promised], found)


@pytest.mark.parametrize("n", POLYGAMMA_NEGATIVE)
def test_polygamma_error_for_negative_x_stays_within_the_promise(n):
    points = POLYGAMMA_NEGATIVE[n]
    got = KERNELS["polygamma"](points, n=n)
    arguments = [mp.mpf(float(x)) for x in points]
    exact = [polygamma(n, x) for x in arguments]
    scale = [mp.factorial(n) / abs(x - mp.nint(x)) ** (n + 1) for x in arguments]
    found = errors(got, exact, scale)

    assert found.max() <= 2 * n + 4, at_worst(points, found)


@pytest.mark.parametrize("dtype", [np.float32, np.float16], ids=["float32", "float16"])
@pytest.mark.parametrize("case", [c for c in CASES if c.points.max() > 0], ids=str)
def test_narrower_dtypes_are_right_to_one_ulp(case, dtype):
    limit = float(np.finfo(dtype).max)
    points = case.points[np.abs(case.points) < limit][::3].astype(dtype)
    exact = [case.oracle(mp.mpf(float(x))) if x else None for x in points]
    inside = np.array([e is not None and abs(e) < limit for e in exact])
    with np.errstate(over="ignore"):  # results beyond the narrower range round to inf
        got = KERNELS[case.name](points)
    exact = [e for e, keep in zip(exact, inside, strict=True) if keep]
    found = errors(got[inside], exact, map(abs, exact), dtype)

    assert got.dtype == dtype
    assert found.max() <= 1, at_worst(points[inside], found)


# Pairs of argument and result.
SPECIAL_VALUES = {
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (30.0, 1.0), (5e-324, 5e-324)],
    "erfc": [(0.0, 1.0), (-0.0, 1.0), (INF, 0.0), (-INF, 2.0), (28.0, 0.0), (5e-324, 1.0)],
    "erfcx": [(0.0, 1.0), (-0.0, 1.0), (INF, 0.0), (-INF, INF), (-27.0, INF), (5e-324, 1.0)],
    "erfinv": [(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.5, NAN), (INF, NAN)],
    "ndtr": [(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (-40.0, 0.0), (10.0, 1.0)],
    "log_ndtr": [(INF, -0.0), (-INF, -INF), (-1e308, -INF), (-1e17, -5e33), (40.0, -0.0)],
    "ndtri": [(0.0, -INF), (-0.0, -INF), (1.0, INF), (0.5, 0.0), (1.5, NAN), (-0.1, NAN),
              (INF, NAN), (-INF, NAN)],
    "lgamma": [(0.0, INF), (-0.0, INF), (1.0, 0.0), (2.0, 0.0), (-1.0, INF), (-2.0, INF),
               (-1e17, INF), (INF, INF), (-INF, INF), (1e308, INF), (-1e308, INF)],
    "digamma": [(0.0, -INF), (-0.0, INF), (-1.0, NAN), (-2.0, NAN), (-1e17, NAN), (INF, INF),
                (-INF, NAN), (1e-320, -INF), (-1e-320, INF)],
    "i0": [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, INF), (1e308, INF), (5e-324, 1.0)],
    "i0e": [(0.0, 1.0), (-0.0, 1.0), (INF, 0.0), (-INF, 0.0), (5e-324, 1.0)],
    "i1": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (-1e308, -INF), (1e-320, 5e-321)],
    "i1e": [(0.0, 0.0), (-0.0, -0.0), (INF, 0.0), (-INF, -0.0), (1e-320, 5e-321)],
    "sinc": [(0.0, 1.0), (-0.0, 1.0), (1.0, 0.0), (3.0, 0.0), (1e17, 0.0), (INF, NAN),
             (-INF, NAN)],
}  # fmt: skip


def differences(kernel, pairs, **static):
    """Return what the kernel gives where that is not the expected number, sign of zero included."""
    got = kernel(np.array([x for x, _ in pairs]), **static).tolist()
    return [(x, y, g) for (x, y), g in zip(pairs, got, strict=True) if repr(g) != repr(y)]


@pytest.mark.parametrize("name", UNARY)
def test_poles_zeros_and_infinities(name):
    assert differences(KERNELS[name], [*SPECIAL_VALUES[name], (NAN, NAN)]) == []


@pytest.mark.parametrize("n", [1, 2, 3, 10, 171])
def test_polygamma_at_poles_and_infinities(n):
    sign = 1.0 if n % 2 else -1.0
    poles = [(x, sign * INF) for x in (0.0, -0.0, 5e-324, -1.0, -1e17, -INF)]
    pairs = [*poles, (-5e-324, INF), (INF, sign * 0.0), (NAN, NAN)]

    assert differences(KERNELS["polygamma"], pairs, n=n) == []


def test_polygamma_of_order_zero_is_digamma():
    x = np.linspace(-3.3, 7.0, 50)

    assert np.array_equal(KERNELS["polygamma"](x, n=0), KERNELS["digamma"](x))


def arguments_of(name):
    return {"n": 2} if name == "polygamma" else {}


@pytest.mark.parametrize("name", special.__all__)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
def test_shape_and_dtype_are_kept(name, dtype, shape):
    got = KERNELS[name](np.full(shape, 0.25, dtype), **arguments_of(name))

    assert isinstance(got, np.ndarray)
    assert got.shape == shape
    assert got.dtype == dtype


@pytest.mark.parametrize("name", special.__all__)
def test_input_stays_unchanged(name):
    x = np.linspace(-4.0, 4.0, 101)
    before = x.copy()

    KERNELS[name](x, **arguments_of(name))

    assert np.array_equal(x, before)


@pytest.mark.parametrize("name", special.__all__)
def test_blocks_and_strides_do_not_change_the_result(name):
    x = np.linspace(-3.0, 3.0, 2 * BLOCK + 10).reshape(2, BLOCK + 5)
    whole = KERNELS[name](x, **arguments_of(name))
    pieces = [KERNELS[name](part, **arguments_of(name)) for part in np.split(x.T, [7, 90])]

    assert np.array_equal(whole, np.concatenate(pieces).T, equal_nan=True)


class OtherNamespace:
    """NumPy under another name, that remembers what was asked of it."""

    __name__ = "other"

    def __init__(self):
        self.asked = set()

    def __getattr__(self, name):
        self.asked.add(name)
        return getattr(np, name)


PORTABLE = {
    "abs", "copysign", "exp", "float32", "float64", "fmax", "fmin", "frexp", "inf", "int32",
    "isnan", "ldexp", "log", "log1p", "maximum", "minimum", "nan", "ones_like", "power", "rint",
    "sqrt", "where",
}  # fmt: skip


@pytest.mark.parametrize("name", special.__all__)
def test_a_namespace_needs_few_functions_and_gives_the_same_bits(name):
    other = OtherNamespace()
    x = np.linspace(-3.0, 3.0, BLOCK + 5)
    got = getattr(special, name)(other)(x, **arguments_of(name))

    assert np.array_equal(got, KERNELS[name](x, **arguments_of(name)), equal_nan=True)
    assert other.asked <= PORTABLE
