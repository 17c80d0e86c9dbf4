"""Samples of chainrule/ops/arithmetic.py, and what other files of elementwise ops share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

    Samples = Callable[[Maker], Iterator[Sample]]
    Errors = Callable[[Maker], Iterator[ErrorSample]]

REAL = ("float16", "float32", "float64")
INTEGERS = ("uint8", "int32", "int64")
INEXACT = ("float16", "float32", "float64", "complex64", "complex128")
NUMBERS = (*INTEGERS, *INEXACT)


def one_operand(low: float = -2.0, high: float = 2.0) -> Samples:
    """Return the samples that every op of one operand must take, with values in a range."""

    def samples(make: Maker) -> Iterator[Sample]:
        yield Sample(make(2, 3, low=low, high=high))
        yield Sample(make(low=low, high=high))
        yield Sample(make(0, 3))
        yield Sample(make.transposed(3, 4, low=low, high=high))
        yield Sample(make.strided(3, 4, low=low, high=high))

    return samples


def two_tensors(*ranges: tuple[float, float]) -> Samples:
    """Return pairs of tensors that broadcast, with values in a range for each of the two."""
    (first, second) = [{"low": a, "high": b} for a, b in ranges or [(-2.0, 2.0)] * 2]

    def samples(make: Maker) -> Iterator[Sample]:
        yield Sample(make(3, 4, **first), make(3, 4, **second))
        yield Sample(make(3, 4, **first), make(4, **second))
        yield Sample(make(3, 1, **first), make(1, 4, **second))
        yield Sample(make(**first), make(2, 3, **second))
        yield Sample(make(**first), make(**second))
        yield Sample(make(0, 3), make(3, **second))
        yield Sample(make.transposed(3, 4, **first), make.strided(3, 4, **second))

    return samples


def with_number(samples: Samples, floating: float = 2.5, integer: int = 2) -> Samples:
    """Return *samples* and one whose second operand is a Python number."""

    def more(make: Maker) -> Iterator[Sample]:
        yield from samples(make)
        first = next(samples(make)).args[0]
        yield Sample(first, floating if make.dtype.category >= dtypes.FLOATING else integer)

    return more


def two_operands(make: Maker) -> Iterator[Sample]:
    """Yield pairs that a binary op must take: equal shapes, broadcasting, odd strides, numbers."""
    yield from with_number(two_tensors())(make)


def two_operands_errors(make: Maker) -> Iterator[ErrorSample]:
    """Yield pairs that no binary op takes."""
    shapes = r"The size of tensor a \(3\) must match the size of tensor b \(4\) at non-singleton"
    yield refused(Sample(make(2, 3), make(2, 4)), shapes)


def refused(sample: Sample, match: str, raises: type[Exception] = RuntimeError) -> ErrorSample:
    """Return a call that must fail, with a RuntimeError where nothing else is said."""
    return ErrorSample(sample=sample, raises=raises, match=match)


def divided_by_zero(*operands: Any, **options: Any) -> ErrorSample:
    """Return a division of integers by zero."""
    sample = Sample(*operands, **options)
    return ErrorSample(sample=sample, raises=RuntimeError, match="ZeroDivisionError", on_host=True)


def refuses(
    word: str,
    *names: str,
    operands: int = 1,
    raises: type[Exception] = NotImplementedError,
) -> Errors:
    """Return calls with dtypes that an op does not take, where PyTorch's sentence says *word*."""

    def errors(make: Maker) -> Iterator[ErrorSample]:
        if operands == 2 and "float32" not in names:
            yield from two_operands_errors(make)
        for name in names:
            dtype = dtypes.by_name(name)
            sample = Sample(*(make(2, dtype=dtype) for _ in range(operands)))
            sentence = f"\"{word}\" not implemented for '{dtype.scalar_name}'"
            if " " in word:
                sentence = word
            yield refused(sample, sentence, raises)

    return errors


