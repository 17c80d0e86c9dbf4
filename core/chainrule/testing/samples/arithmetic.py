"""Samples of chainrule/ops/arithmetic.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker


def two_operands(make: Maker) -> Iterator[Sample]:
    """Pairs that every binary op must take: equal shapes, broadcasting, 0-d, empty, odd strides, numbers."""
    yield Sample(make(3, 4), make(3, 4))
    yield Sample(make(3, 4), make(4))
    yield Sample(make(3, 1), make(1, 4))
    yield Sample(make(), make(2, 3))
    yield Sample(make(), make())
    yield Sample(make(0, 3), make(3))
    yield Sample(make.transposed(3, 4), make.strided(3, 4))
    yield Sample(make(3), 2.5 if make.dtype.is_floating_point else 2)


def two_operands_errors(make: Maker) -> Iterator[ErrorSample]:
    """Pairs that no binary op takes."""
    yield ErrorSample(
        sample=Sample(make(2, 3), make(2, 4)),
        raises=RuntimeError,
        match=r"The size of tensor a \(3\) must match the size of tensor b \(4\) at non-singleton dimension 1",
    )


def _with_alpha(make: Maker) -> Iterator[Sample]:
    yield from two_operands(make)
    yield Sample(make(2, 3), make(3), alpha=3)


ARITHMETIC = ("int64", "float32", "float64", "complex128")

cases = [
    OpCase(
        "add", _with_alpha, lambda np, x, y, alpha=1: x + alpha * y, ARITHMETIC,
        saved=("alpha",), node="AddBackward0", errors=two_operands_errors, in_place="add_",
    ),
    OpCase(
        "mul", two_operands, lambda np, x, y: x * y, ARITHMETIC,
        saved=("self", "other"), node="MulBackward0", errors=two_operands_errors, in_place="mul_",
    ),
]  # fmt: skip
