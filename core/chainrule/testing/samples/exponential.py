"""Samples of chainrule/ops/exponential.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import OpCase, Sample
from .arithmetic import INEXACT, REAL, one_operand, refuses, two_tensors, with_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

ANY = ("int64", *INEXACT)


def _factors(make: Maker) -> Iterator[Sample]:
    yield from with_number(two_tensors((-2.0, 2.0), (0.5, 3.0)))(make)
    yield Sample(2.5, make(3, low=0.5))
    yield Sample(make.of([0, 0]), make.of([2, 1]))


def _xlogy(np: Any, x: Any, y: Any) -> Any:
    return np.where(x == 0, 0, x * np.log(y))


def case(
    name: str,
    reference: Callable[..., Any],
    low: float = -2.0,
    high: float = 2.0,
    saved: str = "self",
    node: str | None = None,
) -> OpCase:
    """Return the case of a function of one operand, on a range of values."""
    return OpCase(
        name, one_operand(low, high), reference, ANY, saved=(saved,),
        node=node or f"{name.capitalize()}Backward0", in_place=f"{name}_",
    )  # fmt: skip


cases = [
    case("exp", lambda np, x: np.exp(x), saved="result"),
    case("exp2", lambda np, x: np.exp(x * np.log(2)), saved="result"),
    case("expm1", lambda np, x: np.expm1(x), saved="result"),
    case("log", lambda np, x: np.log(x), 0.5, 4.0),
    case("log1p", lambda np, x: np.log1p(x), -0.5, 3.0, node="Log1PBackward0"),
    case("log2", lambda np, x: np.log(x) / np.log(2), 0.5, 4.0),
    case("log10", lambda np, x: np.log10(x), 0.5, 4.0),
    case("sigmoid", lambda np, x: 1 / (1 + np.exp(-x)), -6.0, 6.0, saved="result"),
    OpCase(
        "xlogy", _factors, _xlogy, ("int64", *REAL), saved=("other", "self"),
        node="XlogyBackward0", errors=refuses("xlogy_cpu", "complex64", operands=2),
        in_place="xlogy_",
    ),
    OpCase(
        "logaddexp", two_tensors(), lambda np, x, y: np.log(np.exp(x) + np.exp(y)), INEXACT,
        saved=("other", "self"), node="LogaddexpBackward0",
        errors=refuses("logaddexp_cpu", "int64", "bool", operands=2),
    ),
    OpCase(
        "logaddexp2", two_tensors(), lambda np, x, y: np.logaddexp2(x, y), REAL,
        saved=("other", "self"), node="Logaddexp2Backward0",
        errors=refuses("logaddexp2_cpu", "int64", "complex64", operands=2),
    ),
]  # fmt: skip
