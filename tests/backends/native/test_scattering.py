"""Gathering and scattering in C: against NumPy's kernels, and never out of bounds."""

from __future__ import annotations

import numpy as np
import pytest

FLOATS = ("float32", "float64")
ADDED = (*FLOATS, "int32", "int64")
MOVED = (*ADDED, "bool", "uint8", "float16", "complex64", "complex128")
each_index = pytest.mark.parametrize("index", ["int64", "int32"])
#: The shape of the array, the shape of the places, the dimension.
CHOICES = [
    ((5,), (7,), 0), ((5,), (0,), 0), ((3, 4), (3, 6), 1), ((3, 4), (2, 4), 0),
    ((3, 4), (1, 2), -2), ((2, 5, 3), (2, 9, 3), 1), ((2, 5, 3), (1, 4, 2), 1),
    ((2, 3, 40), (2, 3, 50), -1), ((1, 1), (1, 1), 0),
]  # fmt: skip
each_choice = pytest.mark.parametrize(("shape", "places", "dim"), CHOICES, ids=str)


def numbers(shape, dtype, seed=0):
    """Return numbers, among floats also infinities and NaN."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 50, shape).astype(dtype)
    if x.dtype.kind == "f" and x.size > 4:
        x.reshape(-1)[:3] = np.inf, -np.inf, np.nan
    return x


def chosen(shape, places, dim, dtype):
    return np.random.default_rng(1).integers(0, shape[dim], places).astype(dtype)


@each_choice
@each_index
@pytest.mark.parametrize("dtype", MOVED)
def test_elements_are_gathered(native, reference, shape, places, dim, index, dtype):
    x, where = numbers(shape, dtype), chosen(shape, places, dim, index)
    found = native("cr::_gather")(x, where, dim=dim)

    np.testing.assert_array_equal(found, reference("cr::_gather")(x, where, dim=dim))
    assert found.dtype == dtype


@each_choice
@each_index
@pytest.mark.parametrize("dtype", ADDED)
def test_elements_are_added_in_the_order_of_numpys(
    native, reference, shape, places, dim, index, dtype
):
    x, where, source = (
        numbers(shape, dtype), chosen(shape, places, dim, index), numbers(places, dtype, 2),
    )  # fmt: skip
    sizes = {"input_sizes": shape, "dim": dim}
    for op, arrays, keywords in (
        ("cr::_scatter_add", (x, where, source), {"dim": dim}),
        ("cr::gather_backward", (source, where), sizes),
    ):
        found, expected = (of(op)(*arrays, **keywords) for of in (native, reference))
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == dtype


@each_choice
@pytest.mark.parametrize("dtype", MOVED)
def test_of_elements_put_in_one_place_the_last_stays(native, reference, shape, places, dim, dtype):
    x, where, source = (
        numbers(shape, dtype), chosen(shape, places, dim, "i8"), numbers(places, dtype, 2),
    )  # fmt: skip
    found = native("cr::_scatter")(x, where, source, dim=dim)

    np.testing.assert_array_equal(found, reference("cr::_scatter")(x, where, source, dim=dim))


ROWS = [((5,), 0), ((5, 3), 0), ((5, 3), 1), ((2, 5, 33), 1), ((2, 5, 3), -1), ((4, 1), 0)]
each_row = pytest.mark.parametrize(("shape", "dim"), ROWS, ids=str)


@each_row
@each_index
@pytest.mark.parametrize("count", [0, 1, 9])
@pytest.mark.parametrize("dtype", MOVED)
def test_rows_are_selected(native, reference, shape, dim, count, index, dtype):
    x, where = numbers(shape, dtype), chosen(shape, (count,), dim, index)
    found = native("cr::_index_select")(x, where, dim=dim)

    np.testing.assert_array_equal(found, reference("cr::_index_select")(x, where, dim=dim))
    assert found.dtype == dtype


@each_row
@each_index
@pytest.mark.parametrize("count", [0, 1, 9])
@pytest.mark.parametrize("dtype", ADDED)
def test_rows_are_added_in_the_order_of_numpys(native, reference, shape, dim, count, index, dtype):
    some = tuple(count if d == dim % len(shape) else n for d, n in enumerate(shape))
    x, where, source = (
        numbers(shape, dtype), chosen(shape, (count,), dim, index), numbers(some, dtype, 2),
    )  # fmt: skip
    calls = [
        ("cr::_index_add", (x, where, source), {"dim": dim}),
        ("cr::index_select_backward", (source, where), {"input_sizes": shape, "dim": dim}),
    ]
    if dtype in FLOATS:
        calls.append(("cr::_index_add", (x, where, source), {"dim": dim, "alpha": -2.5}))
    for op, arrays, keywords in calls:
        found, expected = (of(op)(*arrays, **keywords) for of in (native, reference))
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == dtype


def test_no_layout_makes_a_difference(native, reference, laid_out, layout):
    shape, x = (4, 6), numbers((4, 6), "float64")
    where, source = chosen(shape, shape, 1, "i8"), numbers(shape, "float64", 2)
    rows = chosen(shape, (6,), 1, "i8")
    for op, arrays, keywords in (
        ("cr::_gather", (x, where), {"dim": 1}),
        ("cr::gather_backward", (x, where), {"dim": 1, "input_sizes": shape}),
        ("cr::_scatter", (x, where, source), {"dim": 1}),
        ("cr::_scatter_add", (x, where, source), {"dim": 1}),
        ("cr::_index_select", (x, rows), {"dim": 1}),
        ("cr::_index_add", (x, rows, source), {"dim": 1}),
    ):
        before = [a.copy() for a in arrays]
        found = native(op)(*(laid_out(a, layout) for a in arrays), **keywords)
        np.testing.assert_array_equal(found, reference(op)(*arrays, **keywords))
        for array, old in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("wrong", [5, -1, 2**40, -(2**63)])
def test_places_that_are_none_are_passed_on_without_a_look(native, declined, wrong):
    x, where = np.zeros((5, 5)), np.full((5, 5), 2)
    where[3, 3] = wrong
    for op, arrays, keywords in (
        ("cr::_gather", (x, where), {}),
        ("cr::gather_backward", (x, where), {"input_sizes": (5, 5)}),
        ("cr::_scatter", (x, where, x), {}),
        ("cr::_scatter_add", (x, where, x), {}),
        ("cr::_index_select", (x, where[3]), {}),
        ("cr::_index_add", (x, where[3], x), {}),
        ("cr::index_select_backward", (x, where[3]), {"input_sizes": (5, 5)}),
    ):
        for dim in (0, 1):
            with pytest.raises(declined):
                native(op)(*arrays, dim=dim, **keywords)


FITS, FLAT = np.zeros((2, 3), "i8"), np.zeros(3, "i8")
UNFIT = {
    "dim": ("cr::_gather", (np.zeros((2, 3)), FITS), {"dim": 2}),
    "no dim": ("cr::_gather", (np.zeros((2, 3)), FITS), {}),
    "0-d": ("cr::_gather", (np.zeros(()), np.zeros((), "i8")), {"dim": 0}),
    "dimensions": ("cr::_gather", (np.zeros((2, 3)), FLAT), {"dim": 0}),
    "larger": ("cr::_gather", (np.zeros((1, 3)), FITS), {"dim": 1}),
    "places": ("cr::_gather", (np.zeros((2, 3)), FITS.astype("f8")), {"dim": 0}),
    "objects": ("cr::_gather", (np.zeros((2, 3), object), FITS), {"dim": 0}),
    "swapped": ("cr::_gather", (np.zeros((2, 3), ">f8"), FITS), {"dim": 0}),
    "half": (
        "cr::_scatter_add",
        (np.zeros((2, 3), "f2"), FITS, np.zeros((2, 3), "f2")),
        {"dim": 0},
    ),
    "source": ("cr::_scatter_add", (np.zeros((2, 3)), FITS, np.zeros((2, 2))), {"dim": 0}),
    "dtypes": ("cr::_scatter_add", (np.zeros((2, 3)), FITS, np.zeros((2, 3), "f4")), {"dim": 0}),
    "sizes": ("cr::gather_backward", (np.zeros((2, 3)), FITS), {"dim": 0, "input_sizes": (2,)}),
    "negative": (
        "cr::gather_backward",
        (np.zeros((2, 3)), FITS),
        {"dim": 0, "input_sizes": (2, -3)},
    ),
    "rows": ("cr::_index_add", (np.zeros((2, 3)), FLAT, np.zeros((2, 3))), {"dim": 0}),
    "whole": ("cr::_index_add", (FITS, FLAT[:2], FITS), {"dim": 0, "alpha": 2}),
    "width": (
        "cr::index_select_backward",
        (np.zeros((3, 2)), FLAT),
        {"dim": 0, "input_sizes": (4, 3)},
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_does_not_fit_is_passed_on(native, declined, case):
    op, arrays, keywords = UNFIT[case]
    with pytest.raises(declined):
        native(op)(*arrays, **keywords)
