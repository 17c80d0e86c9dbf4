"""Promises about dtypes: what two of them make, and how they print."""

from __future__ import annotations

import copy
import pickle

import pytest

from chainrule import dtypes
from chainrule.dtypes import (
    ALL,
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    uint8,
)


def test_promotion_has_an_order_that_does_not_matter():
    narrow = [dtype for dtype in ALL if dtype not in dtypes.WIDE_UNSIGNED]
    for one in narrow:
        assert promote_types(one, one) is one
        for other in narrow:
            assert promote_types(one, other) is promote_types(other, one)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (int64, float16, float16),
        (uint8, int8, int16),
        (uint8, int64, int64),
        (bool_, uint8, uint8),
        (float32, float64, float64),
        (float64, complex64, complex128),
        (int64, complex64, complex64),
        (float16, dtypes.bfloat16, float32),
        (int32, float32, float32),
    ],
)
def test_higher_category_wins_and_keeps_its_size(one, other, both):
    assert promote_types(one, other) is both


def test_tensors_without_dimensions_count_by_category_alone():
    assert dtypes.default_promotion([int32], [int64], []) is int32
    assert dtypes.default_promotion([float32], [float64], []) is float32
    assert dtypes.default_promotion([int64], [float64], []) is float64


def test_python_numbers_bring_the_default_of_their_category():
    assert dtypes.default_promotion([int8], [], [dtypes.INTEGER]) is int8
    assert dtypes.default_promotion([int8], [], [dtypes.FLOATING]) is float32
    assert dtypes.default_promotion([float64], [], [dtypes.COMPLEX]) is complex128
    assert dtypes.default_promotion([float16], [], [dtypes.FLOATING]) is float16


def test_dtypes_print_with_pytorchs_names_and_survive_copying():
    for dtype in ALL:
        assert repr(dtype) == f"torch.{dtype.name}"
        assert pickle.loads(pickle.dumps(dtype)) is dtype  # noqa: S301 - our own bytes
        assert copy.deepcopy(dtype) is dtype


def test_default_dtype_must_be_floating():
    with pytest.raises(
        TypeError, match=r"^only floating-point types are supported as the default type"
    ):
        dtypes.set_default_dtype(int64)

    dtypes.set_default_dtype(float64)
    assert dtypes.get_default_dtype() is float64


def test_bool_is_a_number_of_its_own_category():
    assert [dtypes.category_of_number(n) for n in (True, 1, 1.0, 1j)] == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["uint16", "uint32", "uint64"])
def test_wide_unsigned_dtypes_hold_their_numbers_and_mix_with_floating_ones_alone(name):
    dtype = dtypes.by_name(name)

    assert not dtype.is_signed
    assert dtypes.promote_types(dtype, dtypes.float16) is dtypes.float16
    assert dtypes.promote_types(dtype, dtype) is dtype
    with pytest.raises(RuntimeError, match="Promotion for uint16, uint32, uint64 types is not"):
        dtypes.promote_types(dtypes.int64, dtype)
