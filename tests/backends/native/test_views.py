"""Views in C: the same memory seen as NumPy's kernels see it."""

from __future__ import annotations

import numpy as np
import pytest

X = np.arange(24.0).reshape(2, 3, 4)
LINE = np.arange(3, dtype="i4").reshape(3, 1)
CASES = {
    "flat": ("cr::_view", X, {"size": (24,)}),
    "more": ("cr::_view", X, {"size": (2, 1, 3, 2, 2)}),
    "number": ("cr::_view", np.array(1.5), {"size": ()}),
    "one": ("cr::_view", np.array(True), {"size": (1, 1)}),
    "alias": ("cr::_reshape_alias", X, {"size": (6, 4)}),
    "permute": ("cr::_permute", X, {"dims": (2, 0, 1)}),
    "permute from behind": ("cr::_permute", X, {"dims": (-1, -3, -2)}),
    "transpose": ("cr::_transpose", X, {"dim0": 0, "dim1": 2}),
    "transpose from behind": ("cr::_transpose", X, {"dim0": -1, "dim1": 1}),
    "transpose nothing": ("cr::_transpose", X, {"dim0": 1, "dim1": 1}),
    "transpose a slice": ("cr::_transpose", X[:, ::-1, ::2], {"dim0": 0, "dim1": 1}),
    "t": ("cr::_t", X[1], {}),
    "t of complex numbers": ("cr::_t", X[1] * 1j, {}),
    "expand": ("cr::_expand", LINE, {"size": (3, 5)}),
    "expand in front": ("cr::_expand", LINE, {"size": (2, 3, 1)}),
    "expand a number": ("cr::_expand", np.array(2.0), {"size": (4, 2)}),
    "expand to nothing": ("cr::_expand", LINE, {"size": (3, 0)}),
    "expand the same": ("cr::_expand", LINE, {"size": (3, 1)}),
    "expand a slice": ("cr::_expand", X[:, ::2, :1], {"size": (3, 2, 2, 4)}),
    "expand what is empty": ("cr::_expand", X[:0], {"size": (5, 0, 3, 4)}),
}
PASSED_ON = {
    "too small": ("cr::_view", X, {"size": (23,)}),
    "too large": ("cr::_view", X, {"size": (2**62, 2**62)}),
    "open": ("cr::_view", X, {"size": (-1, 4)}),
    "not in order": ("cr::_view", X.T, {"size": (24,)}),
    "empty": ("cr::_view", X[:0], {"size": (0, 12)}),
    "no size": ("cr::_view", X, {}),
    "list": ("cr::_view", X, {"size": [24]}),
    "objects": ("cr::_view", np.zeros(2, object), {"size": (2, 1)}),
    "many": ("cr::_view", np.zeros(1), {"size": (1,) * 17}),
    "few dims": ("cr::_permute", X, {"dims": (0, 1)}),
    "twice": ("cr::_permute", X, {"dims": (0, 1, 1)}),
    "far": ("cr::_permute", X, {"dims": (0, 1, 3)}),
    "no such dim": ("cr::_transpose", X, {"dim0": 0, "dim1": 3}),
    "0-d": ("cr::_transpose", np.array(1.0), {"dim0": 0, "dim1": 0}),
    "three": ("cr::_t", X, {}),
    "does not fit": ("cr::_expand", LINE, {"size": (2, 5)}),
    "fewer": ("cr::_expand", LINE, {"size": (3,)}),
    "negative": ("cr::_expand", LINE, {"size": (-2, 3, 1)}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_view_is_numpys(native, reference, case):
    op, x, keywords = CASES[case]
    found, expected = native(op)(x, **keywords), reference(op)(x, **keywords)

    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    if found.size:
        sizes = [n for n in found.shape if n > 1]
        steps = [
            [step for n, step in zip(seen.shape, seen.strides, strict=True) if n > 1]
            for seen in (found, expected)
        ]
        assert steps[0] == steps[1]
        assert len(steps[0]) == len(sizes)
        assert found.ctypes.data == x.ctypes.data
    assert found.base is not None
    assert found.flags.writeable


def test_memory_that_must_not_be_written_stays_so(native):
    x = np.ones((2, 3))
    x.setflags(write=False)
    for found in (
        native("cr::_view")(x, size=(6,)), native("cr::_t")(x),
        native("cr::_expand")(x, size=(4, 2, 3)),
    ):  # fmt: skip
        assert not found.flags.writeable


def test_a_view_keeps_its_memory_alive(native):
    found = native("cr::_view")(np.full(1000, 7.0), size=(10, 100))

    assert (found == 7).all()


@pytest.mark.parametrize("case", PASSED_ON)
def test_what_is_no_plain_view_is_passed_on(native, declined, case):
    op, x, keywords = PASSED_ON[case]
    with pytest.raises(declined):
        native(op)(x, **keywords)
