"""Attention in C: against NumPy's in double precision, over sizes, masks and layouts."""

from __future__ import annotations

import numpy as np
import pytest

each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
RTOL = {"float32": 2e-5, "float64": 1e-12}

#: Samples, heads, queries, keys, width.
SIZES = [
    (2, 3, 5, 7, 4), (1, 1, 1, 1, 1), (3, 2, 64, 64, 32), (1, 2, 150, 130, 17),
    (2, 1, 40, 200, 8), (1, 2, 200, 40, 8),
]  # fmt: skip
each_size = pytest.mark.parametrize("sizes", SIZES, ids=str)
each_mask = pytest.mark.parametrize("mask", ["none", "flat", "per head", "per sample", "hiding"])
each_direction = pytest.mark.parametrize("is_causal", [False, True], ids=["all", "causal"])


def arguments(sizes, dtype, mask="none"):
    """Return ``(query, key, value, mask)``."""
    samples, heads, queries, keys, width = sizes
    rng = np.random.default_rng(0)
    shape = {
        "none": None, "flat": (queries, keys), "per head": (1, heads, queries, keys),
        "per sample": (samples, 1, queries, keys), "hiding": (queries, keys),
    }[mask]  # fmt: skip
    found = None if shape is None else rng.normal(size=shape).astype(dtype)
    if mask == "hiding":
        found[rng.random(shape) < 0.5] = -np.inf
        found[0] = -np.inf
    arrays = [
        rng.normal(size=(samples, heads, n, width)).astype(dtype) for n in (queries, keys, keys)
    ]
    return (*arrays, found)


def backward_arguments(native, arrays, keywords):
    output, sums = native("cr::_flash_attention")(*arrays, dropout_p=0.0, **keywords)
    grad = np.random.default_rng(1).normal(size=output.shape).astype(output.dtype)
    return (grad, *arrays[:3], output, sums, arrays[3])


@each_dtype
@each_direction
@each_mask
@each_size
def test_attention_and_its_gradients_are_those_of_numpy(
    agree, native, sizes, mask, is_causal, dtype
):
    arrays = arguments(sizes, dtype, mask)
    keywords = {"is_causal": is_causal, "scale": None}
    agree("cr::_flash_attention", arrays, {"dropout_p": 0.0, **keywords}, RTOL[dtype])
    given = backward_arguments(native, arrays, keywords)
    agree("cr::flash_attention_backward", given, keywords, 5 * RTOL[dtype])


@pytest.mark.parametrize("scale", [0.5, 2, -1.0, 0.0])
def test_the_scale_is_that_which_is_given(agree, native, scale):
    arrays, keywords = arguments(SIZES[0], "float64"), {"is_causal": False, "scale": scale}
    agree("cr::_flash_attention", arrays, {"dropout_p": 0.0, **keywords}, 1e-12)
    given = backward_arguments(native, arrays, keywords)
    agree("cr::flash_attention_backward", given, keywords, 1e-12)


def test_a_query_that_sees_nothing_gets_zeros_and_gives_no_gradient(native):
    arrays = arguments(SIZES[0], "float32", "hiding")
    keywords = {"is_causal": False, "scale": None}
    given = backward_arguments(native, arrays, keywords)
    by_query, _, _ = native("cr::flash_attention_backward")(*given, **keywords)

    assert not given[4][:, :, 0].any()
    assert not given[5][:, :, 0].any()
    assert not by_query[:, :, 0].any()


def joined(sizes, dtype):
    """Return query, key and value as views of one array, as a projection leaves them."""
    samples, heads, rows, _, width = sizes
    whole = np.random.default_rng(0).normal(size=(samples, rows, 3, heads, width)).astype(dtype)
    return tuple(whole[:, :, n].swapaxes(1, 2) for n in range(3))