def divisors(make: Maker) -> Iterator[Sample]:
    """Yield pairs whose second is not 0."""
    yield from with_number(two_tensors((-7.0, 7.0), (1.0, 3.0)))(make)
    if make.dtype.is_signed:
        yield Sample(make(2, 3, low=-7.0, high=7.0), make(3, low=-3.0, high=-1.0))
        yield Sample(make(3, low=-7.0, high=7.0), -2)


def _with_alpha(make: Maker) -> Iterator[Sample]:
    yield from two_operands(make)
    yield Sample(make(2, 3), make(3), alpha=3)
    if make.dtype.category >= dtypes.FLOATING:
        yield Sample(make(2, 3), make(3), alpha=-0.5)


def _alpha_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from two_operands_errors(make)
    integers = [make(2, dtype=dtypes.int64) for _ in range(2)]
    floating = "For integral input tensors, argument alpha must not be a floating point number."
    yield refused(Sample(*integers, alpha=0.5), floating)
    boolean = "Boolean alpha only supported for Boolean results."
    yield refused(Sample(make(2), make(2), alpha=True), boolean)


def _subtraction_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from _alpha_errors(make)
    two = "Subtraction, the `-` operator, with two bool tensors is not supported."
    yield refused(Sample(make.mask(2), make.mask(2)), two)
    one = "Subtraction, the `-` operator, with a bool tensor is not supported."
    yield refused(Sample(make(2), make.mask(2)), one)
    yield refused(Sample(make.mask(2), 1), one)


def _rsub_errors(make: Maker) -> Iterator[ErrorSample]:
    one = "Subtraction, the `-` operator, with a bool tensor is not supported."
    yield refused(Sample(make.mask(2), 1), one)


def _rounded(make: Maker) -> Iterator[Sample]:
    yield from divisors(make)
    if not make.dtype.is_complex:
        for mode in ("floor", "trunc"):
            for sample in divisors(make):
                yield Sample(*sample.args, rounding_mode=mode)


def _division_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from two_operands_errors(make)
    unknown = "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found 'up'"
    yield refused(Sample(make(2), 2, rounding_mode="up"), unknown)
    one = make.of([1, 2], dtype=dtypes.int64)
    for mode in ("floor", "trunc"):
        yield divided_by_zero(one, 0, rounding_mode=mode)
        word = f"\"div_{mode}_cpu\" not implemented for 'ComplexFloat'"
        sample = Sample(make(2, dtype=dtypes.complex64), 2, rounding_mode=mode)
        yield refused(sample, word, NotImplementedError)


def by_zero(word: str) -> Errors:
    """Return divisions of integers by zero, and of what has no remainder."""

    def errors(make: Maker) -> Iterator[ErrorSample]:
        yield from refuses(word, "bool", "complex64", operands=2)(make)
        one = make.of([1, 2], dtype=dtypes.int64)
        yield divided_by_zero(one, 0)
        yield divided_by_zero(one, make.of([1, 0], dtype=dtypes.int64))

    return errors


def _quotient(np: Any, x: Any, y: Any, rounding_mode: str | None = None) -> Any:
    if rounding_mode is None:
        return x / y
    return np.floor(x / y) if rounding_mode == "floor" else np.trunc(x / y)


def three_operands(make: Maker) -> Iterator[Sample]:
    """Yield triples that broadcast; the last is not near 0."""
    yield Sample(make(3, 4), make(3, 4), make(3, 4, low=0.5))
    yield Sample(make(4), make(3, 1), make(low=0.5))
    yield Sample(make(), make(), make(low=0.5))
    yield Sample(make(0, 3), make(3), make(1, low=0.5))
    yield Sample(make.transposed(3, 4), make.strided(3, 4), make(4, low=0.5))


def _with_value(make: Maker) -> Iterator[Sample]:
    yield from three_operands(make)
    yield Sample(make(2, 3), make(2, 3), make(3, low=0.5), value=3)


