"""Samples of chainrule/ops/power.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample
from .arithmetic import (
    INEXACT,
    INTEGERS,
    one_operand,
    refused,
    two_operands_errors,
    two_tensors,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker


def _exponents(make: Maker) -> Iterator[Sample]:
    floating = make.dtype.category >= dtypes.FLOATING
    for exponent in (2, 3, 0.5, 0, 1, -1, -0.5, -2, 2.5, -3):
        if floating or exponent in {0, 1, 2, 3}:
            yield Sample(make(2, 3, low=0.5), exponent)
    yield Sample(make(low=0.5), 2)
    yield Sample(make(0, 3), 2)
    yield Sample(make.transposed(3, 4), 2)
    yield Sample(make.strided(3, 4), 3)
    yield from two_tensors((0.5, 2.0), (0.0, 2.0))(make)
    yield Sample(2.5 if floating else 2, make(2, 3, low=0.0))
    yield Sample(1, make(3, low=0.0))


def _pow_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from two_operands_errors(make)
    integers = make(2, dtype=dtypes.int64)
    yield refused(Sample(integers, -1), "Integers to negative integer powers are not allowed.")
    bools = make.mask(2), make.mask(2)
    yield refused(Sample(*bools), "\"pow\" not implemented for 'Bool'", NotImplementedError)


cases = [
    OpCase(
        "pow", _exponents, lambda np, x, y: np.power(x, y), (*INTEGERS, *INEXACT),
        saved=("exponent", "self"), node="PowBackward0", errors=_pow_errors, in_place="pow_",
    ),
    OpCase(
        "float_power", two_tensors((0.5, 2.0), (0.0, 2.0)), lambda np, x, y: np.power(x, y),
        ("int64", *INEXACT), saved=("exponent", "result", "self"), node="PowBackward1",
        tolerance={"float16": 4e-3, "float32": 2e-6},
    ),
    OpCase(
        "square", one_operand(), lambda np, x: x * x, (*INTEGERS, *INEXACT),
        saved=("exponent", "self"), node="PowBackward0", in_place="square_",
    ),
    OpCase(
        "sqrt", one_operand(0.5, 4.0), lambda np, x: np.sqrt(x), ("int64", *INEXACT),
        saved=("result",), node="SqrtBackward0", in_place="sqrt_",
    ),
    OpCase(
        "rsqrt", one_operand(0.5, 4.0), lambda np, x: 1 / np.sqrt(x), INEXACT,
        saved=("result",), node="RsqrtBackward0", in_place="rsqrt_",
    ),
    OpCase(
        "reciprocal", one_operand(0.5, 4.0), lambda np, x: 1 / x, INEXACT,
        saved=("result",), node="ReciprocalBackward0", in_place="reciprocal_",
    ),
]  # fmt: skip
