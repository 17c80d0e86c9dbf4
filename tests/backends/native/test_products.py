"""Products of matrices in C: against NumPy's in double precision, over sizes and layouts."""

from __future__ import annotations

import numpy as np
import pytest

each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
RTOL = {"float32": 1e-5, "float64": 1e-13}

#: Rows, inner dimension, columns.
SIZES = [
    (1, 1, 1),
    (3, 4, 5),
    (1, 70, 1),
    (70, 1, 70),
    (600, 33, 70),
    (40, 128, 900),
    (129, 700, 128),
]
each_size = pytest.mark.parametrize("sizes", SIZES, ids=str)


def numbers(*shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@each_dtype
@each_size
@pytest.mark.parametrize("layout", ["contiguous", "transposed", "shifted"])  # what a BLAS takes
def test_products_are_those_of_numpy(agree, laid_out, layout, sizes, dtype):
    n, k, m = sizes
    x, y = numbers(n, k, dtype=dtype), numbers(k, m, dtype=dtype, seed=1)
    rtol = RTOL[dtype]
    for op in ("cr::mm", "cr::_mm_with_transpose"):
        agree(op, (x, laid_out(y, layout)), {}, rtol)
        agree(op, (laid_out(x, layout), laid_out(y, layout)), {}, rtol)
    agree("cr::_times_adjoint", (x, np.ascontiguousarray(y.T)), {}, rtol)
    for by_columns in (False, True):
        keywords = {"by_columns": by_columns}
        found = agree("cr::_adjoint_times", (np.ascontiguousarray(x.T), y), keywords, rtol)
        assert found.flags.f_contiguous if by_columns else found.flags.c_contiguous
        assert found.flags.owndata


@each_dtype
@each_size
@pytest.mark.parametrize("added", ["row", "column", "number", "whole", "transposed"])
def test_what_is_added_may_broadcast_and_be_scaled(agree, sizes, added, dtype):
    n, k, m = sizes
    x, y = numbers(n, k, dtype=dtype), numbers(k, m, dtype=dtype, seed=1)
    shape = {"row": (m,), "column": (n, 1), "number": (), "whole": (n, m), "transposed": (m, n)}
    bias = numbers(*shape[added], dtype=dtype, seed=2)
    bias = np.asarray(bias.T if added == "transposed" else bias)
    for keywords in (
        {},
        {"beta": 1, "alpha": 1},
        {"beta": 2.5, "alpha": -2},
        {"beta": 0, "alpha": 1},
    ):
        for op in ("cr::addmm", "cr::_addmm_with_transpose"):
            agree(op, (bias, x, y), keywords, RTOL[dtype])


def test_what_is_multiplied_by_zero_is_not_looked_at(native):
    bias = np.full((2,), np.nan, "float32")
    found = native("cr::addmm")(bias, numbers(3, 4), numbers(4, 2), beta=0, alpha=1)
    assert np.isfinite(found).all()


@each_dtype
@pytest.mark.parametrize("sizes", [(1, 2, 3, 4), (300, 5, 4, 3), (7, 64, 65, 66)], ids=str)
def test_products_of_batches_are_those_of_numpy(agree, sizes, dtype):
    count, n, k, m = sizes
    x, y = numbers(count, n, k, dtype=dtype), numbers(count, k, m, dtype=dtype, seed=1)
    rtol = RTOL[dtype]
    agree("cr::bmm", (x, y), {}, rtol)
    agree("cr::bmm", (x[::-1], y), {}, rtol)
    agree("cr::bmm", (np.array(x.swapaxes(1, 2), order="C").swapaxes(1, 2), y), {}, rtol)
    agree("cr::_times_adjoint", (x, np.array(y.swapaxes(1, 2), order="C")), {}, rtol)
    agree("cr::_adjoint_times", (np.array(x.swapaxes(1, 2), order="C"), y), {}, rtol)
    shared = np.broadcast_to(y[:1], y.shape)
    agree("cr::bmm", (x, shared), {}, rtol)


def test_the_number_of_threads_changes_no_bit(whatever_the_threads):
    x, y, bias = numbers(700, 300), numbers(300, 400, seed=1), numbers(400, seed=2)
    whatever_the_threads("cr::mm", (x, y), {})
    whatever_the_threads("cr::mm", (y.T, x.T), {})
    whatever_the_threads("cr::addmm", (bias, x, y), {})
    whatever_the_threads("cr::_adjoint_times", (x.T, y), {"by_columns": True})
    whatever_the_threads("cr::bmm", (numbers(9, 70, 80), numbers(9, 80, 90)), {})


@pytest.mark.parametrize("special", [np.nan, np.inf])
def test_what_is_no_number_spreads_as_in_numpy(native, reference, special):
    x, y = numbers(300, 40), numbers(40, 300, seed=1)
    x[20, 3], y[7, 200] = special, special
    with np.errstate(invalid="ignore"):
        expected = reference("cr::mm")(x, y)
    np.testing.assert_array_equal(np.isfinite(native("cr::mm")(x, y)), np.isfinite(expected))


def test_what_is_no_plain_product_of_floats_is_passed_on(native, declined):
    x, y = numbers(3, 4), numbers(4, 5)
    for a, b in (
        (x, y.astype("float64")), (x.astype("float16"), y.astype("float16")), (x, y[:3]),
        (x, y[:, ::2]), (x[::-1], y), (x[:0], y), (x[:, :0], y[:0]), (x[None], y[None]), (x[0], y),
        (x, None), (x.astype("complex64"), y.astype("complex64")),
    ):  # fmt: skip
        with pytest.raises(declined):
            native("cr::mm")(a, b)
    for bias in (numbers(3), numbers(1, 3, 5), numbers(5).astype("float64"), None):
        with pytest.raises(declined):
            native("cr::addmm")(bias, x, y)
