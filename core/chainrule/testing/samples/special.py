"""Samples of chainrule/ops/special.py.

Values are compared with PyTorch's, and with true ones in tests/backends: NumPy has none of these.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample
from .arithmetic import REAL, one_operand, refused, refuses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

ANY = ("int64", *REAL)


def _orders(make: Maker) -> Iterator[Sample]:
    for order in (1, 0, 2, 3):
        yield Sample(order, make(2, 3, low=1.0, high=5.0))
    yield Sample(1, make(low=1.0, high=5.0))
    yield Sample(1, make(0, 3))
    yield Sample(2, make.transposed(3, 4, low=1.0, high=5.0))


def _order_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(-1, make(2)), r"polygamma\(n, x\) does not support negative n.")


def by_element(function: Callable[[float], float]) -> Callable[..., Any]:
    """Return a reference that applies a function of Python's to every element."""
    return lambda np, x: np.vectorize(function, otypes=[float])(x)


def case(
    name: str,
    reference: Callable[..., Any] | None,
    low: float,
    high: float,
    word: str = "",
    tolerance: float | None = None,
) -> OpCase:
    """Return the case of a function of one operand, on a range of values."""
    return OpCase(
        name, one_operand(low, high), reference, ANY, saved=("self",),
        node=f"{name.capitalize()}Backward0", in_place=f"{name}_",
        errors=refuses(word or f"{name}_vml_cpu", "complex64"),
        tolerance={} if tolerance is None else {"float64": tolerance},
    )  # fmt: skip


# PyTorch's derivatives of digamma are series that are cut off early: these tolerances are theirs.
# How exact ours are is the business of tests/backends/test_special_accuracy.py.
TRIGAMMA, POLYGAMMA = 1e-9, 1e-7

cases = [
    case("erf", by_element(math.erf), -3.0, 3.0),
    case("erfc", by_element(math.erfc), -3.0, 3.0),
    case("erfinv", None, -0.9, 0.9),
    case("lgamma", by_element(math.lgamma), 1.0, 5.0, tolerance=TRIGAMMA),
    case("digamma", None, 1.0, 5.0, word="digamma", tolerance=TRIGAMMA),
    OpCase(
        "polygamma", _orders, None, ("int64", *REAL), saved=("n", "self"),
        node="PolygammaBackward0", errors=_order_errors, tolerance={"float64": POLYGAMMA},
    ),
]  # fmt: skip
