"""Samples of chainrule/ops/rearranging.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...dtypes import int64
from ..cases import ErrorSample, OpCase, Sample
from .shape import ANY, failing, on_one

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker

_OUT_OF_RANGE = "Dimension out of range (expected to be in range of [-2, 1], but got 2)"


def _sizes(given: tuple[Any, ...]) -> Any:
    return given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given


def _interleaved(make: Maker) -> Iterator[Sample]:
    yield from on_one(((2, 3), 2), ((2, 3), 2, 0), ((2, 3), 3, -1), ((), 2), ((2, 3), 0, 1))(make)
    yield Sample(make(3, 2), make.of([1, 0, 2], dtype=int64), 0)
    yield Sample(make(2, 2), make.of([2], dtype=int64), dim=1)
    yield Sample(make.of([2, 0, 1], dtype=int64))


def _repeats(np: Any, x: Any, repeats: Any = None, dim: int | None = None) -> Any:
    if repeats is None:
        return np.repeat(np.arange(x.size), x)
    return np.repeat(x, repeats, dim)


def _not_interleaved(make: Maker) -> Iterator[ErrorSample]:
    yield from failing(
        (RuntimeError, "Repeats must be non-negative", (2, 3), -1),
        (IndexError, _OUT_OF_RANGE, (2, 3), 2, 2),
        (TypeError, "repeat_interleave() received an invalid combination", (2, 3), 2.0),
    )(make)
    yield ErrorSample(
        sample=Sample(make(2), make.of([1, 2, 3], dtype=int64), 0),
        raises=RuntimeError,
        match="repeats must have the same size as input along dim, but got repeats.size",
    )
    yield ErrorSample(
        sample=Sample(make(2), make.of([-1, 2], dtype=int64), 0),
        raises=RuntimeError,
        match="repeats can not be negative",
    )


cases = [
    OpCase(
        "repeat",
        on_one(
            ((2, 3), 2, 1),
            ((3,), 2, 2),
            ((2, 3), (1, 2)),
            ((), 3),
            ((2,), 0),
            ((3,), {"repeats": (2,)}),
        ),
        lambda np, x, *counts, repeats=None: np.tile(
            x, _sizes(counts) if repeats is None else repeats
        ),
        ANY,
        saved=("repeats",),
        node="RepeatBackward0",
        errors=failing(
            (RuntimeError, "Number of dimensions of repeat dims can not be smaller", (2, 3), 2),
            (
                RuntimeError,
                "Trying to create tensor with negative dimension -2: [-2, 3]",
                (2, 3),
                -1,
                1,
            ),
        ),
    ),
    OpCase(
        "tile",
        on_one(((2, 3), 2), ((3,), (2, 2)), ((2, 3), ()), ((), 2)),
        lambda np, x, *counts: np.tile(x, _sizes(counts)),
        node="RepeatBackward0",
    ),
    OpCase("repeat_interleave", _interleaved, _repeats, errors=_not_interleaved),
    OpCase(
        "flip",
        on_one(((2, 3), 0), ((2, 3), (0, -1)), ((3,), 0), ((2, 3), ()), ((), 0), ((0, 2), 1)),
        lambda np, x, *dims: np.flip(x, _sizes(dims)) if x.ndim else x,
        ANY,
        saved=("dims",),
        node="FlipBackward0",
        errors=failing(
            (IndexError, _OUT_OF_RANGE, (2, 3), 2),
            (RuntimeError, "dim 0 appears multiple times in the list of dims", (2, 3), 0, 0),
        ),
    ),
    OpCase(
        "fliplr",
        on_one(((2, 3),)),
        lambda np, x: np.fliplr(x),
        errors=failing((RuntimeError, "Input must be >= 2-d.", (3,))),
    ),
    OpCase(
        "flipud",
        on_one(((2, 3),), ((3,),)),
        lambda np, x: np.flipud(x),
        errors=failing((RuntimeError, "Input must be >= 1-d.", ())),
    ),
    OpCase(
        "roll",
        on_one(
            ((2, 3), 1),
            ((2, 3), 1, 0),
            ((2, 3), (1, -2), (0, -1)),
            ((3,), 4),
            ((), 1),
            ((2, 3), (1, 1), (0, 0)),
        ),
        lambda np, x, shifts, dims=None: np.roll(x, shifts, dims),
        ANY,
        saved=("dims", "shifts"),
        node="RollBackward0",
        errors=failing(
            (RuntimeError, "shifts and dimensions must align. shifts: 2, dims:0", (2, 3), (1, 2)),
            (RuntimeError, "`shifts` required", (2, 3), ()),
            (IndexError, "Dimension specified as 0 but tensor has no dimensions", (), 1, 0),
            (IndexError, _OUT_OF_RANGE, (2, 3), 1, 2),
        ),
    ),
    OpCase(
        "rot90",
        on_one(
            ((2, 3),), ((2, 3), 2), ((2, 3), 3), ((2, 3), -4), ((2, 3, 4), 1, (2, 0)), ((0, 2), 1)
        ),
        lambda np, x, k=1, dims=(0, 1): np.rot90(x, k, dims),
        saved=("dims", "k"),
        node="Rot90Backward0",
        errors=failing(
            (RuntimeError, "expected total rotation dims == 2, but got dims = 1", (2, 3), 1, (0,)),
            (RuntimeError, "expected total dims >= 2, but got total dims = 1", (3,)),
            (
                RuntimeError,
                "expected rotation dims to be different, but got dim0 = 0 and dim1 = -2",
                (2, 3),
                1,
                (0, -2),
            ),
            (IndexError, _OUT_OF_RANGE, (2, 3), 1, (0, 2)),
        ),
    ),
]
