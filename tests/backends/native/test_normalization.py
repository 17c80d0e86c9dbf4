"""Normalisation in C: against NumPy's in double precision, over shapes and layouts."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr

each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
RTOL = {"float32": 1e-5, "float64": 1e-12}

BATCHES = [
    (4, 3, 5, 7), (2, 1, 600), (33, 70), (1, 4, 1100), (16, 24, 32, 33), (2, 3, 1, 1),
    (3, 2, 4, 5, 6),
]  # fmt: skip
each_batch = pytest.mark.parametrize("shape", BATCHES, ids=str)
#: Shape, and how many of its last dimensions are normalised.
ROWS = [
    ((7, 5), 1),
    ((2, 3, 128), 1),
    ((3, 4, 5, 6), 3),
    ((600, 130), 1),
    ((5,), 1),
    ((2, 1100), 1),
]
each_row = pytest.mark.parametrize(("shape", "last"), ROWS, ids=str)
#: Shape and groups.
GROUPS = [
    ((2, 6, 5, 7), 3),
    ((4, 8), 2),
    ((1, 4, 600), 4),
    ((3, 4, 2, 2, 2), 1),
    ((20, 32, 17, 9), 8),
]
each_group = pytest.mark.parametrize(("shape", "group"), GROUPS, ids=str)
with_parameters = pytest.mark.parametrize("given", ["both", "weight", "bias", "none"])


def numbers(*shape, seed=0, dtype="float32"):
    return (np.random.default_rng(seed).normal(size=shape) * 2 + 1).astype(dtype)


def parameters(given, *shape, dtype="float32"):
    """Return a weight and a bias, or None for what is not given."""
    return (
        numbers(*shape, seed=1, dtype=dtype) if given in {"both", "weight"} else None,
        numbers(*shape, seed=2, dtype=dtype) if given in {"both", "bias"} else None,
    )


@each_dtype
@with_parameters
@each_batch
def test_normalising_over_a_batch_is_that_of_numpy(agree, shape, given, dtype):
    x, grad = numbers(*shape, dtype=dtype), numbers(*shape, seed=3, dtype=dtype)
    weight, bias = parameters(given, shape[1], dtype=dtype)
    keywords = {"training": True, "eps": 1e-5}
    _, mean, rstd, _ = agree(
        "cr::_native_batch_norm", (x, weight, bias, None, None), keywords, RTOL[dtype]
    )
    arrays = (grad, x, weight, mean, rstd, None, None)
    agree("cr::native_batch_norm_backward", arrays, keywords, 10 * RTOL[dtype])


@each_dtype
@with_parameters
@each_batch
def test_normalising_by_running_statistics_is_that_of_numpy(agree, shape, given, dtype):
    x, grad = numbers(*shape, dtype=dtype), numbers(*shape, seed=3, dtype=dtype)
    weight, bias = parameters(given, shape[1], dtype=dtype)
    running = numbers(shape[1], seed=4, dtype=dtype), abs(numbers(shape[1], seed=5, dtype=dtype))
    keywords, nothing = {"training": False, "eps": 1e-3}, np.empty(0, dtype)
    agree("cr::_native_batch_norm", (x, weight, bias, *running), keywords, RTOL[dtype])
    arrays = (grad, x, weight, nothing, nothing, *running)
    agree("cr::native_batch_norm_backward", arrays, keywords, 10 * RTOL[dtype])


@each_dtype
@with_parameters
@each_row
def test_normalising_positions_is_that_of_numpy(agree, shape, last, given, dtype):
    x, grad = numbers(*shape, dtype=dtype), numbers(*shape, seed=3, dtype=dtype)
    sizes = shape[len(shape) - last :]
    weight, bias = parameters(given, *sizes, dtype=dtype)
    keywords = {"normalized_shape": sizes, "eps": 1e-5}
    _, mean, rstd = agree("cr::_native_layer_norm", (x, weight, bias), keywords, RTOL[dtype])
    arrays = (grad, x, mean, rstd, weight)
    agree("cr::native_layer_norm_backward", arrays, keywords, 10 * RTOL[dtype])


@each_dtype
@with_parameters
@each_group
def test_normalising_groups_is_that_of_numpy(agree, shape, group, given, dtype):
    x, grad = numbers(*shape, dtype=dtype), numbers(*shape, seed=3, dtype=dtype)
    weight, bias = parameters(given, shape[1], dtype=dtype)
    sizes = {"N": shape[0], "C": shape[1], "HxW": int(np.prod(shape[2:]))}
    _, mean, rstd = agree(
        "cr::_native_group_norm", (x, weight, bias), {**sizes, "group": group, "eps": 1e-5},
        RTOL[dtype],
    )  # fmt: skip
    agree(
        "cr::native_group_norm_backward", (grad, x, weight, mean, rstd),
        {"group": group, "eps": 1e-5}, 10 * RTOL[dtype],
    )  # fmt: skip


def calls(shape=(20, 32, 17, 9)):
    """Yield every op with arrays and keywords that it takes."""
    x, grad = numbers(*shape), numbers(*shape, seed=3)
    weight, bias = parameters("both", shape[1])
    mean, rstd = numbers(shape[1], seed=4), abs(numbers(shape[1], seed=5))
    batch = {"training": True, "eps": 1e-5}
    yield "cr::_native_batch_norm", (x, weight, bias, None, None), batch
    yield "cr::native_batch_norm_backward", (grad, x, weight, mean, rstd, None, None), batch
    row_weight, row_bias = parameters("both", shape[-1])
    rows = {"normalized_shape": shape[-1:], "eps": 1e-5}
    means = numbers(*shape[:-1], 1, seed=6), abs(numbers(*shape[:-1], 1, seed=7))
    yield "cr::_native_layer_norm", (x, row_weight, row_bias), rows
    yield "cr::native_layer_norm_backward", (grad, x, *means, row_weight), rows
    groups = {"N": shape[0], "C": shape[1], "HxW": int(np.prod(shape[2:])), "group": 8, "eps": 1e-5}
    means = numbers(shape[0], 8, seed=6), abs(numbers(shape[0], 8, seed=7))
    yield "cr::_native_group_norm", (x, weight, bias), groups
    yield (
        "cr::native_group_norm_backward", (grad, x, weight, *means), {"group": 8, "eps": 1e-5}
    )  # fmt: skip


each_call = pytest.mark.parametrize("call", list(calls()), ids=lambda call: call[0])


@each_call
def test_the_number_of_threads_changes_no_bit(whatever_the_threads, call):
    whatever_the_threads(*call)


@each_call
def test_layout_changes_no_bit(native, laid_out, layout, call):
    op, arrays, keywords = call
    laid = [None if array is None else laid_out(array, layout) for array in arrays]
    found, plain = native(op)(*laid, **keywords), native(op)(*arrays, **keywords)
    for mine, ours in zip(found, plain, strict=True):
        np.testing.assert_array_equal(mine, ours)


@each_call
def test_what_is_no_number_spreads_as_in_numpy(native, reference, call):
    op, arrays, keywords = call
    for special in (np.nan, np.inf):
        spoilt = [None if array is None else array.copy() for array in arrays]
        spoilt[0][1, 2, 3, 4] = special
        found = native(op)(*spoilt, **keywords)
        with np.errstate(invalid="ignore"):
            expected = reference(op)(*spoilt, **keywords)
        for mine, ours in zip(found, expected, strict=True):
            np.testing.assert_array_equal(np.isnan(mine), np.isnan(ours))


@each_call
def test_other_types_and_wrong_sizes_are_passed_on(native, declined, call):
    op, arrays, keywords = call
    for spoil in (
        lambda a: a.astype("float16"), lambda a: a.astype(">f4"), lambda a: a[:0], lambda a: None,
        lambda a: a.astype("int64"),
    ):  # fmt: skip
        with pytest.raises(declined):
            native(op)(spoil(arrays[0]), *arrays[1:], **keywords)
    for place, array in enumerate(arrays[1:], 1):
        if array is not None:
            with pytest.raises(declined):
                native(op)(*arrays[:place], array[:1], *arrays[place + 1 :], **keywords)
            wide = array.astype("float64")
            with pytest.raises(declined):
                native(op)(*arrays[:place], wide, *arrays[place + 1 :], **keywords)


def test_sums_of_a_million_numbers_far_from_zero_stay_precise(agree):
    x = (np.random.default_rng(0).normal(size=(1, 1, 1_000_000)) + 100).astype("float32")
    agree(
        "cr::_native_batch_norm", (x, None, None, None, None), {"training": True, "eps": 1e-5}, 2e-5
    )


@each_dtype
@each_row
@pytest.mark.parametrize("given", [True, False])
def test_dividing_by_the_root_mean_square_is_that_of_numpy(
    agree, laid_out, layout, shape, last, given, dtype
):
    sizes = shape[len(shape) - last :]
    x = laid_out(numbers(*shape, dtype=dtype), layout)
    weight = numbers(*sizes, seed=1, dtype=dtype) if given else None
    agree("cr::_rms_norm", (x, weight), {"normalized_shape": sizes, "eps": 1e-5}, RTOL[dtype])


@each_dtype
@each_row
@pytest.mark.parametrize("given", [True, False])
def test_root_mean_square_norm_of_one_node_and_its_gradients_are_those_of_numpy(
    agree, laid_out, layout, shape, last, given, dtype
):
    sizes = shape[len(shape) - last :]
    keywords = {"normalized_shape": sizes, "eps": 1e-5}
    x, grad = (laid_out(numbers(*shape, seed=s, dtype=dtype), layout) for s in (0, 3))
    weight = numbers(*sizes, seed=1, dtype=dtype) if given else None
    _, scales = agree("cr::_fused_rms_norm", (x, weight), keywords, RTOL[dtype])
    agree("cr::fused_rms_norm_backward", (grad, x, scales, weight), keywords, 10 * RTOL[dtype])


def test_root_mean_squares_of_infinities_and_nan_are_numpys(agree):
    x = np.array([[np.inf, 1, 2], [np.nan, 1, 2], [0, 0, 0], [1e30, 1, 0]])
    agree("cr::_rms_norm", (x, None), {"normalized_shape": (3,), "eps": 0.0}, 1e-12)


def test_a_recorded_root_mean_square_norm_keeps_the_graph_of_its_parts():
    with cr.using("native"):
        x, weight = cr.randn(5, 8, requires_grad=True), cr.randn(8)
        recorded = cr.rms_norm(x, [8], weight, 1e-5)
        with cr.no_grad():
            unrecorded = cr.rms_norm(x, [8], weight, 1e-5)

    assert recorded.grad_fn.name() == "MulBackward0"
    np.testing.assert_allclose(unrecorded.numpy(), recorded.detach().numpy(), rtol=1e-6)
