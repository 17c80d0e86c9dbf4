"""Softmax and its kin in C: against NumPy's in double precision."""

from __future__ import annotations

import numpy as np
import pytest

OPS = {
    "cr::_softmax": 1, "cr::_log_softmax": 1,
    "cr::softmax_backward": 2, "cr::log_softmax_backward": 2,
}  # fmt: skip
each_op = pytest.mark.parametrize("op", OPS)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def arrays_for(op, shape, dtype, dim=-1):
    rng = np.random.default_rng(0)
    grad, x = (rng.normal(0, 3, shape) for _ in range(2))
    if OPS[op] == 1:
        return [x.astype(dtype)]
    e = np.exp(x - x.max(dim, keepdims=True))
    output = e / e.sum(dim, keepdims=True)
    return [grad.astype(dtype), (np.log(output) if "log" in op else output).astype(dtype)]


@each_op
@each_dtype
@pytest.mark.parametrize(
    "shape", [(1,), (5,), (16,), (3, 10), (2, 3, 33), (700, 96), (4, 1), (2, 5, 300)], ids=str
)
def test_every_dimension_comes_out_as_numpys(native, reference, op, shape, dtype):
    for dim in range(len(shape)):
        arrays = arrays_for(op, shape, dtype, dim)
        exact = reference(op)(*(a.astype("f8") for a in arrays), dim=dim)
        for named in (dim, dim - len(shape)):
            result = native(op)(*arrays, dim=named)
            unit = np.finfo(dtype).eps
            assert (result.dtype, result.shape) == (dtype, shape)
            np.testing.assert_allclose(result, exact, rtol=16 * unit, atol=32 * unit)


@each_op
@each_dtype
@pytest.mark.parametrize("dim", [0, 1, 2])
def test_no_layout_makes_a_difference(native, laid_out, layout, op, dim, dtype):
    arrays = arrays_for(op, (3, 5, 7), dtype, dim)
    expected = native(op)(*arrays, dim=dim)
    result = native(op)(*(laid_out(a, layout) for a in arrays), dim=dim)

    np.testing.assert_array_equal(result, expected)
    assert result.flags.c_contiguous


@each_dtype
@pytest.mark.parametrize("op", ["cr::_softmax", "cr::_log_softmax"])
def test_infinities_and_nan_come_out_as_numpys(native, reference, op, dtype):
    x = np.array(
        [[np.inf, 1, 2], [-np.inf, 1, 2], [np.nan, 1, 2], [-np.inf] * 3, [1e4, -1e4, 0]], dtype
    )

    exact = reference(op)(x, dim=1)
    np.testing.assert_allclose(native(op)(x, dim=1), exact, rtol=1e-6)
    np.testing.assert_allclose(native(op)(x.T.copy(), dim=0), exact.T, rtol=1e-6)


@each_op
def test_what_is_no_row_of_numbers_is_passed_on(native, declined, op):
    for shape, dim, change in (
        ((), 0, lambda a: a),
        ((0, 3), 1, lambda a: a), ((3, 0), 1, lambda a: a), ((3, 4), 1, lambda a: a.astype("f2")),
        ((3, 4), None, lambda a: a), ((3, 4), 2, lambda a: a),
    ):  # fmt: skip
        arrays = [change(np.zeros(shape)) for _ in range(OPS[op])]
        with pytest.raises(declined):
            native(op)(*arrays, dim=dim)
    with pytest.raises(declined):
        native(op)(*[np.zeros((3, 4))] * OPS[op])


@each_op
def test_the_number_of_threads_changes_no_bit(whatever_the_threads, op):
    for dim in (0, 1):
        whatever_the_threads(op, arrays_for(op, (500, 100), "float32", dim), {"dim": dim})
