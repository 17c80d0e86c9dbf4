"""Casts between half and single precision in C: every number as NumPy's, and whole networks."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import chainrule as cr

HALF, SINGLE = np.dtype("f2").num, np.dtype("f4").num


@pytest.fixture
def cast(core):
    """Return the function, where this CPU has instructions for it."""
    if core.cast(np.zeros(1, "f2"), SINGLE) is None:
        pytest.skip("these instructions convert no halves: NumPy does")
    return core.cast


def narrowed(x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of overflow, which is meant
        return x.astype("f2")


def test_every_half_is_widened(cast):
    halves = np.arange(1 << 16, dtype="u2").view("f2")
    np.testing.assert_array_equal(cast(halves, SINGLE), halves.astype("f4"))


def test_singles_are_rounded_to_the_nearest_half(cast):
    halves = np.arange(1 << 16, dtype="u2").view("f2").astype("f4")
    finite = np.sort(halves[np.isfinite(halves)])
    between = (finite[1:] + finite[:-1]) / 2  # ties, to the even one
    more = np.random.default_rng(0).integers(0, 1 << 32, 100_001, dtype="u4").view("f4")
    for x in (halves, between, np.nextafter(between, np.float32(np.inf)), more):
        np.testing.assert_array_equal(cast(x, HALF), narrowed(x))


@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (8,), (9,), (3, 5), (300, 301)], ids=str)
@pytest.mark.parametrize("place", ["contiguous", "shifted"])
def test_every_shape_is_cast(cast, laid_out, place, shape):
    x = np.asarray(np.random.default_rng(0).normal(size=shape), "f4")
    halves = narrowed(x)
    found = cast(laid_out(x, place), HALF), cast(laid_out(halves, place), SINGLE)

    np.testing.assert_array_equal(found[0], halves)
    np.testing.assert_array_equal(found[1], halves.astype("f4"))
    assert [a.dtype for a in found] == ["f2", "f4"]
    assert found[0].shape == found[1].shape == shape


@pytest.mark.parametrize(
    ("array", "number"),
    [
        (np.zeros(3, "f8"), HALF),
        (np.zeros(3, "f4"), SINGLE),
        (np.zeros(3, "i4"), SINGLE),
        ([1.0], HALF),
    ],
    ids=["double", "same", "integers", "list"],
)
def test_other_casts_are_left_to_numpy(core, array, number):
    assert core.cast(array, number) is None


def test_tensors_are_cast_and_their_gradients_back():
    with cr.using("native"):
        x = cr.randn(100, requires_grad=True)
        y = x.half()
        y.float().sum().backward()

    assert (y.dtype, x.grad.dtype) == (cr.float16, cr.float32)
    np.testing.assert_array_equal(y.detach().numpy(), narrowed(x.detach().numpy()))
    assert (x.grad == 1).all()
