"""Pooling in C: against NumPy's in double precision, over windows, sizes and layouts."""

from __future__ import annotations

import numpy as np
import pytest

each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
RTOL = {"float32": 1e-6, "float64": 1e-14}

#: Shape, kernel, stride (empty: the kernel), padding, dilation, whether to round up.
MAXIMA = [
    ((2, 3, 8, 10), (2, 2), (), (0, 0), (1, 1), False),
    ((3, 7, 9), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((3, 7, 9), (2, 2), (2, 2), (0, 0), (1, 1), True),
    ((2, 3, 7, 9), (3, 3), (2, 2), (1, 1), (1, 1), False),
    ((2, 3, 7, 9), (3, 2), (1, 3), (1, 1), (1, 1), True),
    ((2, 3, 7, 9), (3, 2), (1, 2), (0, 0), (2, 3), True),
    ((40, 5, 12, 70), (3, 3), (1, 1), (1, 1), (1, 1), False),
    ((5, 1, 30), (1, 3), (1, 2), (0, 1), (1, 1), False),
    ((1, 1, 1), (1, 1), (), (0, 0), (1, 1), False),
]
each_maximum = pytest.mark.parametrize("case", MAXIMA, ids=str)

#: Shape, kernel, stride, padding, whether to round up, whether padding counts, the divisor.
MEANS = [
    ((2, 3, 8, 10), (2, 2), (), (0, 0), False, True, None),
    ((3, 7, 9), (2, 3), (2, 1), (0, 0), True, True, None),
    ((2, 3, 7, 9), (3, 3), (2, 2), (1, 1), False, True, None),
    ((2, 3, 7, 9), (3, 3), (2, 2), (1, 1), True, False, None),
    ((2, 3, 7, 9), (3, 2), (1, 3), (1, 1), True, True, 5),
    ((2, 3, 7, 9), (3, 2), (1, 3), (1, 1), True, False, -2),
    ((40, 5, 12, 70), (7, 7), (1, 1), (3, 3), False, False, None),
    ((1, 1, 1), (1, 1), (), (0, 0), False, True, None),
]
each_mean = pytest.mark.parametrize("case", MEANS, ids=str)


def numbers(shape, dtype, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def maximum(case, dtype):
    """Return the array and the keywords of a maximum."""
    shape, kernel, stride, padding, dilation, ceil = case
    keywords = {
        "kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation,
        "ceil_mode": ceil,
    }  # fmt: skip
    return numbers(shape, dtype), keywords


def mean(case, dtype):
    """Return the array and the keywords of a mean."""
    shape, kernel, stride, padding, ceil, include, divisor = case
    keywords = {
        "kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil,
        "count_include_pad": include, "divisor_override": divisor,
    }  # fmt: skip
    return numbers(shape, dtype), keywords


@each_dtype
@each_maximum
def test_largest_elements_and_their_places_are_those_of_numpy(agree, case, dtype):
    x, keywords = maximum(case, dtype)
    _, places = agree("cr::_max_pool2d_with_indices", (x,), keywords, 0)

    agree("cr::_pool_gather", (x, places), {"spatial": 2}, 0)
    grad = numbers(places.shape, dtype, 1)
    added = {"sizes": x.shape, "spatial": 2, "apart": False}
    agree("cr::_pool_scatter", (grad, places), added, RTOL[dtype])
    if case in MAXIMA[:3]:
        agree("cr::_pool_scatter", (grad, places), {**added, "apart": True}, 0)


@each_dtype
@each_maximum
def test_nan_wins_and_ties_go_to_the_first(native, reference, case, dtype):
    x, keywords = maximum(case, dtype)
    x = np.round(x)
    rng = np.random.default_rng(2)
    for special in (np.nan, -np.inf, np.inf):
        x[rng.random(x.shape) < 0.2] = special
    if x.ndim == 4:
        x[0] = -np.inf
    found = native("cr::_max_pool2d_with_indices")(x, **keywords)
    expected = reference("cr::_max_pool2d_with_indices")(x, **keywords)

    for mine, ours in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, ours)


@each_dtype
@each_mean
def test_means_and_their_gradients_are_those_of_numpy(agree, case, dtype):
    x, keywords = mean(case, dtype)
    out = agree("cr::_avg_pool2d", (x,), keywords, RTOL[dtype])
    grad = numbers(out.shape, dtype, 1)
    options = {"input_sizes": x.shape, "options": tuple(keywords.values())}
    agree("cr::avg_pool_backward", (grad,), options, RTOL[dtype])


def test_layout_changes_no_bit(native, laid_out, layout):
    for op, (x, keywords) in (
        ("cr::_max_pool2d_with_indices", maximum(MAXIMA[3], "float32")),
        ("cr::_avg_pool2d", mean(MEANS[3], "float32")),
    ):
        plain, found = native(op)(x, **keywords), native(op)(laid_out(x, layout), **keywords)
        for mine, ours in zip(found, plain, strict=True):
            np.testing.assert_array_equal(mine, ours)


def test_the_number_of_threads_changes_no_bit(whatever_the_threads, native):
    x, keywords = maximum(MAXIMA[6], "float32")
    whatever_the_threads("cr::_max_pool2d_with_indices", (x,), keywords)
    grad, places = native("cr::_max_pool2d_with_indices")(x, **keywords)
    added = {"sizes": x.shape, "spatial": 2, "apart": False}
    whatever_the_threads("cr::_pool_scatter", (grad, places), added)
    x, keywords = mean(MEANS[6], "float32")
    whatever_the_threads("cr::_avg_pool2d", (x,), keywords)
    options = {"input_sizes": x.shape, "options": tuple(keywords.values())}
    whatever_the_threads("cr::avg_pool_backward", (grad,), options)


@pytest.mark.parametrize("wrong", [-1, 80, 2**62])
def test_places_outside_of_a_plane_are_passed_on(native, declined, wrong):
    x, keywords = maximum(MAXIMA[0], "float32")
    best, places = native("cr::_max_pool2d_with_indices")(x, **keywords)
    places[1, 2, 0, 0] = wrong
    with pytest.raises(declined):
        native("cr::_pool_scatter")(best, places, sizes=x.shape, spatial=2, apart=True)
    with pytest.raises(declined):
        native("cr::_pool_gather")(x, places, spatial=2)


def test_what_is_no_plain_pooling_of_floats_is_passed_on(native, declined):
    x, keywords = maximum(MAXIMA[0], "float32")
    for array, change in (
        (x.astype("int32"), {}), (x.astype("float16"), {}), (x[:0], {}), (x[..., :0], {}),
        (x[0, 0, 0], {}),
        (x, {"padding": (2, 0)}), (x, {"stride": (0, 1)}), (x, {"kernel_size": (2, 2, 2)}),
        (x, {"kernel_size": 2}), (x, {"dilation": (0, 1)}), (x, {"kernel_size": (20, 2)}),
        (x, {"kernel_size": (3, 3), "padding": (1, 1), "dilation": (4, 4)}),
    ):  # fmt: skip
        with pytest.raises(declined):
            native("cr::_max_pool2d_with_indices")(array, **{**keywords, **change})


def test_gradients_of_shapes_that_do_not_fit_are_passed_on(native, declined):
    x, keywords = mean(MEANS[0], "float32")
    options = tuple(keywords.values())
    grad = native("cr::_avg_pool2d")(x, **keywords)
    for sizes in ((2, 3, 8, 13), (2, 4, 8, 10), (3, 8, 10), (2, 3, 8, 0)):
        with pytest.raises(declined):
            native("cr::avg_pool_backward")(grad, input_sizes=sizes, options=options)
