"""Which Python numbers a tensor of a dtype is filled with, and which are refused."""

from __future__ import annotations

import math

import pytest

WAYS = {
    "fill_": lambda lib, x, number: x.fill_(number),
    "masked_fill": lambda lib, x, number: x.masked_fill(lib.tensor(True), number),
    "index_fill": lambda lib, x, number: x.index_fill(0, lib.tensor([0]), number),
    "full_like": lambda lib, x, number: lib.full_like(x, number),
}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@ways
@pytest.mark.parametrize(
    ("dtype", "number", "found"),
    [
        ("uint8", -100, 156), ("uint8", 254.9, 254), ("int8", -1.7, -1), ("bool", 3, True),
        ("float32", math.inf, math.inf), ("int64", 2**40, 2**40), ("complex64", 2j, 2j),
    ],
)  # fmt: skip
def test_number_that_fits_is_what_the_tensor_holds(lib, way, dtype, number, found):
    x = lib.zeros(1, dtype=getattr(lib, dtype))

    assert way(lib, x, number).tolist() == [found]


@ways
@pytest.mark.parametrize(
    ("dtype", "number", "name"),
    [
        ("uint8", 300, "uint8_t"), ("uint8", 255.9, "uint8_t"), ("uint8", -300, "uint8_t"),
        ("uint8", -1.5, "uint8_t"),
        ("int8", 200, "int8_t"), ("int32", math.nan, "int"), ("float32", 1e300, "float"),
    ],
)  # fmt: skip
def test_number_that_does_not_fit_is_refused(lib, raises, way, dtype, number, name):
    x = lib.zeros(1, dtype=getattr(lib, dtype))

    with raises(RuntimeError, f"value cannot be converted to type {name} without overflow"):
        way(lib, x, number)


def test_mask_of_half_precision_is_not_filled_with_what_would_be_infinite(lib, raises):
    scores, mask = lib.zeros(2, dtype=lib.float16), lib.tensor([True, False])

    with raises(RuntimeError, "value cannot be converted to type c10::Half without overflow"):
        scores.masked_fill(mask, -1e9)
    assert scores.masked_fill(mask, -math.inf).tolist() == [-math.inf, 0]


def test_half_precision_is_filled_with_infinity_for_a_number_too_large(lib):
    assert lib.zeros(1, dtype=lib.float16).fill_(-1e6).tolist() == [-math.inf]


@pytest.mark.parametrize(
    ("dtype", "given", "found"),
    [
        ("uint8", [1, -2], [1, 254]), ("uint8", -255, 1), ("int32", [1.7, -1.7], [1, -1]),
        ("float16", [1e6], [math.inf]), ("float32", [2**70], [2.0**70]),
    ],
)  # fmt: skip
def test_list_holds_numbers_that_the_dtype_holds(lib, dtype, given, found):
    assert lib.tensor(given, dtype=getattr(lib, dtype)).tolist() == found


@pytest.mark.parametrize(
    ("dtype", "given"),
    [
        ("uint8", [256]), ("uint8", [-256]), ("uint8", [-1.5]), ("int8", [0, 200]),
        ("int16", [[2**40]]), ("int32", [math.nan]),
    ],
)  # fmt: skip
def test_list_with_a_number_that_does_not_fit_is_refused(lib, raises, dtype, given):
    with raises(RuntimeError, f"value cannot be converted to type {dtype} without overflow"):
        lib.tensor(given, dtype=getattr(lib, dtype))


def test_list_with_a_number_too_large_for_int64_is_refused(lib, raises):
    with raises(ValueError, "Overflow when unpacking long long"):
        lib.tensor([2**63])


def test_tensor_that_fills_is_cast(lib):
    x = lib.zeros(1, dtype=lib.int64)

    assert x.fill_(lib.tensor(3.7)).tolist() == [3]


def test_complex_number_without_imaginary_part_becomes_an_integer(lib, raises):
    assert int(lib.tensor(2 + 0j)) == 2
    with raises(RuntimeError, "value cannot be converted to type int64_t without overflow"):
        int(lib.tensor(1.5j))


def test_elements_roll_as_if_flat_where_no_dimension_is_named(lib):
    assert lib.arange(4).roll(1, dims=None).tolist() == [3, 0, 1, 2]
