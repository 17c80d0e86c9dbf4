"""Elementwise kernels in C: against NumPy's in double precision, whatever the arrays look like."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

SPECIAL = [
    0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 88.8, -88.8, 104.0, -104.0, 1e30, -1e30,
    0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 6.0,
]  # fmt: skip

#: Per op: how many arrays, and the keywords to try. In units in the last place: what it may err by.
CASES = {
    "cr::relu": (1, [{}], 0),
    "cr::threshold_backward": (2, [{}, {"threshold": 0.5}], 0),
    "cr::hardtanh": (1, [{}, {"min_val": -0.5, "max_val": 2}], 0),
    "cr::hardtanh_backward": (2, [{}, {"min_val": -0.5, "max_val": 2}], 0),
    "cr::leaky_relu": (1, [{}, {"negative_slope": -2}], 1),
    "cr::leaky_relu_backward": (2, [{}, {"negative_slope": 0.5}], 1),
    "cr::hardsigmoid": (1, [{}], 1),
    "cr::hardsigmoid_backward": (2, [{}], 1),
    "cr::hardswish": (1, [{}], 2),
    "cr::hardswish_backward": (2, [{}], 2),
    "cr::gelu": (1, [{}, {"approximate": "none"}, {"approximate": "tanh"}], 3),
    "cr::gelu_backward": (2, [{}, {"approximate": "tanh"}], 6),
    "cr::elu": (1, [{}, {"alpha": 0.5, "scale": 2}, {"input_scale": 0.5}], 3),
    "cr::elu_backward": (2, [{}, {"alpha": 0.5, "scale": 2, "input_scale": 0.5}], 3),
    "cr::silu": (1, [{}], 2),
    "cr::silu_backward": (2, [{}], 4),
    "cr::softplus": (1, [{}, {"beta": 2, "threshold": 3}], 3),
    "cr::softplus_backward": (2, [{}, {"beta": 2, "threshold": 3}], 4),
    "cr::logsigmoid": (1, [{}], 3),
    "cr::log_sigmoid_backward": (2, [{}], 3),
    "cr::mish": (1, [{}], 3),
    "cr::mish_backward": (2, [{}], 6),
    "cr::add": (2, [{}, {"alpha": 2}, {"alpha": -0.5}], 1),
    "cr::sub": (2, [{}, {"alpha": 2}], 1),
    "cr::rsub": (2, [{}, {"alpha": 2}], 1),
    "cr::mul": (2, [{}], 0.5),
    "cr::div": (2, [{}], 0.5),
    "cr::eq": (2, [{}], 0),
    "cr::ne": (2, [{}], 0),
    "cr::lt": (2, [{}], 0),
    "cr::le": (2, [{}], 0),
    "cr::gt": (2, [{}], 0),
    "cr::ge": (2, [{}], 0),
    "cr::neg": (1, [{}], 0),
    "cr::abs": (1, [{}], 0),
    "cr::sign": (1, [{}], 0),
    "cr::reciprocal": (1, [{}], 0.5),
    "cr::sqrt": (1, [{}], 0.5),
    "cr::rsqrt": (1, [{}], 1),
    "cr::exp": (1, [{}], 1),
    "cr::log": (1, [{}], 1),
    "cr::expm1": (1, [{}], 3),
    "cr::log1p": (1, [{}], 2),
    "cr::sigmoid": (1, [{}], 2),
    "cr::sigmoid_backward": (2, [{}], 2),
    "cr::tanh": (1, [{}], 2),
    "cr::tanh_backward": (2, [{}], 3),
    "cr::erf": (1, [{}], 4),
    "cr::maximum": (2, [{}], 0),
    "cr::minimum": (2, [{}], 0),
    "cr::clamp_min": (2, [{}], 0),
    "cr::clamp_max": (2, [{}], 0),
    "cr::maximum_backward": (3, [{}], 0),
    "cr::_clamp": (1, [{"min": -0.5, "max": 2}, {"min": 0.25}, {"max": 1}], 0),
    "cr::clamp_backward": (2, [{"min": -0.5, "max": 2}, {"min": 0.25}, {"max": 1}], 0),
}

#: Where NumPy's kernel takes another way, on which it meets other infinities and cancellations.
FORMULAS_DIFFER = {
    "cr::gelu", "cr::gelu_backward", "cr::softplus", "cr::mish", "cr::mish_backward",
}  # fmt: skip

SHAPES = [(), (0,), (1,), (7,), (3, 5), (2, 3, 4), (1000,), (33, 70), (4, 0, 3)]
each_case = pytest.mark.parametrize(
    ("op", "keywords"),
    [(op, keywords) for op, (_, several, _) in CASES.items() for keywords in several],
)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def arrays_for(op, shape, dtype, seed=0):
    """Return arrays as the op takes them, of moderate numbers."""
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(rng.normal(0, 2, shape), dtype) for _ in range(CASES[op][0])]
    if op in {"cr::sqrt", "cr::rsqrt", "cr::log", "cr::log1p"}:
        arrays = [np.asarray(np.abs(arrays[0]))]
    if op in {"cr::sigmoid_backward", "cr::tanh_backward"}:
        arrays[1] = np.asarray(np.tanh(arrays[1] / 4), dtype)
    return arrays


def unaligned(array):
    """Return an equal array between the addresses where its numbers belong."""
    memory = np.zeros(array.nbytes + 1, np.uint8)
    odd = memory[1:].view(array.dtype).reshape(array.shape)
    odd[...] = array
    return odd


#: Differences of nearly equal numbers, in NumPy's kernels and in PyTorch's, too.
CANCELLING = {
    "cr::gelu", "cr::gelu_backward", "cr::hardswish_backward", "cr::silu_backward",
    "cr::mish_backward",
}  # fmt: skip


def errors_in_ulp(result, exact, smallest):
    """Return by how many units in the last place *result* errs.

    Below *smallest* the unit is that of *smallest*.
    """
    rounded = exact.astype(result.dtype)
    if result.dtype == bool:
        return result != rounded
    unit = np.spacing(np.maximum(np.abs(rounded), result.dtype.type(smallest))).astype("float64")
    error = np.abs(result.astype("float64") - exact) / unit
    return np.where(result == rounded, 0, error)


@each_dtype
@each_case
def test_moderate_numbers_come_out_to_a_few_units_in_the_last_place(
    native, reference, op, keywords, dtype
):
    arrays = arrays_for(op, (4000,), dtype)
    result = native(op)(*arrays, **keywords)
    exact = reference(op)(*(array.astype("float64") for array in arrays), **keywords)
    of_reference = 0.51 if dtype == "float32" else 2  # what it errs by itself

    assert result.dtype == (bool if exact.dtype == bool else dtype)
    smallest = 1e-3
    if op in CANCELLING:  # terms of the size of the largest operands cancel
        smallest = max(np.abs(array).max() for array in arrays) ** len(arrays)

    assert errors_in_ulp(result, exact, smallest).max(initial=0) <= CASES[op][2] + of_reference


@each_dtype
@each_case
def test_infinities_nans_zeros_and_tiny_numbers_come_out_as_numpys(
    native, reference, op, keywords, dtype
):
    count = CASES[op][0]
    values = SPECIAL if count < 3 else [0.0, -0.0, np.inf, np.nan, 1.0]
    arrays = list(np.array(list(itertools.product(values, repeat=count)), dtype).T.copy())
    expected = reference(op)(*arrays, **keywords)
    result = native(op)(*arrays, **keywords)

    if op in FORMULAS_DIFFER:  # where NumPy's formula meets infinities on its way, and ours not
        keep = np.isfinite(expected) & np.isfinite(arrays).all(0) & (np.abs(arrays[-1]) < 50)
        result, expected = result[keep], expected[keep]
    np.testing.assert_array_equal(np.isnan(result), np.isnan(expected))
    np.testing.assert_array_equal(np.isinf(result), np.isinf(expected))
    small = 1e-5 if op in CANCELLING else 0
    rtol = 1e-5 if dtype == "float32" else 1e-13
    if op in CANCELLING:  # both sides err, by the size of the terms
        rtol *= 10
    np.testing.assert_allclose(result, expected, rtol=rtol, atol=small)


@each_dtype
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("op", CASES)
def test_layout_changes_neither_values_nor_shape(native, laid_out, layout, op, shape, dtype):
    arrays, keywords = arrays_for(op, shape, dtype), CASES[op][1][0]
    plain = native(op)(*arrays, **keywords)
    result = native(op)(*(laid_out(array, layout) for array in arrays), **keywords)
    like_numpys = np.negative(laid_out(arrays[0], layout))

    np.testing.assert_array_equal(result, plain)
    assert (result.shape, result.flags.writeable, result.flags.owndata) == (shape, True, True)
    if layout != "backwards" and plain.size and result.dtype == dtype:
        assert result.strides == like_numpys.strides


@each_dtype
@pytest.mark.parametrize("op", [op for op, case in CASES.items() if case[0] == 2])
@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 4), (4,)), ((3, 4), (3, 1)), ((1,), (5, 2)), ((), (3,)), ((2, 1, 4), (3, 1)),
     ((3, 1), (1, 700)), ((600, 700), (700,)), ((600, 700), (600, 1)),
     ((0, 3), (1,)), ((5, 1, 1, 3), (2, 7, 1))],
    ids=str,
)  # fmt: skip
def test_operands_broadcast(native, op, left, right, dtype):
    x, y = arrays_for(op, left, dtype)[0], arrays_for(op, right, dtype)[1]
    whole = np.broadcast_shapes(left, right)
    keywords = CASES[op][1][0]
    full = (np.array(np.broadcast_to(a, whole), order="C") for a in (x, y))

    np.testing.assert_array_equal(native(op)(x, y, **keywords), native(op)(*full, **keywords))


@each_dtype
@pytest.mark.parametrize("number", [2, -0.75, True, 3.0])
@pytest.mark.parametrize("op", ["cr::add", "cr::sub", "cr::rsub", "cr::mul", "cr::div"])
def test_a_number_stands_for_an_array(native, op, number, dtype):
    (x, _) = arrays_for(op, (3, 700), dtype)
    full = np.full_like(x, number)

    np.testing.assert_array_equal(native(op)(x, number), native(op)(x, full))


@pytest.mark.parametrize("op", CASES)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: a.astype("float16"), lambda a: a.astype("int64"), lambda a: a.astype(">f8"),
        lambda a: a.astype("complex64"), lambda a: a.astype("f4").view(np.matrix),
        unaligned, lambda a: a.tolist(), lambda a: None,
    ],
    ids=["half", "integer", "swapped", "complex", "subclass", "unaligned", "list", "nothing"],
)  # fmt: skip
def test_what_is_no_plain_array_of_floats_is_passed_on(native, declined, op, spoil):
    arrays = [spoil(array) for array in arrays_for(op, (2, 3), "float64")]

    with pytest.raises(declined):
        native(op)(*arrays)


@pytest.mark.parametrize("op", CASES)
def test_wrong_calls_are_passed_on(native, declined, op):
    arrays = arrays_for(op, (2, 3), "float32")
    for args, keywords in (
        ((), {}), (arrays * 3, {}), (arrays, {"nonsense": 1}), (arrays, {"alpha": "x"}),
    ):  # fmt: skip
        with pytest.raises(declined):
            native(op)(*args, **keywords)


@pytest.mark.parametrize("op", [op for op, case in CASES.items() if case[0] == 2])
def test_operands_that_do_not_fit_are_passed_on(native, declined, op):
    x = np.zeros((2, 3), "float32")
    for y in (np.zeros((3, 2), "float32"), np.zeros((2, 3)), np.zeros((2, 3), "int32"), 1j, "1"):
        with pytest.raises(declined):
            native(op)(x, y)


@each_dtype
@pytest.mark.parametrize("op", CASES)
def test_the_number_of_threads_changes_no_bit(whatever_the_threads, op, dtype):
    arrays = arrays_for(op, (300_001,), dtype)
    square = [array[:300_000].reshape(600, 500).T for array in arrays]
    for laid in (arrays, square):
        whatever_the_threads(op, laid, CASES[op][1][0])


def test_read_only_and_overlapping_arrays_are_read_as_any(native):
    x = np.arange(10.0)
    x.flags.writeable = False
    windows = np.lib.stride_tricks.as_strided(x, (4, 3), (8, 8), writeable=False)

    np.testing.assert_array_equal(native("cr::add")(windows, windows), windows + windows)
