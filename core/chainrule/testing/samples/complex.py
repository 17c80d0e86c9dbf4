"""Samples of chainrule/ops/complex.py and polar.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample
from .arithmetic import NUMBERS, one_operand, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker

COMPLEX = ("complex64", "complex128")
FLOATS = ("float32", "float64")


def _pairs(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 2))
    yield Sample(make(2))
    yield Sample(make(0, 2))
    yield Sample(make(2, 3, 2))


def _parts(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3, low=0.5), make(2, 3))
    yield Sample(make(2, 1, low=0.5), make(3))
    yield Sample(make(low=0.5), make())
    yield Sample(make(0, 3), make(3))
    yield Sample(make.transposed(3, 4, low=0.5), make.strided(3, 4))


def _part_errors(make: Maker) -> Iterator[ErrorSample]:
    integers = make.index(2, below=3)
    kinds = "Expected both inputs to be Half, Float or Double tensors but got Long and Long"
    yield refused(Sample(integers, integers), kinds)
    double = make(2, dtype=dtypes.float64)
    second = "Expected object of scalar type Float but got scalar type Double for second argument"
    yield refused(Sample(make(2), double), second)


def _imag_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(2)), "imag is not implemented for tensors with non-complex dtypes.")


def _view_as_real_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(2)), "view_as_real is only supported for complex tensors")


def _view_as_complex_errors(make: Maker) -> Iterator[ErrorSample]:
    kinds = "view_as_complex is only supported for half, float and double tensors, but got a tensor"
    yield refused(Sample(make.index(2, below=3)), kinds)
    yield refused(Sample(make()), "Input tensor must have one or more dimensions")
    yield refused(Sample(make(3)), "Tensor must have a last dimension of size 2")
    yield refused(Sample(make.strided(3, 2)), "Tensor must have a last dimension with stride 1")
    yield refused(
        Sample(make(3, 3).detach()[:, :2]),
        "Tensor must have a stride divisible by 2 for all but last dimension",
    )


def _as_complex(np: Any, x: Any) -> Any:
    return x[..., 0] + 1j * x[..., 1]


cases = [
    OpCase("conj", one_operand(), lambda np, x: np.conj(x), NUMBERS),
    OpCase(
        "conj_physical", one_operand(), lambda np, x: np.conj(x), COMPLEX, in_place="conj_physical_"
    ),
    OpCase("resolve_conj", one_operand(), lambda np, x: x, NUMBERS),
    OpCase("real", one_operand(), lambda np, x: np.real(x), NUMBERS),
    OpCase("imag", one_operand(), lambda np, x: np.imag(x), COMPLEX, errors=_imag_errors),
    OpCase(
        "view_as_real", one_operand(), lambda np, x: np.stack([x.real, x.imag], -1), COMPLEX,
        errors=_view_as_real_errors,
    ),
    OpCase(
        "view_as_complex", _pairs, _as_complex, FLOATS, saved=(), node="ViewAsComplexBackward0",
        errors=_view_as_complex_errors,
    ),
    OpCase(
        "complex", _parts, lambda np, x, y: x + 1j * y, FLOATS, saved=("imag", "real"),
        node="ComplexBackward0", errors=_part_errors,
    ),
    OpCase(
        "polar", _parts, lambda np, r, angle: r * np.exp(1j * angle), FLOATS,
        saved=("result",), node="PolarBackward0", errors=_part_errors,
    ),
    OpCase(
        "angle", one_operand(), lambda np, x: np.angle(x),
        ("int64", *FLOATS, *COMPLEX), saved=("self",), node="AngleBackward0",
    ),
]  # fmt: skip
