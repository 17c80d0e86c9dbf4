"""Samples of chainrule/ops/pointwise.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample
from .arithmetic import (
    INEXACT,
    INTEGERS,
    NUMBERS,
    REAL,
    one_operand,
    refused,
    refuses,
    two_tensors,
    with_number,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

NAN, INF = float("nan"), float("inf")


def _with_decimals(make: Maker) -> Iterator[Sample]:
    yield from one_operand(-30.0, 30.0)(make)
    if make.dtype.is_floating_point:
        yield Sample(make.of([0.5, 1.5, -0.5, -1.5]).detach())
        for decimals in (2, 0, -1):
            yield Sample(make(2, 3, low=-30.0, high=30.0), decimals=decimals)


def _rounded(np: Any, x: Any, decimals: int = 0) -> Any:
    return np.rint(x * 10.0**decimals) / 10.0**decimals


def _decimal_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from refuses("round_vml_cpu", "bool", "complex64")(make)
    integers = Sample(make.index(3, below=5), decimals=1)
    yield refused(integers, "\"round_cpu\" not implemented for 'Long'", NotImplementedError)


def _not_numbers(make: Maker) -> Iterator[Sample]:
    yield from one_operand()(make)
    if make.dtype.is_floating_point:
        yield Sample(make.of([1.0, NAN, INF, -INF]))
        yield Sample(make.of([1.0, NAN, INF, -INF]), 3.0, 4.0, -5.0)
        yield Sample(make.of([NAN, INF]), nan=-1.0, posinf=2.0)


def _finite(
    np: Any, x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def _neg_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make.mask(2)), "Negation, the `-` operator, on a bool tensor is not")


def _positive_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make.mask(2)), "The `\\+` operator, on a bool tensor is not supported.")


def rounding(name: str, reference: Callable[..., Any]) -> OpCase:
    """Return the case of a function that rounds in one direction."""
    return OpCase(
        name, one_operand(-30.0, 30.0), reference, (*INTEGERS, *REAL), saved=(),
        node=f"{name.capitalize()}Backward0", errors=refuses(f"{name}_vml_cpu", "bool"),
        in_place=f"{name}_",
    )  # fmt: skip


cases = [
    OpCase(
        "abs", one_operand(), lambda np, x: np.abs(x), NUMBERS, saved=("self",),
        node="AbsBackward0", errors=refuses("abs_cpu", "bool"), in_place="abs_",
    ),
    OpCase(
        "neg", one_operand(), lambda np, x: -x, NUMBERS, saved=(), node="NegBackward0",
        errors=_neg_errors, in_place="neg_",
    ),
    OpCase("positive", one_operand(), lambda np, x: x, NUMBERS, errors=_positive_errors),
    OpCase(
        "sign", one_operand(), lambda np, x: np.sign(x), (*INTEGERS, *REAL), saved=(),
        node="SignBackward0", in_place="sign_",
        errors=refuses("Unlike NumPy, torch.sign is not intended to support complex", "complex64"),
    ),
    OpCase(
        "sgn", one_operand(), lambda np, x: np.where(x == 0, 0, x / np.abs(x)), INEXACT,
        saved=("result", "self"), node="SgnBackward0", in_place="sgn_",
    ),
    rounding("floor", lambda np, x: np.floor(x)),
    rounding("ceil", lambda np, x: np.ceil(x)),
    rounding("trunc", lambda np, x: np.trunc(x)),
    OpCase(
        "round", _with_decimals, _rounded, (*INTEGERS, *REAL), saved=(), node="RoundBackward0",
        errors=_decimal_errors, in_place="round_",
    ),
    OpCase(
        "frac", one_operand(-30.0, 30.0), lambda np, x: x - np.trunc(x), REAL, saved=(),
        node="FracBackward0", errors=refuses("frac_cpu", "int64"), in_place="frac_",
    ),
    OpCase(
        "nan_to_num", _not_numbers, _finite, ("int64", "float64"), grad=False,
        in_place="nan_to_num_",
    ),
    OpCase(
        "copysign", with_number(two_tensors(), -1.5), lambda np, x, y: np.copysign(x, y), REAL,
        saved=("result", "self"), node="CopysignBackward0", in_place="copysign_",
        errors=refuses("copysign_cpu", "complex64", operands=2),
    ),
    OpCase(
        "nextafter", two_tensors(), lambda np, x, y: np.nextafter(x, y), ("float64",),
        saved=("other", "self"), node="NextafterBackward0", in_place="nextafter_",
        errors=refuses("nextafter_cpu", "int64", operands=2),
    ),
]  # fmt: skip
