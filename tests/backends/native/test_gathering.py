"""Elements chosen by integers, in C: against NumPy's kernels, and never out of bounds."""

from __future__ import annotations

import numpy as np
import pytest

each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
OUTSIDE = [np.array([0, 5]), np.array([-1, 0]), np.array([2**62, 0]), np.array([0, -(2**63)])]


@each_dtype
@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 3)], ids=str)
@pytest.mark.parametrize("padding", [-1, 2])
def test_rows_of_a_table_and_their_gradient(native, reference, shape, padding, dtype):
    rng = np.random.default_rng(0)
    weight, indices = rng.normal(size=(5, 7)).astype(dtype), np.asarray(rng.integers(0, 5, shape))
    grad = np.asarray(rng.normal(size=(*shape, 7)), dtype)
    statics = {"num_weights": 5, "padding_idx": padding, "scale_grad_by_freq": False}

    rows = native("cr::_embedding")(weight, indices, padding_idx=padding)
    np.testing.assert_array_equal(rows, weight[indices])
    np.testing.assert_allclose(
        native("cr::embedding_backward")(grad, indices, **statics),
        reference("cr::embedding_backward")(grad, indices, **statics),
        rtol=1e-6,
    )


@pytest.mark.parametrize("indices", OUTSIDE, ids=str)
def test_places_that_are_none_are_passed_on_without_a_look(native, declined, indices):
    x, statics = np.zeros((5, 7)), {"padding_idx": -1, "scale_grad_by_freq": False}
    with pytest.raises(declined):
        native("cr::_embedding")(x, indices)
    with pytest.raises(declined):
        native("cr::embedding_backward")(np.zeros((2, 7)), indices, num_weights=5, **statics)
    with pytest.raises(declined):
        native("cr::_nll_loss")(np.zeros((2, 5)), indices)


@each_dtype
@pytest.mark.parametrize("reduction", [0, 1, 2])
@pytest.mark.parametrize("ignore", [-100, 3])
@pytest.mark.parametrize("rows", [0, 1, 6])
def test_the_loss_of_classes_and_its_gradient(native, reference, reduction, ignore, rows, dtype):
    rng = np.random.default_rng(1)
    x, target = rng.normal(size=(rows, 5)).astype(dtype), rng.integers(0, 5, rows)
    keywords = {"reduction": reduction, "ignore_index": ignore}
    grad = np.asarray(rng.normal(size=(rows,) if reduction == 0 else ()), dtype)

    ours = native("cr::_nll_loss")(x, target, None, **keywords)
    theirs = reference("cr::_nll_loss")(x, target, None, **keywords)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=1e-6)
    back = (grad, x, target, None, np.asarray(theirs[1], dtype))
    np.testing.assert_allclose(
        native("cr::_nll_loss_backward")(*back, **keywords),
        reference("cr::_nll_loss_backward")(*back, **keywords),
        rtol=1e-6,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (np.zeros((2, 5)), np.zeros(3, "i8")), (np.zeros((2, 5)), np.zeros(2, "i4")),
        (np.zeros((2, 5)), np.zeros((2, 1), "i8")), (np.zeros(5), np.zeros((), "i8")),
        (np.zeros((2, 5)).T, np.zeros(5, "i8")), (np.zeros((2, 5)), np.zeros(2, "i8"), np.ones(5)),
        (np.zeros((2, 5)), [0, 1]),
    ],
    ids=["rows", "dtype", "ndim", "one", "transposed", "weights", "list"],
)  # fmt: skip
def test_a_loss_that_is_no_matrix_and_vector_is_passed_on(native, declined, arguments):
    with pytest.raises(declined):
        native("cr::_nll_loss")(*arguments)
