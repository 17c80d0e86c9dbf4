"""Samples of chainrule/ops/gathering.py, scattering.py, rows.py and embeddings.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...dtypes import int64
from ..cases import ErrorSample, OpCase, Sample
from .shape import ANY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

_FROZEN = {"requires_grad": False}
NUMBERS = ("int64", "float32", "float64", "complex128")


def _of(make: Maker, values: Any) -> Any:
    return make.of(values, dtype=int64)


def _on_host(make: Maker) -> bool:
    """Return whether places are checked: a device would have to wait for its values to raise."""
    return str(make.device).startswith("cpu")


def _gathers(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4), 0, make.index(2, 4, below=3))
    yield Sample(make(3, 4), -1, make.index(3, 6, below=4))
    yield Sample(make(2, 3, 4), 1, make.index(1, 5, 2, below=3))
    yield Sample(make.transposed(3, 4), 1, make.index(3, 2, below=4))
    yield Sample(make(), 0, make.index(below=1))
    yield Sample(make(3), 0, make.index(below=3))
    yield Sample(make(3, 4), 0, make.index(0, 4, below=3), sparse_grad=False)


def _gather(np: Any, x: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    if x.ndim == 0 or index.ndim == 0:
        return x.reshape(-1)[index]
    cut = tuple(slice(None) if d == dim % x.ndim else slice(n) for d, n in enumerate(index.shape))
    return np.take_along_axis(x[cut], index, dim)


def _wrong_places(name: str) -> Callable[[Maker], Iterator[ErrorSample]]:
    """Return calls with an index for every element that fail, of `gather` and `scatter`."""

    def errors(make: Maker) -> Iterator[ErrorSample]:
        more = (make(3, 4),) if name != "gather" else ()
        wrong = [
            (
                RuntimeError,
                "index 3 is out of bounds for dimension 0 with size 3",
                0,
                _of(make, [[3]]),
            ),
            (
                RuntimeError,
                "index -1 is out of bounds for dimension 1 with size 4",
                1,
                _of(make, [[-1]]),
            ),
        ]
        family, owner = ("gather", "input") if name == "gather" else ("scatter", "self")
        for raises, message, dim, index in (
            *(wrong if _on_host(make) else []),
            (RuntimeError, f"{family}(): Expected dtype int32/int64 for index", 0, make(3, 4)),
            (
                RuntimeError,
                f"Index tensor must have the same number of dimensions as {owner} tensor",
                0,
                make.index(3, below=2),
            ),
            (
                IndexError,
                "Dimension out of range (expected to be in range of [-2, 1], but got 2)",
                2,
                make.index(3, 4, below=2),
            ),
        ):
            sample = Sample(make(3, 4), dim, index, *more)
            yield ErrorSample(sample=sample, raises=raises, match=re.escape(message))

    return errors


def _along(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4), make.index(1, 4, below=3), 0)
    yield Sample(make(3, 1), make.index(3, 4, below=1), dim=1)
    yield Sample(make(2, 3), make.index(4, below=6))
    yield Sample(make(3, 4), _of(make, [[-1], [0], [2]]), -1)


def _taken_along(np: Any, x: Any, index: Any, dim: int | None = None) -> Any:
    if dim is None:
        return x.reshape(-1)[index.reshape(-1)]
    return np.take_along_axis(x, index, dim)


def _takes(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make.index(4, below=6))
    yield Sample(make(2, 3), _of(make, [[0, -1], [2, 2]]))
    yield Sample(make(), make.index(below=1))
    yield Sample(make.transposed(2, 3), make.index(3, below=6))


def _flat_puts(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), _of(make, [1, -1]), make(2))
    yield Sample(make(2, 3), _of(make, [[1, 1]]), make(2, 1), True)
    yield Sample(make.transposed(2, 3), _of(make, [3]), make(1), accumulate=False)


def _flat_put(np: Any, x: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    out = np.array(x, order="C")
    if accumulate:
        np.add.at(out.reshape(-1), index.reshape(-1), source.reshape(-1))
    else:
        out.reshape(-1)[index.reshape(-1)] = source.reshape(-1)
    return out


# Scattering: no place is named twice unless the elements are combined


def _scatters(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4), 1, _of(make, [[0, 2], [1, 3], [2, 0]]), make(3, 2))
    yield Sample(make(3, 4), 0, _of(make, [[2, 0, 1, 1]]), make(2, 4))
    yield Sample(make.transposed(3, 4), -1, _of(make, [[3], [0]]), make(2, 1))
    yield Sample(make(), 0, _of(make, 0), make())
    yield Sample(make(3), 0, make.index(0, below=3), make(0))


def _scatters_with_numbers(make: Maker) -> Iterator[Sample]:
    yield from _scatters(make)
    yield Sample(make(3, 4), 1, _of(make, [[0], [2], [3]]), 1.5)
    yield Sample(make(3, 4), 1, _of(make, [[0], [2], [3]]), value=2)


def _cells(np: Any, dim: int, index: Any) -> Any:
    grid = list(np.indices(index.shape))
    grid[dim] = index
    return tuple(grid)


def _scatter(np: Any, x: Any, dim: int, index: Any, src: Any = None, *, value: Any = None) -> Any:
    src, out = value if src is None else src, np.array(x)
    if x.ndim == 0:
        return np.array(src) + 0 * x
    if np.ndim(src):
        src = src[tuple(map(slice, index.shape))]
    out[_cells(np, dim, index)] = src
    return out


def _adds(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4), 1, make.index(3, 6, below=4), make(3, 6))
    yield Sample(make(3, 4), 0, make.index(5, 4, below=3), make(6, 4))
    yield Sample(make.transposed(3, 4), -1, make.index(2, 2, below=4), make(2, 3))
    yield Sample(make(), 0, make.index(below=1), make())


def _added(np: Any, x: Any, dim: int, index: Any, src: Any) -> Any:
    out = np.array(x)
    if x.ndim == 0:
        return x + src
    np.add.at(out, _cells(np, dim, index), src[tuple(map(slice, index.shape))])
    return out


def _reductions(make: Maker) -> Iterator[Sample]:
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        index = _of(make, [[0, 0, 2, 2, 2], [1, 2, 1, 1, 0]])
        yield Sample(make(2, 3), 1, index, make(2, 5), reduce)
        yield Sample(make(2, 3), 1, index, make(2, 5), reduce, include_self=False)
    zeros = make.of([[2.0, 0.0, 1.0], [0.0, 3.0, 1.0]])
    yield Sample(
        zeros, 1, _of(make, [[0, 1, 1], [0, 0, 1]]), make.of([[0.0, 2, 3], [0, 2, 0]]), "prod"
    )


def _reduced(
    np: Any, x: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Any:
    combine = {"sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}[
        reduce
    ]
    groups = {place: [x[place]] if include_self else [] for place in np.ndindex(x.shape)}
    for row, column in np.ndindex(index.shape):
        groups[row, int(index[row, column])].append(src[row, column])
    out = np.array(x)
    for place, group in groups.items():
        out[place] = combine(group) if group else x[place]
    return out


def _combined(np: Any, x: Any, index: Any, src: Any, reduce: str) -> Any:
    out = np.array(x)
    (np.add if reduce == "add" else np.multiply).at(out, index, src)
    return out


# Rows


def _rows(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4), 0, make.index(5, below=3))
    yield Sample(make(3, 4), -1, make.index(2, below=4))
    yield Sample(make(2, 3, 4), 1, make.index(below=3))
    yield Sample(make.transposed(3, 4), 0, make.index(2, below=3))
    yield Sample(make(), 0, _of(make, [0]))
    yield Sample(make(3, 4), 1, make.index(0, below=4))


def _chosen(np: Any, x: Any, dim: int, index: Any) -> Any:
    return np.take(x, index.reshape(-1), dim) if x.ndim else x


def _wrong_rows(make: Maker) -> Iterator[ErrorSample]:
    outside = [(IndexError, "index out of range in self", _of(make, [n])) for n in (3, -1)]
    for raises, message, index in (
        *(outside if _on_host(make) else []),
        (IndexError, "index_select(): Index is supposed to be a vector", _of(make, [[0]])),
        (RuntimeError, "index_select(): Expected dtype int32 or int64 for index", make(2)),
    ):
        sample = Sample(make(3, 4), 0, index)
        yield ErrorSample(sample=sample, raises=raises, match=re.escape(message))


def _row_adds(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4), 0, make.index(5, below=3), make(5, 4))
    yield Sample(make(3, 4), -1, make.index(2, below=4), make(3, 2), alpha=3)
    yield Sample(make.transposed(3, 4), 0, make.index(2, below=3), make(2, 4))
    yield Sample(make(), 0, _of(make, 0), make())


def _rows_added(np: Any, x: Any, dim: int, index: Any, source: Any, *, alpha: int = 1) -> Any:
    if x.ndim == 0:
        return x + alpha * source
    out = np.array(x)
    np.add.at(out, (slice(None),) * (dim % x.ndim) + (index,), alpha * source)
    return out


def _row_copies(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4), 0, _of(make, [2, 0]), make(2, 4))
    yield Sample(make(3, 4), -1, _of(make, [1, 3]), make(3, 2))
    yield Sample(make(), 0, _of(make, [0]), make())


def _copied(np: Any, x: Any, dim: int, index: Any, source: Any) -> Any:
    if x.ndim == 0:
        return np.array(source) + 0 * x
    out = np.array(x)
    out[(slice(None),) * (dim % x.ndim) + (index,)] = source
    return out


def _row_fills(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4), 0, _of(make, [2, 0, 2]), 1.5)
    yield Sample(make(3, 4), -1, _of(make, [1, -1, 3]), make())
    yield Sample(make(), 0, _of(make, 0), 2)


def _row_errors(name: str, kind: type[Exception]) -> Callable[[Maker], Iterator[ErrorSample]]:
    """Return calls of `index_add` and `index_copy` that fail."""

    def errors(make: Maker) -> Iterator[ErrorSample]:
        prefix = "" if name == "index_add_" else f"{name}(): "
        message = f"{prefix}index 3 is out of bounds for dimension 0 with size 3"
        sample = Sample(make(3, 4), 0, _of(make, [3]), make(1, 4))
        if _on_host(make):
            yield ErrorSample(sample=sample, raises=kind, match=re.escape(message))
        sample = Sample(make(3, 4), 0, _of(make, [0, 1]), make(1, 4))
        message = f"{name}(): Number of indices (2) should be equal to source.size(dim)"
        yield ErrorSample(sample=sample, raises=kind, match=re.escape(message))

    return errors


# Tables


def _lookups(make: Maker) -> Iterator[Sample]:
    yield Sample(make(4, 3), make.index(5, below=4))
    yield Sample(make(4, 3), make.index(2, 3, below=4), -1)
    yield Sample(make(4, 3), make.index(below=4), sparse=False)
    yield Sample(make(4, 3), make.index(0, below=4))


def _wrong_lookups(make: Maker) -> Iterator[ErrorSample]:
    outside = [
        (IndexError, "index out of range in self", make(4, 3), _of(make, [n])) for n in (4, -1)
    ]
    for raises, message, weight, index in (
        *(outside if _on_host(make) else []),
        (RuntimeError, "'weight' must be 2-D", make(4), _of(make, [0])),
        (
            RuntimeError,
            (
                "Expected tensor for argument #1 'indices' to have one of the following scalar "
                "types: Long, Int; but got torch.FloatTensor instead"
            ),
            make(4, 3),
            make(2),
        ),
    ):
        yield ErrorSample(sample=Sample(weight, index), raises=raises, match=re.escape(message))


def _numbers(make: Maker) -> Iterator[Sample]:
    yield Sample(make.index(4, below=3))
    yield Sample(make.index(2, 2, below=3), 5)
    yield Sample(make.index(below=3), num_classes=3)
    yield Sample(make.index(0, below=3), 3)


def _no_classes(make: Maker) -> Iterator[ErrorSample]:
    outside = [
        (_of(make, [-1, 0]), 3, "Class values must be non-negative."),
        (_of(make, [3]), 3, "Class values must be smaller than num_classes."),
    ]
    for tensor, count, message in (
        *(outside if _on_host(make) else []),
        (_of(make, [-1]), -1, "Class values must be non-negative."),
        (_of(make, []), -1, "Can not infer total number of classes from empty tensor."),
    ):
        yield ErrorSample(sample=Sample(tensor, count), raises=RuntimeError, match=message)


def _hot(np: Any, x: Any, num_classes: int = -1) -> Any:
    return np.eye(x.max() + 1 if num_classes == -1 else num_classes, dtype=int)[x]


cases = [
    OpCase(
        "gather",
        _gathers,
        _gather,
        ANY,
        saved=("dim", "index", "self", "sparse_grad"),
        node="GatherBackward0",
        errors=_wrong_places("gather"),
    ),
    OpCase("take_along_dim", _along, _taken_along, node="GatherBackward0"),
    OpCase(
        "take",
        _takes,
        lambda np, x, index: np.take(x, index),
        ANY,
        saved=("index", "self"),
        node="TakeBackward0",
        errors=lambda make: [
            ErrorSample(
                sample=Sample(make(3), _of(make, [3])),
                raises=IndexError,
                match="out of range: tried to access index 3 on a tensor of 3 elements.",
            )
        ],
    ),
    OpCase(
        "put",
        _flat_puts,
        _flat_put,
        NUMBERS,
        saved=("accumulate", "index", "source"),
        node="PutBackward0",
        in_place="put_",
    ),
    OpCase(
        "scatter",
        _scatters_with_numbers,
        _scatter,
        saved=("dim", "index"),
        node="ScatterBackward0",
        in_place="scatter_",
        errors=_wrong_places("scatter"),
    ),
    OpCase(
        "scatter_add",
        _adds,
        _added,
        NUMBERS,
        saved=("dim", "index"),
        node="ScatterAddBackward0",
        in_place="scatter_add_",
        errors=_wrong_places("scatter_add"),
    ),
    OpCase(
        "scatter_reduce",
        _reductions,
        _reduced,
        saved=("dim", "include_self", "index", "reduce", "result", "self", "src"),
        node="ScatterReduceBackward0",
        in_place="scatter_reduce_",
        errors=lambda make: [
            ErrorSample(
                sample=Sample(make(3), 0, make.index(2, below=3), make(2), "add"),
                raises=RuntimeError,
                match="reduce argument must be either sum, prod, mean, amax or amin, got add",
            )
        ],
    ),
    # Adding or multiplying by `scatter` is not differentiable in PyTorch.
    OpCase(
        "scattering.scatter",
        lambda make: [
            Sample(make(3, **_FROZEN), 0, make.index(4, below=3), make(4, **_FROZEN), reduce="add"),
            Sample(make(3, **_FROZEN), 0, make.index(4, below=3), 2.0, reduce="multiply"),
        ],
        lambda np, x, dim, index, src, *, reduce: _combined(np, x, index, src, reduce),
        grad=False,
    ),
    OpCase(
        "index_select",
        _rows,
        _chosen,
        ANY,
        saved=("dim", "index"),
        node="IndexSelectBackward0",
        errors=_wrong_rows,
    ),
    OpCase(
        "index_add",
        _row_adds,
        _rows_added,
        NUMBERS,
        saved=("alpha", "dim", "index", "source", "source_dim"),
        node="IndexAddBackward0",
        in_place="index_add_",
        errors=_row_errors("index_add_", RuntimeError),
    ),
    OpCase(
        "index_copy",
        _row_copies,
        _copied,
        saved=("dim", "index", "source", "source_dim"),
        node="IndexCopyBackward0",
        in_place="index_copy_",
        errors=_row_errors("index_copy_", IndexError),
    ),
    OpCase(
        "index_fill",
        _row_fills,
        _copied,
        saved=("dim", "index"),
        node="IndexFillBackward0",
        in_place="index_fill_",
        errors=lambda make: [
            ErrorSample(
                sample=Sample(make(3), 0, _of(make, [0]), make(2)),
                raises=RuntimeError,
                match="index_fill_ only supports a 0-dimensional value tensor, but got tensor",
            )
        ],
    ),
    OpCase(
        "embedding",
        _lookups,
        lambda np, weight, indices, *rest, sparse=False: weight[indices],
        saved=("indices", "padding_idx", "scale_grad_by_freq", "sparse"),
        node="EmbeddingBackward0",
        errors=_wrong_lookups,
    ),
    # What the gradient leaves out on purpose, finite differences see.
    OpCase(
        "embeddings.embedding",
        lambda make: [
            Sample(make(4, 3), make.index(6, below=2), 1),
            Sample(make(4, 3), make.index(6, below=2), -1, True),
        ],
        lambda np, weight, indices, *rest: weight[indices],
        grad=False,
    ),
    OpCase(
        "one_hot",
        _numbers,
        _hot,
        ("int64",),
        grad=False,
        errors=_no_classes,
    ),
]
