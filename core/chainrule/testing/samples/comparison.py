"""Samples of chainrule/ops/comparison.py, closeness.py and bitwise.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample
from .arithmetic import (
    INTEGERS,
    NUMBERS,
    REAL,
    one_operand,
    refused,
    refuses,
    two_operands_errors,
    two_tensors,
    with_number,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

NAN, INF = float("nan"), float("inf")
ANY = ("bool", *NUMBERS)


def _with_equals(make: Maker) -> Iterator[Sample]:
    yield from with_number(two_tensors(), 0.5, 1)(make)
    yield Sample(make.of([0, 1, 2]), make.of([2, 1, 0]))
    yield Sample(make.of([0, 1, 2]), 1)


def _with_infinities(make: Maker) -> Iterator[Sample]:
    yield from one_operand()(make)
    if make.dtype.is_floating_point:
        yield Sample(make.of([0.0, 1.0, NAN, INF, -INF]))


def _truths(make: Maker) -> Iterator[Sample]:
    yield from two_tensors()(make)
    yield Sample(make.of([0, 1, 0, 2]), make.of([0, 0, 1, 1]))


def _near(make: Maker) -> Iterator[Sample]:
    x = make(2, 3)
    yield Sample(x, x.detach().clone())
    yield Sample(make(2, 3), make(3))
    yield Sample(make(), make())
    yield Sample(make(0, 3), make(3))
    yield Sample(make.of([1, 2, 3]), make.of([1, 3, 5]), rtol=0.4, atol=0.0)
    yield Sample(make.of([1, 2, 3]), make.of([1, 3, 5]), rtol=0.0, atol=1.0)
    if make.dtype.is_floating_point:
        odd = make.of([NAN, INF, -INF, INF]), make.of([NAN, INF, INF, 1.0])
        yield Sample(*odd)
        yield Sample(*odd, equal_nan=True)
        yield Sample(*odd, rtol=0.0, atol=0.0)


def _near_errors(make: Maker) -> Iterator[ErrorSample]:
    double = make(2, dtype=dtypes.float64)
    yield refused(Sample(make(2), double), "Float did not match Double")
    pair = make(2), make(2)
    for name in ("rtol", "atol"):
        sentence = f"{name} must be greater than or equal to zero, but got -1"
        yield refused(Sample(*pair, **{name: -1.0}), sentence)


def _same_shape(make: Maker) -> Iterator[Sample]:
    x = make(2, 3)
    yield Sample(x, x.detach().clone())
    yield Sample(make(2, 3), make(2, 3, low=3.0, high=5.0))
    yield Sample(make(2, 3), make(3))
    yield Sample(make(0), make(0))


def _equal(np: Any, x: Any, y: Any) -> bool:
    return bool(np.array_equal(x, y))


def _bits(make: Maker) -> Iterator[Sample]:
    yield from with_number(two_tensors((0.0, 20.0), (0.0, 5.0)), integer=3)(make)


def comparison(name: str, reference: Callable[..., Any], *dtypes: str) -> OpCase:
    """Return the case of a comparison of two."""
    errors = two_operands_errors if not dtypes else refuses(f"{name}_cpu", "complex64", operands=2)
    return OpCase(
        name, _with_equals, reference, dtypes or ANY, grad=False, errors=errors,
        in_place=f"{name}_",
    )  # fmt: skip


def logic(name: str, reference: Callable[..., Any]) -> OpCase:
    """Return the case of an op on truth values."""
    return OpCase(
        name, _truths, reference, ANY, grad=False, errors=two_operands_errors, in_place=f"{name}_"
    )


def test(name: str, reference: Callable[..., Any], *dtypes: str) -> OpCase:
    """Return the case of a question about each element."""
    sentence = f"{name} does not support complex inputs."
    errors = refuses(sentence, "complex64", raises=RuntimeError) if dtypes else None
    return OpCase(name, _with_infinities, reference, dtypes or ANY, grad=False, errors=errors)


def bitwise(name: str, word: str, reference: Callable[..., Any], *dtypes: str) -> OpCase:
    """Return the case of an op on bits."""
    return OpCase(
        name, _bits, reference, dtypes or ("bool", *INTEGERS), grad=False,
        errors=refuses(word, "float32", "complex64", operands=2), in_place=f"{name}_",
    )  # fmt: skip


ORDERED = ("bool", *INTEGERS, *REAL)

cases = [
    comparison("eq", lambda np, x, y: x == y),
    comparison("ne", lambda np, x, y: x != y),
    comparison("lt", lambda np, x, y: x < y, *ORDERED),
    comparison("le", lambda np, x, y: x <= y, *ORDERED),
    comparison("gt", lambda np, x, y: x > y, *ORDERED),
    comparison("ge", lambda np, x, y: x >= y, *ORDERED),
    logic("logical_and", lambda np, x, y: np.logical_and(x, y)),
    logic("logical_or", lambda np, x, y: np.logical_or(x, y)),
    logic("logical_xor", lambda np, x, y: np.logical_xor(x, y)),
    OpCase(
        "logical_not", one_operand(), lambda np, x: np.logical_not(x), ANY, grad=False,
        in_place="logical_not_",
    ),
    test("isnan", lambda np, x: np.isnan(x)),
    test("isinf", lambda np, x: np.isinf(x)),
    test("isfinite", lambda np, x: np.isfinite(x)),
    test("isposinf", lambda np, x: np.isposinf(x), *ORDERED),
    test("isneginf", lambda np, x: np.isneginf(x), *ORDERED),
    OpCase(
        "isclose", _near, lambda np, x, y, **options: np.isclose(x, y, **options),
        NUMBERS, grad=False, errors=_near_errors,
    ),
    OpCase(
        "allclose", _near, lambda np, x, y, **options: np.allclose(x, y, **options), NUMBERS,
        grad=False, errors=_near_errors,
    ),
    OpCase("equal", _same_shape, _equal, ANY, grad=False),
    OpCase(
        "bitwise_not", one_operand(0.0, 20.0), lambda np, x: np.invert(x), ("bool", *INTEGERS),
        grad=False, errors=refuses("bitwise_not_cpu", "float32"), in_place="bitwise_not_",
    ),
    bitwise("bitwise_and", "bitwise_and_cpu", lambda np, x, y: x & y),
    bitwise("bitwise_or", "bitwise_or_cpu", lambda np, x, y: x | y),
    bitwise("bitwise_xor", "bitwise_xor_cpu", lambda np, x, y: x ^ y),
    bitwise("bitwise_left_shift", "lshift_cpu", lambda np, x, y: x << y, *INTEGERS),
    bitwise("bitwise_right_shift", "rshift_cpu", lambda np, x, y: x >> y, *INTEGERS),
]  # fmt: skip
