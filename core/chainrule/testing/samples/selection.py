"""Samples of chainrule/ops/selection.py and clamping.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample
from .arithmetic import (
    INTEGERS,
    NUMBERS,
    REAL,
    refused,
    refuses,
    two_operands_errors,
    two_tensors,
    with_number,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker


def _choices(make: Maker) -> Iterator[Sample]:
    yield Sample(make.mask(3, 4), make(3, 4), make(3, 4))
    yield Sample(make.mask(3, 1), make(4), make(3, 4))
    yield Sample(make.mask(), make(), make())
    yield Sample(make.mask(3), make(0, 3), make(1))
    yield Sample(make.mask(3, 4), make.transposed(3, 4), make.strided(3, 4))
    yield Sample(make.mask(2, 3), make(2, 3), 0)
    yield Sample(make.mask(2, 3), 1, make(2, 3))


def _choice_errors(make: Maker) -> Iterator[ErrorSample]:
    shapes = r"The size of tensor a \(2\) must match the size of tensor b \(3\) at non-singleton"
    yield refused(Sample(make.mask(1), make(2), make(3)), shapes)
    boolean = "where expected condition to be a boolean tensor, but got a tensor with dtype Long"
    yield refused(Sample(make.index(2, below=2), make(2), make(2)), boolean)
    arguments = r"where\(\) received an invalid combination of arguments - got \(Tensor, int\)"
    yield refused(Sample(make.mask(2), 1), arguments, TypeError)


def _filled(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4), make.mask(3, 4), 2)
    yield Sample(make(3, 4), make.mask(4), 0)
    yield Sample(make(4), make.mask(3, 1), 1)
    yield Sample(make(), make.mask(), 1)
    yield Sample(make(0, 3), make.mask(3), 1)
    yield Sample(make.transposed(3, 4), make.mask(3, 4), make())


def _fill_errors(make: Maker) -> Iterator[ErrorSample]:
    masks = "masked_fill_ only supports boolean masks, but got mask with dtype long int"
    yield refused(Sample(make(2), make.index(2, below=2), 1), masks)
    values = "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with 1 dim"
    yield refused(Sample(make(2), make.mask(2), make(2)), values)
    small = make(2, dtype=dtypes.int8)
    overflow = "value cannot be converted to type int8_t without overflow"
    yield refused(Sample(small, make.mask(2), 300), overflow)
    shapes = r"The size of tensor a \(2\) must match the size of tensor b \(3\) at non-singleton"
    yield refused(Sample(make(3), make.mask(2), 1), shapes)


def _bounds(make: Maker) -> Iterator[Sample]:
    low, high = (-0.5, 1.0) if make.dtype.is_floating_point else (0, 1)
    yield Sample(make(2, 3), low, high)
    yield Sample(make(2, 3), low)
    yield Sample(make(2, 3), max=high)
    yield Sample(make(2, 3), min=high, max=low)
    yield Sample(make(), low, high)
    yield Sample(make(0, 3), low, high)
    yield Sample(make.transposed(3, 4), low, high)
    yield Sample(make(2, 3), make(3, high=0.0), make(2, 1, low=0.0))
    yield Sample(make(2, 3), min=make(3))
    yield Sample(make(2, 3), max=make.strided(2, 3))


def _clamped(np: Any, x: Any, min: Any = None, max: Any = None) -> Any:
    x = x if min is None else np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


def _bound_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(2)), "torch.clamp: At least one of 'min' or 'max' must not be None")
    arguments = r"clamp\(\) received an invalid combination of arguments - got \(Tensor, str\)"
    yield refused(Sample(make(2), "0"), arguments, TypeError)
    complexes = make(2, dtype=dtypes.complex64)
    sentence = "clamp is not supported for complex types"
    yield refused(Sample(complexes, 0), sentence, NotImplementedError)


def extremum(name: str, reference: Any) -> OpCase:
    """Return the case of the larger or smaller one of two."""
    return OpCase(
        name, two_tensors(), reference, ("bool", *INTEGERS, *REAL), saved=("other", "self"),
        node=f"{name.capitalize()}Backward0",
        errors=refuses(
            f"{name} not implemented for complex tensors.", "complex64",
            operands=2, raises=RuntimeError,
        ),
    )  # fmt: skip


def bound(name: str, node: str, reference: Any) -> OpCase:
    """Return the case of one bound."""
    return OpCase(
        name, with_number(two_tensors()), reference, (*INTEGERS, *REAL),
        saved=("self", name.removeprefix("clamp_")), node=node, errors=two_operands_errors,
        in_place=f"{name}_",
    )  # fmt: skip


cases = [
    OpCase(
        "where", _choices, lambda np, mask, x, y: np.where(mask, x, y), ("bool", *NUMBERS),
        saved=("condition",), node="WhereBackward0", errors=_choice_errors,
    ),
    OpCase(
        "masked_fill", _filled, lambda np, x, mask, value: np.where(mask, value, x), NUMBERS,
        saved=("mask",), node="MaskedFillBackward0", errors=_fill_errors, in_place="masked_fill_",
    ),
    extremum("maximum", lambda np, x, y: np.maximum(x, y)),
    extremum("minimum", lambda np, x, y: np.minimum(x, y)),
    extremum("fmax", lambda np, x, y: np.fmax(x, y)),
    extremum("fmin", lambda np, x, y: np.fmin(x, y)),
    OpCase(
        "clamp", _bounds, _clamped, (*INTEGERS, *REAL), saved=("max", "min", "self"),
        node="ClampBackward1", errors=_bound_errors, in_place="clamp_",
    ),
    bound("clamp_min", "ClampMinBackward1", lambda np, x, y: np.maximum(x, y)),
    bound("clamp_max", "ClampMaxBackward1", lambda np, x, y: np.minimum(x, y)),
]  # fmt: skip
