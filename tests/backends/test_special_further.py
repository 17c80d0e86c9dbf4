"""The further special functions keep their promises: errors against mpmath, ends, dtypes."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from chainrule_xp import special_further

KERNELS = {name: getattr(special_further, name)(np) for name in special_further.__all__}
ULP = 2.0**-52
INF, NAN = math.inf, math.nan

mp = mpmath.mp.clone()
mp.dps = 40
random = np.random.default_rng(3)
POINTS = np.concatenate([np.linspace(0.01, 40.0, 120), 10.0 ** random.uniform(-6, 4, 60)])

#: Function, exact one, whether it has zeros and is measured by its waves, bound in ulp.
ONE = {
    "bessel_j0": (lambda x: mp.besselj(0, x), True, 8),
    "bessel_j1": (lambda x: mp.besselj(1, x), True, 8),
    "bessel_y0": (lambda x: mp.bessely(0, x), True, 40),
    "bessel_y1": (lambda x: mp.bessely(1, x), True, 8),
    "modified_bessel_k0": (lambda x: mp.besselk(0, x), False, 8),
    "modified_bessel_k1": (lambda x: mp.besselk(1, x), False, 8),
    "scaled_modified_bessel_k0": (lambda x: mp.besselk(0, x) * mp.exp(x), False, 8),
    "scaled_modified_bessel_k1": (lambda x: mp.besselk(1, x) * mp.exp(x), False, 8),
    "spherical_bessel_j0": (lambda x: mp.sin(x) / x, True, 8),
}


@pytest.mark.parametrize("name", ONE)
def test_error_in_float64_stays_within_the_promise(name):
    exact, waves, bound = ONE[name]
    points = POINTS[POINTS < 600] if "modified" in name else POINTS
    for x, got in zip(points, KERNELS[name](points), strict=True):
        true = exact(mp.mpf(float(x)))
        scale = abs(true)
        if waves and x > 1:
            scale = max(scale, mp.sqrt(2 / (mp.pi * x)) if "bessel_" in name[:7] else 1 / x)
        assert abs(mp.mpf(float(got)) - true) <= bound * ULP * scale, f"{name}({x})"


@pytest.mark.parametrize(("name", "slope"), [("airy_ai", 0), ("airy_ai_slope", 1)])
def test_airy_function_stays_within_the_promise(name, slope):
    points = np.concatenate([np.linspace(-60.0, 20.0, 300), random.uniform(-4, 1, 60), [-4.0, 1.0]])
    for x, got in zip(points, KERNELS[name](points), strict=True):
        true = mp.airyai(mp.mpf(float(x)), derivative=slope)
        wave = abs(x) ** (0.25 if slope else -0.25) if x < -1 else 1.0
        scale = abs(true) if x > 1 else wave
        bound = 2.0 if -4 <= x <= 1 else 2.0 + abs(x) ** 1.5
        assert abs(mp.mpf(float(got)) - true) <= bound * ULP * scale, f"{name}({x})"


def test_zeta_stays_within_the_promise():
    s, q = 1 + 10.0 ** random.uniform(-2, 1, 80), 10.0 ** random.uniform(-2, 3, 80)
    for a, b, got in zip(s, q, KERNELS["zeta"](s, q), strict=True):
        true = mp.zeta(float(a), float(b))
        assert abs(float(got) - true) <= 8 * ULP * abs(true), f"zeta({a}, {b})"


@pytest.mark.parametrize(("name", "lower"), [("igamma", True), ("igammac", False)])
def test_incomplete_gamma_functions_stay_within_the_promise(name, lower):
    a = 10.0 ** random.uniform(-2, 2.5, 150)
    x = a * 10.0 ** random.uniform(-1, 0.7, 150)
    for p, y, got in zip(a, x, KERNELS[name](a, x), strict=True):
        ends = (0, float(y)) if lower else (float(y), mp.inf)
        true = mp.gammainc(float(p), *ends, regularized=True)
        if true > 1e-10:
            assert abs(float(got) - true) <= 100 * ULP * true, f"{name}({p}, {y})"


ENDS = {
    "bessel_j0": [(0.0, 1.0), (INF, 0.0), (NAN, NAN)],
    "bessel_j1": [(0.0, 0.0), (-INF, 0.0), (NAN, NAN)],
    "bessel_y0": [(0.0, -INF), (-1.0, NAN), (INF, 0.0), (NAN, NAN)],
    "bessel_y1": [(0.0, -INF), (-1.0, NAN), (INF, 0.0), (NAN, NAN)],
    "modified_bessel_k0": [(0.0, INF), (-1.0, NAN), (INF, 0.0), (NAN, NAN)],
    "modified_bessel_k1": [(0.0, INF), (-1.0, NAN), (INF, 0.0), (NAN, NAN)],
    "spherical_bessel_j0": [(0.0, 1.0), (INF, 0.0), (NAN, NAN)],
}


@pytest.mark.parametrize("name", ENDS)
def test_zeros_infinities_and_what_is_no_number(name):
    points, expected = map(np.array, zip(*ENDS[name], strict=True))

    with np.errstate(all="ignore"):
        assert np.array_equal(KERNELS[name](points), expected, equal_nan=True)


def test_incomplete_gamma_functions_at_their_ends():
    a = np.array([0.0, 0.0, 1.0, 1.0, INF, -1.0, 2.0])
    x = np.array([0.0, 1.0, 0.0, INF, 1.0, 1.0, -1.0])

    with np.errstate(all="ignore"):
        lower, upper = KERNELS["igamma"](a, x), KERNELS["igammac"](a, x)
    assert np.array_equal(lower, [NAN, 1, 0, 1, 0, NAN, NAN], equal_nan=True)
    assert np.array_equal(upper, [NAN, 0, 1, 0, 1, NAN, NAN], equal_nan=True)


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shape_and_dtype_are_kept(name, dtype):
    for shape in ((), (0, 3), (2, 3)):
        got = KERNELS[name](np.full(shape, 0.25, dtype))

        assert (got.shape, got.dtype) == (shape, np.dtype(dtype))
