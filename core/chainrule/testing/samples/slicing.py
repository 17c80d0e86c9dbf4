"""Samples of chainrule/ops/slicing.py, diagonals.py and striding.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample
from .shape import ANY, failing, on_one

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker

_OUT_OF_RANGE = "Dimension out of range (expected to be in range of [-2, 1], but got 2)"


def _narrowed(np: Any, x: Any, dim: int, start: int, length: int) -> Any:
    first = int(start) % x.shape[dim] if int(start) != x.shape[dim] else int(start)
    return np.take(x, range(first, first + length), dim)


def _starting_at_a_tensor(make: Maker) -> Iterator[Sample]:
    yield from on_one(((4, 3), 0, 1, 2), ((4, 3), -1, -2, 2), ((4, 3), 0, 4, 0), ((0, 3), 0, 0, 0))(
        make
    )
    yield Sample(make(4), 0, make.index(below=1), 2)


def _windows(np: Any, x: Any, dim: int, size: int, step: int) -> Any:
    if x.ndim == 0:
        return x.reshape(1)[:size]
    starts = range(0, x.shape[dim] - size + 1, step)
    parts = [np.take(x, range(i, i + size), dim) for i in starts]
    return np.stack([np.moveaxis(part, dim, -1) for part in parts], dim % x.ndim)


def _put(np: Any, x: Any, src: Any, item: Any) -> Any:
    out = x.copy()
    out[item] = src
    return out


def _at(dim: int, item: Any) -> tuple[Any, ...]:
    return (*(slice(None),) * dim, item)


def _selects(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4), make(4), 0, 1)
    yield Sample(make(3, 4), make(3), 1, -1)
    yield Sample(make.transposed(3, 4), make(4), 0, -2)


def _slices(make: Maker) -> Iterator[Sample]:
    yield Sample(make(5, 2), make(2, 2), 0, 1, 3)
    yield Sample(make(5, 2), make(3, 2), step=2)
    yield Sample(make(2, 5), make(2, 4), 1, None, -1)
    yield Sample(make.transposed(2, 3), make(2, 3), 1)


def _diagonals(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 3), make(3))
    yield Sample(make(3, 4), make(3), 1)
    yield Sample(make(2, 3, 4), make(3, 1), -1, 0, 2)


def _on_diagonal(np: Any, x: Any, src: Any, offset: int = 0, a: int = 0, b: int = 1) -> Any:
    out = x.copy()
    seen = np.diagonal(out, offset, a, b)
    seen.flags.writeable = True
    seen[...] = src
    return out


def _embedded(np: Any, x: Any, offset: int = 0, a: int = -2, b: int = -1) -> Any:
    side = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], side, side), x.dtype)
    rows = np.arange(x.shape[-1]) + max(-offset, 0)
    out[..., rows, rows + offset] = x
    return np.moveaxis(out, (-2, -1), (a, b))


def _strided(np: Any, x: Any, size: Any, stride: Any, offset: int = 0) -> Any:
    steps = [step * x.itemsize for step in stride]
    flat = np.ascontiguousarray(x).reshape(-1)[offset:]
    return np.lib.stride_tricks.as_strided(flat, size, steps)


def _looks(make: Maker) -> Iterator[Sample]:
    yield from on_one(
        ((2, 3), (2, 2), (3, 1)),
        ((6,), (3, 2), (1, 1)),
        ((6,), (2,), (2,), 1),
        ((), (3,), (0,)),
        ((4,), (), ()),
        turned=False,
    )(make)


cases = [
    OpCase(
        "select",
        on_one(((3, 4), 0, 1), ((3, 4), -1, -2), ((3,), 0, 2), ((2, 0), 0, 1)),
        lambda np, x, dim, index: np.take(x, index, dim),
        ANY,
        saved=("dim", "index"),
        node="SelectBackward0",
        errors=failing(
            (
                IndexError,
                "select(): index 3 out of range for tensor of size [3, 4] at dimension 0",
                (3, 4),
                0,
                3,
            ),
            (IndexError, "select() cannot be applied to a 0-dim tensor.", (), 0, 0),
            (IndexError, _OUT_OF_RANGE, (3, 4), 2, 0),
        ),
    ),
    OpCase(
        "narrow",
        _starting_at_a_tensor,
        _narrowed,
        node="SliceBackward0",
        saved=("dim", "end", "start", "step"),
        errors=failing(
            (RuntimeError, "start (1) + length (3) exceeds dimension size (3).", (3, 4), 0, 1, 3),
            (RuntimeError, "narrow(): length must be non-negative.", (3, 4), 0, 1, -1),
            (RuntimeError, "narrow() cannot be applied to a 0-dim tensor.", (), 0, 0, 0),
            (
                IndexError,
                "start out of range (expected to be in range of [-3, 3], but got 4)",
                (3, 4),
                0,
                4,
                0,
            ),
        ),
    ),
    OpCase(
        "slicing.unfold",
        on_one(
            ((4, 3), 0, 2, 1), ((4, 3), -1, 2, 2), ((5,), 0, 2, 3), ((4,), 0, 4, 1), ((), 0, 1, 1)
        ),
        _windows,
        saved=("dimension", "size", "step"),
        node="UnfoldBackward0",
        errors=failing(
            (
                RuntimeError,
                "maximum size for tensor at dimension 0 is 3 but size is 4",
                (3, 4),
                0,
                4,
                1,
            ),
            (RuntimeError, "step is 0 but must be > 0", (3, 4), 0, 1, 0),
            (RuntimeError, "size is -1 but must be >= 0", (3, 4), 0, -1, 1),
        ),
    ),
    OpCase(
        "select_scatter",
        _selects,
        lambda np, x, src, dim, index: _put(np, x, src, _at(dim, index)),
        saved=("dim", "index"),
        node="SelectScatterBackward0",
        errors=lambda make: [
            ErrorSample(
                sample=Sample(make(3, 4), make(3), 0, 1),
                raises=RuntimeError,
                match="expected src to have a size equal to the slice of self. src size = ",
            )
        ],
    ),
    OpCase(
        "slice_scatter",
        _slices,
        lambda np, x, src, dim=0, start=None, end=None, step=1: _put(
            np, x, src, _at(dim, slice(start, end, step))
        ),
        saved=("dim", "end", "start", "step"),
        node="SliceScatterBackward0",
    ),
    OpCase(
        "as_strided",
        _looks,
        _strided,
        saved=("size", "storage_offset", "stride"),
        node="AsStridedBackward0",
        errors=failing(
            (
                RuntimeError,
                (
                    "setStorage: sizes [3], strides [3], storage offset 0, and itemsize 4 "
                    "requiring a storage size of 28 are out of bounds for storage of size 24"
                ),
                (2, 3),
                (3,),
                (3,),
            ),
            (RuntimeError, "mismatch in length of strides and shape", (2, 3), (3,), (3, 1)),
            (RuntimeError, "as_strided: Negative strides are not supported", (2, 3), (3,), (-1,)),
            (RuntimeError, "Tensor: invalid storage offset -1", (2, 3), (3,), (1,), -1),
        ),
    ),
    OpCase(
        "diagonal",
        on_one(((3, 4),), ((3, 4), 1), ((3, 4), -1), ((2, 3, 4), 0, -1, 0), ((3, 3), 5), ((0, 3),)),
        lambda np, x, offset=0, a=0, b=1: np.diagonal(x, offset, a, b),
        ANY,
        saved=("dim1", "dim2", "offset"),
        node="DiagonalBackward0",
        errors=failing(
            (RuntimeError, "diagonal dimensions cannot be identical 1, 1", (3, 4), 0, 1, 1),
            (IndexError, _OUT_OF_RANGE, (3, 4), 0, 2, 0),
        ),
    ),
    OpCase(
        "diag",
        on_one(((3, 4),), ((3, 4), -1), ((3,),), ((3,), 1), ((0,),)),
        lambda np, x, k=0: np.diag(x, k),
        saved=("dim1", "dim2", "offset"),
        node="DiagonalBackward0_copy",
        errors=failing(
            (RuntimeError, "diag(): Supports 1D or 2D tensors. Got 3D", (2, 3, 4)),
        ),
    ),
    OpCase(
        "diag_embed",
        on_one(((3,),), ((3,), -1), ((2, 3), 1, 0, 2), ((2, 0),)),
        _embedded,
        saved=("dim1", "dim2", "offset"),
        node="DiagEmbedBackward0",
        errors=failing(
            (RuntimeError, "diagonal dimensions cannot be identical 0, 0", (3,), 0, 0, 0),
        ),
    ),
    OpCase("diagflat", on_one(((2, 2),), ((3,), 1), ((),)), lambda np, x, k=0: np.diagflat(x, k)),
    OpCase(
        "diagonal_scatter",
        _diagonals,
        _on_diagonal,
        saved=("dim1", "dim2", "offset"),
        node="DiagonalScatterBackward0",
    ),
    OpCase(
        "triu",
        on_one(((3, 4),), ((3, 4), 1), ((2, 3, 3), -1), ((0, 3),)),
        lambda np, x, k=0: np.triu(x, k),
        ANY,
        saved=("diagonal",),
        node="TriuBackward0",
        in_place="triu_",
        errors=failing((RuntimeError, "triu: input tensor must have at least 2 dimensions", (3,))),
    ),
    OpCase(
        "tril",
        on_one(((3, 4),), ((3, 4), 1), ((2, 3, 3), -1), ((0, 3),)),
        lambda np, x, k=0: np.tril(x, k),
        ANY,
        saved=("diagonal",),
        node="TrilBackward0",
        in_place="tril_",
        errors=failing((RuntimeError, "tril: input tensor must have at least 2 dimensions", (3,))),
    ),
    OpCase(
        "tril_indices",
        lambda make: [Sample(3, 4), Sample(3, 4, -1), Sample(0, 2), Sample(2, 3, 1)],
        lambda np, row, col, k=0: np.array(np.tril_indices(row, k, col)),
        ("int64",),
        grad=False,
        errors=lambda make: [
            ErrorSample(
                sample=Sample(-1, 3), raises=RuntimeError, match="row must be non-negative, got-1"
            )
        ],
    ),
    OpCase(
        "triu_indices",
        lambda make: [Sample(3, 4), Sample(3, 4, -1), Sample(0, 2), Sample(2, 3, 1)],
        lambda np, row, col, k=0: np.array(np.triu_indices(row, k, col)),
        ("int64",),
        grad=False,
    ),
]
