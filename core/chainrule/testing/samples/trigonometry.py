"""Samples of chainrule/ops/trigonometry.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import OpCase
from .arithmetic import INEXACT, REAL, one_operand, refuses, two_tensors

if TYPE_CHECKING:
    from collections.abc import Callable

ANY = ("int64", *INEXACT)


def case(
    name: str,
    reference: Callable[..., Any],
    low: float = -2.0,
    high: float = 2.0,
    saved: str = "self",
    dtypes: tuple[str, ...] = ANY,
) -> OpCase:
    """Return the case of a function of one operand, on a range of values."""
    return OpCase(
        name, one_operand(low, high), reference, dtypes, saved=(saved,),
        node=f"{name.capitalize()}Backward0", in_place=f"{name}_",
    )  # fmt: skip


cases = [
    case("sin", lambda np, x: np.sin(x)),
    case("cos", lambda np, x: np.cos(x)),
    case("tan", lambda np, x: np.tan(x), -1.0, 1.0, saved="result"),
    case("asin", lambda np, x: np.arcsin(x), -0.9, 0.9),
    case("acos", lambda np, x: np.arccos(x), -0.9, 0.9),
    case("atan", lambda np, x: np.arctan(x), -0.9, 0.9),
    case("sinh", lambda np, x: np.sinh(x)),
    case("cosh", lambda np, x: np.cosh(x)),
    case("tanh", lambda np, x: np.tanh(x), -1.0, 1.0, saved="result"),
    case("asinh", lambda np, x: np.arcsinh(x), -0.9, 0.9),
    case("acosh", lambda np, x: np.arccosh(x), 1.1, 4.0, dtypes=INEXACT),
    case("atanh", lambda np, x: np.arctanh(x), -0.9, 0.9, dtypes=INEXACT),
    OpCase(
        "atan2", two_tensors(), lambda np, y, x: np.arctan2(y, x), ("int64", *REAL),
        saved=("other", "self"), node="Atan2Backward0",
        errors=refuses("atan2_cpu", "complex64", operands=2), in_place="atan2_",
    ),
    OpCase(
        "hypot", two_tensors(), lambda np, x, y: np.sqrt(x * x + y * y), REAL,
        saved=("other", "result", "self"), node="HypotBackward0",
        errors=refuses("hypot_cpu", "int64", "complex64", operands=2), in_place="hypot_",
    ),
]  # fmt: skip