def test_heads_of_one_projection_need_no_copy_and_their_results_can_be_joined(native, reference):
    arrays = (*joined(SIZES[2], "float32"), None)
    keywords = {"is_causal": True, "scale": None}
    given = backward_arguments(native, arrays, keywords)
    plain = tuple(None if a is None else np.ascontiguousarray(a) for a in arrays)
    expected = native("cr::_flash_attention")(*plain, dropout_p=0.0, **keywords)[0]

    np.testing.assert_array_equal(given[4], expected)
    assert given[4].swapaxes(1, 2).flags.c_contiguous
    found = native("cr::flash_attention_backward")(*given, **keywords)
    for mine, ours in zip(
        found, reference("cr::flash_attention_backward")(*given, **keywords), strict=True
    ):
        assert mine.flags.owndata
        np.testing.assert_allclose(mine, ours, rtol=1e-4, atol=1e-5)


def test_layout_changes_no_bit(native, laid_out, layout):
    arrays = arguments(SIZES[3], "float32", "flat")
    keywords = {"dropout_p": 0.0, "is_causal": True, "scale": None}
    plain = native("cr::_flash_attention")(*arrays, **keywords)
    found = native("cr::_flash_attention")(*(laid_out(a, layout) for a in arrays), **keywords)
    for mine, ours in zip(found, plain, strict=True):
        np.testing.assert_array_equal(mine, ours)


@each_direction
def test_the_number_of_threads_changes_no_bit(whatever_the_threads, native, is_causal):
    arrays = arguments((5, 4, 150, 130, 17), "float32", "flat")
    keywords = {"is_causal": is_causal, "scale": None}
    whatever_the_threads("cr::_flash_attention", arrays, {"dropout_p": 0.0, **keywords})
    given = backward_arguments(native, arrays, keywords)
    whatever_the_threads("cr::flash_attention_backward", given, keywords)


@pytest.mark.parametrize("special", [np.nan, np.inf])
def test_what_is_no_number_spreads_as_in_numpy(native, reference, special):
    arrays = arguments(SIZES[3], "float64")
    keywords = {"dropout_p": 0.0, "is_causal": False, "scale": None}
    for place in range(3):
        spoilt = [None if a is None else a.copy() for a in arrays]
        spoilt[place][0, 1, 20, 3] = special
        found = native("cr::_flash_attention")(*spoilt, **keywords)
        with np.errstate(all="ignore"):
            expected = reference("cr::_flash_attention")(*spoilt, **keywords)
        for mine, ours in zip(found, expected, strict=True):
            np.testing.assert_array_equal(np.isnan(mine), np.isnan(ours))


def test_what_a_causal_query_may_not_look_at_does_not_reach_it(native):
    query, key, value, _ = arguments(SIZES[3], "float64")
    key[:, :, 20] = np.nan
    keywords = {"dropout_p": 0.0, "is_causal": True, "scale": None}
    output, sums = native("cr::_flash_attention")(query, key, value, None, **keywords)

    assert np.isfinite(output[:, :, :20]).all()
    assert np.isfinite(sums[:, :, :20]).all()
    assert np.isnan(output[:, :, 20:]).all()


def test_what_is_no_plain_attention_is_passed_on(native, declined):
    query, key, value, mask = arguments(SIZES[0], "float32", "flat")
    keywords = {"dropout_p": 0.0, "is_causal": False, "scale": None}
    for args, change in (
        ((query.astype("float16"), key, value, mask), {}),
        ((query, key, value[:, :, :3], mask), {}),
        ((query, key, value, mask[:, :3]), {}), ((query, key, value, mask.astype("bool")), {}),
        ((query, key, value, mask), {"dropout_p": 0.5}), ((query[0], key[0], value[0], mask), {}),
        ((query[:0], key[:0], value[:0], mask), {}), ((query, key[..., :2], value, mask), {}),
        ((query, key, value), {}), ((query, key, value, mask), {"scale": "wide"}),
    ):  # fmt: skip
        with pytest.raises(declined):
            native("cr::_flash_attention")(*args, **{**keywords, **change})
