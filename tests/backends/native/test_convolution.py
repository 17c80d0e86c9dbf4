"""Convolutions in C: against NumPy's in double precision, over sizes, options and layouts."""

from __future__ import annotations

import numpy as np
import pytest

RTOL = {"float32": 3e-5, "float64": 1e-12}
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])

#: Samples, channels in and out, groups, size, kernel, stride, padding, dilation, what is added.
CASES = [
    (2, 3, 4, 1, (7, 9), (3, 3), (1, 1), (1, 1), (1, 1), (0, 0)),
    (2, 4, 6, 2, (7, 9), (3, 3), (1, 1), (1, 1), (1, 1), (0, 0)),
    (1, 8, 8, 8, (7, 9), (3, 3), (1, 1), (1, 1), (1, 1), (0, 0)),
    (2, 8, 16, 8, (7, 9), (3, 2), (2, 1), (1, 0), (1, 2), (1, 1)),
    (1, 1, 5, 1, (28, 30), (3, 3), (1, 1), (1, 1), (1, 1), (0, 0)),
    (3, 16, 8, 1, (20, 21), (3, 3), (1, 1), (1, 1), (1, 1), (0, 0)),
    (3, 16, 8, 1, (20, 21), (3, 3), (2, 3), (1, 2), (1, 1), (1, 0)),
    (3, 16, 40, 1, (20, 20), (1, 1), (1, 1), (0, 0), (1, 1), (0, 0)),
    (3, 16, 40, 1, (20, 20), (1, 1), (2, 2), (0, 0), (1, 1), (1, 1)),
    (2, 6, 5, 1, (11, 12), (3, 2), (1, 1), (0, 0), (2, 2), (0, 0)),
    (2, 6, 5, 1, (11, 12), (3, 2), (3, 3), (2, 2), (2, 2), (0, 1)),
    (19, 6, 5, 1, (11, 12), (3, 2), (1, 1), (4, 4), (1, 1), (0, 0)),
    (2, 40, 6, 1, (7, 9), (3, 3), (1, 1), (0, 0), (1, 1), (0, 0)),
    (2, 3, 2, 1, (4, 4), (4, 4), (1, 1), (0, 0), (1, 1), (0, 0)),
    (1, 2, 2, 1, (1, 1), (1, 1), (1, 1), (0, 0), (1, 1), (0, 0)),
    (1, 64, 33, 1, (40, 41), (5, 5), (1, 1), (2, 2), (1, 1), (0, 0)),
    (3, 16, 24, 1, (20, 21), (3, 3), (1, 1), (1, 1), (1, 1), (0, 0)),
    (9, 32, 17, 1, (7, 7), (3, 3), (1, 1), (1, 1), (1, 1), (0, 0)),
    (1, 16, 16, 1, (40, 300), (3, 3), (1, 1), (0, 2), (1, 1), (0, 0)),
    (4, 19, 33, 1, (11, 14), (3, 3), (1, 1), (2, 0), (1, 1), (0, 0)),
    (2, 3, 4, 1, (9,), (3,), (1,), (1,), (1,), (0,)),
    (2, 24, 4, 1, (90,), (7,), (2,), (100,), (3,), (1,)),
    (2, 24, 48, 1, (90,), (1,), (1,), (0,), (1,), (0,)),
]
#: Those with so many channels that windows of three by three take fewer products: winograd.c.
QUICK = [case for case in CASES if min(case[1:3]) >= 16 and case[5:7] == ((3, 3), (1, 1))]
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_way = pytest.mark.parametrize("transposed", [False, True], ids=["plain", "transposed"])


