"""Samples of chainrule/ops/copying.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker

EVERY = ("bool", "int64", "float32", "float64", "complex128")


def _one(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3))
    yield Sample(make())
    yield Sample(make(0, 3))
    yield Sample(make.transposed(3, 4))
    yield Sample(make.strided(2, 3))


def _copies(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(2, 3))
    yield Sample(make(2, 3), make(3))
    yield Sample(make(), make())
    yield Sample(make(0, 3), make(3))
    yield Sample(make.transposed(3, 4), make.strided(3, 4))


def _fillings(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), 1)
    yield Sample(make(2, 3), make())
    yield Sample(make(), make())
    yield Sample(make(0, 3), 0)


def _fillings_errors(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(2, 3), make(3)),
        raises=RuntimeError,
        match="fill_ only supports 0-dimension value tensor but got tensor with 1 dimensions.",
    )


def _first_row(base: Any) -> Any:
    return base[0]


def _last_columns(base: Any) -> Any:
    return base[..., 1:]


def _scatters(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(3), _first_row)
    yield Sample(make.transposed(3, 4), make(3, 3), _last_columns)


def _scattered(np: Any, base: Any, source: Any, view: Any) -> Any:
    made = np.array(base)
    view(made)[...] = source
    return made


cases = [
    OpCase("clone", _one, lambda np, x: np.array(x), EVERY, saved=(), node="CloneBackward0"),
    OpCase(
        "copy", _copies, lambda np, x, y: np.broadcast_to(y, x.shape), EVERY,
        saved=(), node="torch::autograd::CopyBackwards", in_place="copy_",
    ),
    OpCase(
        "fill", _fillings, lambda np, x, value: np.full_like(x, value), EVERY,
        saved=(), node="FillBackward0", errors=_fillings_errors, in_place="fill_",
    ),
    OpCase(
        "zero", _one, lambda np, x: np.zeros_like(x), EVERY,
        saved=(), node="ZeroBackward0", in_place="zero_",
    ),
    OpCase("view_scatter", _scatters, _scattered, EVERY, node="torch::autograd::CopySlices"),
]  # fmt: skip
