"""Sums and means in C: against NumPy's in double precision."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
SHAPES = [
    (), (1,), (9,), (40_000,), (200_003,), (3, 5), (70, 1100), (3, 4, 5), (2, 3, 4, 5),
    (130, 7, 900), (1, 6), (6, 1), (5, 1, 4), (2, 2, 2, 2, 2),
]  # fmt: skip


def places(ndim):
    """Return all choices of dimensions."""
    for count in range(ndim + 1):
        yield from itertools.combinations(range(ndim), count)


def close(result, exact, count):
    """Check against sums in double precision; numbers are about 1, so errors are absolute, too."""
    unit = np.finfo(result.dtype).eps
    assert result.shape == exact.shape
    np.testing.assert_allclose(result, exact, rtol=8 * unit, atol=8 * unit * max(count, 1) ** 0.5)


@each_dtype
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums_and_means_over_every_choice_of_dimensions(native, declined, shape, dtype):
    x = np.asarray(np.random.default_rng(0).normal(0, 1, shape), dtype)
    for dim, keepdim in itertools.product(places(x.ndim), (False, True)):
        count = int(np.prod([shape[d] for d in dim or range(x.ndim)]))
        axis = dim or None
        try:
            total = native("cr::_sum")(x, dim=dim, keepdim=keepdim)
            mean = native("cr::_mean")(x, dim=dim, keepdim=keepdim)
        except declined:
            assert x.ndim > 3  # they alternate too often
            continue
        close(total, np.asarray(np.sum(x, axis, "g", keepdims=keepdim)), count)
        close(mean, np.asarray(np.mean(x, axis, "g", keepdims=keepdim)), 1)
        assert total.dtype == mean.dtype == dtype


@each_dtype
def test_a_long_sum_is_as_exact_as_numpys(native, dtype):
    x = np.full(3_000_000, 0.1, dtype)
    exact = float(x[0].astype("f8")) * x.size

    assert abs(float(native("cr::_sum_all")(x)) - exact) <= 4 * np.finfo(dtype).eps * exact
    columns = native("cr::_sum")(x.reshape(100_000, 30), dim=(0,))
    np.testing.assert_allclose(columns, exact / 30, rtol=8 * np.finfo(dtype).eps)


def test_infinities_and_nan_are_summed_as_numpys(native):
    for values in ([np.inf, 1], [np.inf, -np.inf], [np.nan, 1], [-0.0, -0.0], [-0.0]):
        x = np.array(values)
        with np.errstate(all="ignore"):
            expected = x.sum()
        np.testing.assert_array_equal(native("cr::_sum_all")(x), expected)
        assert np.signbit(native("cr::_sum_all")(x)) == np.signbit(expected)


@pytest.mark.parametrize(
    "x",
    [
        np.zeros(0), np.zeros((0, 3)), np.zeros((3, 4)).T, np.zeros((4, 4))[::2],
        np.zeros(3, "i2"), np.zeros((3, 4), "i8").T, np.zeros(3, ">i8"), np.zeros(3, "f2"), 1.0,
    ],
    ids=[
        "empty", "no rows", "transposed", "strided", "short", "integers", "swapped", "half",
        "number",
    ],
)  # fmt: skip
def test_what_is_no_contiguous_array_is_passed_on(native, declined, x):
    with pytest.raises(declined):
        native("cr::_sum_all")(x)


@pytest.mark.parametrize("dtype", ["?", "u1", "i4", "i8"])
@pytest.mark.parametrize("shape", [(), (0,), (3, 5), (70_001,)])
def test_integers_and_bools_are_summed_as_int64_and_wrap_around(native, shape, dtype):
    bits = np.random.default_rng(0).integers(0, 256, (*shape, 8), "u1")
    x = np.ascontiguousarray(bits).view("i8")[..., 0].astype(dtype)
    total = native("cr::_sum_all")(x)

    assert (total.dtype, total.shape) == (np.int64, ())
    assert total == np.sum(x, dtype="i8")


@pytest.mark.parametrize("dim", [(2,), (-3,), (0, 0), "0", (0.0,), (0, "1")])
def test_dimensions_that_are_none_are_passed_on(native, declined, dim):
    with pytest.raises(declined):
        native("cr::_sum")(np.zeros((2, 3)), dim=dim)


@each_dtype
def test_the_number_of_threads_changes_no_bit(whatever_the_threads, dtype):
    x = np.random.default_rng(0).normal(0, 1, (60, 70, 200)).astype(dtype)
    for dim in places(3):
        whatever_the_threads("cr::_sum", (x,), {"dim": dim})