def _quotient_errors(make: Maker) -> Iterator[ErrorSample]:
    integers = [make(2, dtype=dtypes.int64) for _ in range(3)]
    yield refused(Sample(*integers), "Integer division with addcdiv is no longer supported")


def _weighted(make: Maker) -> Iterator[Sample]:
    for weight in (0.25, 0.75, 0, 1, -1.5):
        yield Sample(make(2, 3), make(3), weight)
    yield Sample(make(), make(0, 3), 0.5)
    yield Sample(make.transposed(3, 4), make.strided(3, 4), make(4))
    yield Sample(make(), make(), make())


def _lerp_errors(make: Maker) -> Iterator[ErrorSample]:
    double = make(2, dtype=dtypes.float64)
    ends = "expected dtype float for `end` but got dtype double"
    yield refused(Sample(make(2), double, 0.5), ends)
    weights = "expected dtype float for `weight` but got dtype double"
    yield refused(Sample(make(2), make(2), double), weights)
    shapes = r"The size of tensor a \(3\) must match the size of tensor b \(4\) at non-singleton"
    yield refused(Sample(make(2, 3), make(2, 4), 0.5), shapes)


cases = [
    OpCase(
        "add", _with_alpha, lambda np, x, y, alpha=1: x + alpha * y, NUMBERS,
        saved=("alpha",), node="AddBackward0", errors=_alpha_errors, in_place="add_",
    ),
    OpCase(
        "sub", _with_alpha, lambda np, x, y, alpha=1: x - alpha * y, NUMBERS[1:],
        saved=("alpha",), node="SubBackward0", errors=_subtraction_errors, in_place="sub_",
    ),
    OpCase(
        "rsub", _with_alpha, lambda np, x, y, alpha=1: y - alpha * x, NUMBERS[1:],
        saved=("alpha",), node="RsubBackward0", errors=_rsub_errors,
    ),
    OpCase(
        "mul", two_operands, lambda np, x, y: x * y, ("bool", *NUMBERS),
        saved=("self", "other"), node="MulBackward0", errors=two_operands_errors, in_place="mul_",
    ),
    OpCase(
        "div", _rounded, _quotient, NUMBERS,
        saved=("self", "other"), node="DivBackward0", errors=_division_errors, in_place="div_",
    ),
    OpCase(
        "floor_divide", divisors, lambda np, x, y: x // y, (*INTEGERS, *REAL[:2]), grad=False,
        errors=by_zero("div_floor_cpu"), in_place="floor_divide_",
    ),
    OpCase(
        "remainder", divisors, lambda np, x, y: np.remainder(x, y), (*INTEGERS, *REAL),
        saved=("self", "other"), node="RemainderBackward1", errors=by_zero("remainder_cpu"),
        in_place="remainder_",
    ),
    OpCase(
        "fmod", divisors, lambda np, x, y: np.fmod(x, y), (*INTEGERS, *REAL),
        saved=("self", "other"), node="FmodBackward1", errors=by_zero("fmod_cpu"),
        in_place="fmod_",
    ),
    OpCase(
        "addcmul", _with_value, lambda np, x, a, b, value=1: x + value * a * b,
        ("int64", *INEXACT), saved=("tensor1", "tensor2", "value"), node="AddcmulBackward0",
        in_place="addcmul_",
    ),
    OpCase(
        "addcdiv", _with_value, lambda np, x, a, b, value=1: x + value * a / b, INEXACT,
        saved=("tensor1", "tensor2", "value"), node="AddcdivBackward0", errors=_quotient_errors,
        in_place="addcdiv_",
    ),
    OpCase(
        "lerp", _weighted, lambda np, x, end, weight: x + weight * (end - x), INEXACT,
        saved=("weight",), node="LerpBackward0", errors=_lerp_errors, in_place="lerp_",
    ),
]  # fmt: skip
