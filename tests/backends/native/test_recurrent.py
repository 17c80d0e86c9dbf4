"""Recurrent layers in C: against NumPy's in double precision, over lengths, sizes and layouts."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule.ops.recurrent_steps  # noqa: F401 - defines the ops, which only layers import

each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
RTOL = {"float32": 3e-5, "float64": 1e-12}

#: How many sequences take part in each step; the size of the cells.
CASES = [((3, 3, 3), 5), ((1,), 1), ((70, 70, 41, 40, 2), 9), ((33, 32, 31), 16), ((2,) * 30, 70)]
each_case = pytest.mark.parametrize(("batch_sizes", "width"), CASES, ids=str)
each_direction = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])


def maker(dtype, seed=0):
    """Return a maker of arrays whose products are about as large as they are."""
    rng = np.random.default_rng(seed)
    return lambda *shape: (rng.normal(size=shape) / shape[-1] ** 0.5).astype(dtype)


def lstm_arguments(batch_sizes, width, out, dtype):
    """Return the arrays of a forward pass; states are projected to *out* where it is given."""
    make, total, batch = maker(dtype), sum(batch_sizes), batch_sizes[0]
    hidden = out or width
    return (
        make(total, 4 * width), make(batch, hidden), make(batch, width), make(4 * width, hidden),
        make(hidden, width) if out else None,
    )  # fmt: skip


def lstm_backward_arguments(native, arrays, keywords, given=(True, True, True)):
    """Return the arrays of a backward pass, with gradients as *given* says."""
    results = native("cr::_lstm_sequence")(*arrays, **keywords)
    make = maker(arrays[0].dtype, 1)
    grads = [
        make(*array.shape) if wanted else None
        for wanted, array in zip(given, results, strict=False)
    ]
    output, _, _, gates, cells = results
    return (*grads, None, None, output, gates, cells, *arrays[1:])


def gru_arguments(batch_sizes, width, dtype, *, biased=True):
    make, total, batch = maker(dtype), sum(batch_sizes), batch_sizes[0]
    return (
        make(total, 3 * width), make(batch, width), make(3 * width, width),
        make(3 * width) if biased else None,
    )  # fmt: skip


def gru_backward_arguments(native, arrays, keywords, given=(True, True)):
    output, last, gates = native("cr::_gru_sequence")(*arrays, **keywords)
    make = maker(arrays[0].dtype, 1)
    grads = [
        make(*a.shape) if wanted else None for wanted, a in zip(given, (output, last), strict=True)
    ]
    return (*grads, None, output, gates, arrays[1], arrays[2])


@each_dtype
@each_direction
@pytest.mark.parametrize("out", [0, 3], ids=["plain", "projected"])
@each_case
def test_an_lstm_and_its_gradients_are_those_of_numpy(
    agree, native, batch_sizes, width, out, reverse, dtype
):
    arrays = lstm_arguments(batch_sizes, width, out, dtype)
    keywords = {"batch_sizes": batch_sizes, "reverse": reverse}
    agree("cr::_lstm_sequence", arrays, keywords, RTOL[dtype])
    for given in ((True, True, True), (True, False, False), (False, True, False)):
        backward = lstm_backward_arguments(native, arrays, keywords, given)
        agree("cr::_lstm_sequence_backward", backward, keywords, 3 * RTOL[dtype])


@each_dtype
@each_direction
@pytest.mark.parametrize("biased", [True, False])
@each_case
def test_a_gru_and_its_gradients_are_those_of_numpy(
    agree, native, batch_sizes, width, biased, reverse, dtype
):
    arrays = gru_arguments(batch_sizes, width, dtype, biased=biased)
    keywords = {"batch_sizes": batch_sizes, "reverse": reverse}
    agree("cr::_gru_sequence", arrays, keywords, RTOL[dtype])
    for given in ((True, True), (True, False), (False, True)):
        backward = gru_backward_arguments(native, arrays, keywords, given)
        agree("cr::_gru_sequence_backward", backward, keywords, 3 * RTOL[dtype])


def calls(native, batch_sizes=(70, 70, 41, 40, 2), width=33):
    """Yield every op with arrays and keywords that it takes."""
    keywords = {"batch_sizes": batch_sizes, "reverse": False}
    arrays = lstm_arguments(batch_sizes, width, 0, "float32")
    yield "cr::_lstm_sequence", arrays, keywords
    backward = lstm_backward_arguments(native, arrays, keywords)
    yield "cr::_lstm_sequence_backward", backward, keywords
    arrays = gru_arguments(batch_sizes, width, "float32")
    yield "cr::_gru_sequence", arrays, keywords
    yield "cr::_gru_sequence_backward", gru_backward_arguments(native, arrays, keywords), keywords


def test_the_number_of_threads_changes_no_bit(whatever_the_threads, native):
    for call in calls(native):
        whatever_the_threads(*call)


def test_layout_changes_no_bit(native, laid_out, layout):
    for op, arrays, keywords in calls(native):
        laid = [None if array is None else laid_out(array, layout) for array in arrays]
        found, plain = native(op)(*laid, **keywords), native(op)(*arrays, **keywords)
        for mine, ours in zip(found, plain, strict=True):
            np.testing.assert_array_equal(mine, ours)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_in_its_sequence(native, reference, special):
    for op, arrays, keywords in list(calls(native))[::2]:
        spoilt = [None if array is None else array.copy() for array in arrays]
        spoilt[0][75, 3] = special
        found = native(op)(*spoilt, **keywords)
        with np.errstate(all="ignore"):
            expected = reference(op)(*spoilt, **keywords)
        for mine, ours in zip(found, expected, strict=True):
            np.testing.assert_array_equal(np.isnan(mine), np.isnan(ours))
        assert not np.isnan(np.delete(found[0], [75, 145, 186], axis=0)).any()


def test_what_does_not_fit_is_passed_on(native, declined):
    for op, arrays, keywords in calls(native):
        for sizes in ((70, 70, 41, 40), (70, 41, 70, 40, 2), (69, 70, 42, 40, 2), [70] * 5, ()):
            with pytest.raises(declined):
                native(op)(*arrays, **{**keywords, "batch_sizes": sizes})
        for place, array in enumerate(arrays):
            if array is None:
                continue
            for other in (array[:1], array.astype("float64"), array[None], array[:0]):
                with pytest.raises(declined):
                    native(op)(*arrays[:place], other, *arrays[place + 1 :], **keywords)