def arguments(case, transposed, dtype):
    """Return arrays ``x``, ``weight`` and ``bias``, and options; skip where none fit."""
    samples, inside, out, groups, size, kernel, stride, padding, dilation, more = case
    if not transposed:
        more = (0,) * len(size)
    rng = np.random.default_rng(0)
    pair = (inside, out // groups) if transposed else (out, inside // groups)
    x, weight, bias = (
        rng.normal(size=shape).astype(dtype)
        for shape in ((samples, inside, *size), (*pair, *kernel), (out,))
    )
    keywords = {
        "stride": stride, "padding": padding, "dilation": dilation, "transposed": transposed,
        "output_padding": more, "groups": groups,
    }  # fmt: skip
    sizes = zip(size, kernel, stride, padding, dilation, more, strict=True)
    if transposed and any(
        (n - 1) * s - 2 * p + d * (k - 1) + o + 1 < 1 for n, k, s, p, d, o in sizes
    ):
        pytest.skip("no size is left when so much padding is taken away")
    return (x, weight, bias), keywords


@each_dtype
@each_way
@each_case
def test_convolutions_and_their_gradients_are_those_of_numpy(agree, case, transposed, dtype):
    (x, weight, bias), keywords = arguments(case, transposed, dtype)
    options = tuple(keywords.values())
    out = agree("cr::_convolution", (x, weight, bias), keywords, RTOL[dtype])
    agree("cr::_convolution", (x, weight, None), keywords, RTOL[dtype])
    grad = np.random.default_rng(1).normal(size=out.shape).astype(dtype)

    by_input = {"input_sizes": x.shape, "options": options}
    agree("cr::convolution_backward_input", (grad, weight), by_input, RTOL[dtype])
    by_weight = {"weight_sizes": weight.shape, "options": options}
    agree("cr::convolution_backward_weight", (grad, x), by_weight, RTOL[dtype])


@each_dtype
@each_way
def test_layout_changes_no_bit(native, laid_out, layout, transposed, dtype):
    (x, weight, bias), keywords = arguments(CASES[5], transposed, dtype)
    plain = native("cr::_convolution")(x, weight, bias, **keywords)
    laid = [laid_out(array, layout) for array in (x, weight, bias)]

    np.testing.assert_array_equal(native("cr::_convolution")(*laid, **keywords), plain)


@each_way
@pytest.mark.parametrize(
    "case", [CASES[0], CASES[5], CASES[6], CASES[7], CASES[11], QUICK[0]], ids=str
)
def test_the_number_of_threads_changes_no_bit(whatever_the_threads, native, case, transposed):
    (x, weight, bias), keywords = arguments((40, *case[1:]), transposed, "float32")
    options = tuple(keywords.values())
    grad = native("cr::_convolution")(x, weight, bias, **keywords)

    whatever_the_threads("cr::_convolution", (x, weight, bias), keywords)
    by_input = {"input_sizes": x.shape, "options": options}
    whatever_the_threads("cr::convolution_backward_input", (grad, weight), by_input)
    by_weight = {"weight_sizes": weight.shape, "options": options}
    whatever_the_threads("cr::convolution_backward_weight", (grad, x), by_weight)


@each_way
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", [CASES[4], CASES[5], CASES[6], CASES[7], *QUICK], ids=str)
def test_what_is_no_number_reaches_the_windows_that_see_it(
    native, reference, case, transposed, special, dtype
):
    (x, weight, bias), keywords = arguments(case, transposed, dtype)
    x[0, 0, 3, 4] = special
    found = native("cr::_convolution")(x, weight, bias, **keywords)
    with np.errstate(invalid="ignore"):
        expected = reference("cr::_convolution")(x, weight, bias, **keywords)

    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
    assert np.isfinite(found).any() or case[5] == (1, 1)


@each_way
@pytest.mark.parametrize("case", QUICK, ids=str)
def test_gradients_of_what_is_no_number_and_of_large_numbers_are_those_of_numpy(
    native, reference, case, transposed
):
    (x, weight, bias), keywords = arguments(case, transposed, "float32")
    options = tuple(keywords.values())
    grad = np.ones_like(native("cr::_convolution")(x, weight, bias, **keywords))
    for special in (np.nan, np.inf, np.float32(3e38)):
        grad[0, 0, 3, 4] = special
        for op, arrays, sizes in (
            ("cr::convolution_backward_input", (grad, weight), {"input_sizes": x.shape}),
            ("cr::convolution_backward_weight", (grad, x), {"weight_sizes": weight.shape}),
        ):
            found = native(op)(*arrays, **sizes, options=options)
            with np.errstate(all="ignore"):
                expected = reference(op)(*arrays, **sizes, options=options)
            np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
            np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))


@pytest.mark.parametrize("empty", ["samples", "channels", "size"])
def test_empty_arrays_are_passed_on(native, declined, empty):
    (x, weight, bias), keywords = arguments(CASES[0], False, "float32")
    cut = {"samples": x[:0], "channels": x[:, :0], "size": x[:, :, :0]}[empty]
    with pytest.raises(declined):
        native("cr::_convolution")(cut, weight, bias, **keywords)


def test_what_is_no_plain_convolution_of_floats_is_passed_on(native, declined):
    (x, weight, bias), keywords = arguments(CASES[0], False, "float32")
    for args, change in (
        ((x.astype("float16"), weight, bias), {}), ((x, weight.astype("float64"), bias), {}),
        ((x, weight, bias.astype("int32")), {}), ((x[None], weight[None], bias), {}),
        ((x, weight, bias[:2]), {}), ((x, weight, bias), {"stride": (0, 1)}),
        ((x, weight, bias), {"padding": (-1, 0)}), ((x, weight, bias), {"groups": 3}),
        ((x, weight, bias), {"stride": [1, 1]}), ((x, weight), {}), ((x[:, :1], weight, bias), {}),
        ((x[:, :, :2], weight, bias), {"padding": (0, 0)}),
    ):  # fmt: skip
        with pytest.raises(declined):
            native("cr::_convolution")(*args, **{**keywords, **change})


def test_gradients_of_sizes_that_do_not_fit_are_passed_on(native, declined):
    (x, weight, bias), keywords = arguments(CASES[0], False, "float32")
    options = tuple(keywords.values())
    grad = native("cr::_convolution")(x, weight, bias, **keywords)
    for sizes in ((2, 3, 5, 9), (2, 4, 7, 9), (2, 3, 7), (2, 3, 7, -9)):
        with pytest.raises(declined):
            native("cr::convolution_backward_input")(
                grad, weight, input_sizes=sizes, options=options
            )
    for sizes in ((4, 3, 9, 3), (3, 3, 3, 3), (4, 3, 3)):
        with pytest.raises(declined):
            native("cr::convolution_backward_weight")(grad, x, weight_sizes=sizes, options=options)
