"""Samples of chainrule/ops/indexing.py, assignment.py and masking.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...dtypes import int8, int64
from ..cases import ErrorSample, OpCase, Sample
from .shape import ANY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker

ALL = slice(None)


def _brackets(make: Maker) -> Iterator[Sample]:
    """One node in PyTorch's graph first: the rest walks through every kind of index."""
    places, mask = make.index(3, below=2), make.mask(2, 3)
    for item in (
        1,
        -1,
        slice(1, 3),
        slice(None),
        slice(-5, 5, 2),
        None,
        ...,
        True,
        False,
        (),
        (0, 1),
        (ALL, 2),
        (0, ALL, 1),
        (..., -1),
        (None, 0),
        (0, None),
        (slice(1, None), slice(None, None, 2)),
        ([0, 1],),
        [1, 0, 1],
        ([0, 1], ALL, [1, 2]),
        (0, ..., [1, 2]),
        ([[0], [1]], [0, 2]),
        [],
        [[0, 1], [1, 0]],
        [None, 0],
        range(2),
    ):
        yield Sample(make(2, 3, 4), item)
    for index in (
        places,
        (ALL, places),
        (0, places),
        (places, None),
        (places, ALL, places),
        (..., places),
        (places, 0, places),
        (ALL, places, places),
        (places, places, places),
        (True, places),
        mask,
        (mask, 1),
        (mask, slice(1, None)),
        (0, make.mask(3)),
        (ALL, make.mask(3), 0),
        make.index(below=2),
        (make.index(below=2), 0),
        make.index(2, 2, below=2),
        make.mask(2, 3, 4),
        make.mask(),
        make.index(0, below=2),
    ):
        yield Sample(make(2, 3, 4), index)
    yield Sample(make.transposed(3, 4), (slice(1, None), [0, 0]))
    yield Sample(make.strided(3, 4), make.index(3, below=3))
    yield Sample(make(), None)
    yield Sample(make(), ...)
    yield Sample(make(0, 3), (ALL, 0))


def _as_numpy(np: Any, x: Any, index: Any) -> Any:
    """Return an index for NumPy, to which an integer beside an array is another array."""
    if isinstance(index, list) and any(isinstance(i, (list, type(None))) for i in index):
        index = tuple(index)
    if not isinstance(index, tuple):
        return np.array(index, int) if isinstance(index, (list, range)) else index
    items = [np.array(i, int) if isinstance(i, list) else i for i in index]
    advanced = [i for i in items if getattr(i, "ndim", 0) and i.dtype.kind in "iub"]
    numbers = [i for i in items if isinstance(i, int) and not isinstance(i, bool)]
    return _Twice(items) if advanced and numbers else tuple(items)


class _Twice:
    """Integers first, everything else after: two looks."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items


def _looked_up(np: Any, x: Any, index: Any) -> Any:
    index = _as_numpy(np, x, index)
    if not isinstance(index, _Twice):
        return x[index]
    first: list[Any] = []
    rest: list[Any] = []
    for item in index.items:
        number = isinstance(item, int) and not isinstance(item, bool)
        is_mask = getattr(getattr(item, "dtype", None), "kind", "") == "b"
        width = item.ndim if is_mask else 1
        first.extend(
            [item] if number or item is ... else [ALL] * (width if item is not None else 0)
        )
        if not number:
            rest.append(item)
    return x[tuple(first)][tuple(rest)]


def _wrong_brackets(make: Maker) -> Iterator[ErrorSample]:
    for raises, message, index in (
        (IndexError, "index 3 is out of bounds for dimension 0 with size 3", 3),
        (IndexError, "index 9 is out of bounds for dimension 1 with size 4", (0, 9)),
        (IndexError, "index -4 is out of bounds for dimension 0 with size 3", [0, -4]),
        (IndexError, "too many indices for tensor of dimension 2", (0, 0, 0)),
        (ValueError, "step must be greater than zero", slice(None, None, -1)),
        (ValueError, "slice step cannot be zero", slice(None, None, 0)),
        (
            TypeError,
            "slice indices must be integers or None or have an __index__ method",
            slice(0.5, 1),
        ),
        (
            IndexError,
            (
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables "
                "are valid indices (got float)"
            ),
            1.5,
        ),
        (IndexError, "tensors used as indices must be long, int, byte or bool tensors", make(2)),
        (
            IndexError,
            "tensors used as indices must be long, int, byte or bool tensors",
            make.of([1], dtype=int8),
        ),
        (
            IndexError,
            (
                "The shape of the mask [2] at index 0 does not match the shape of the indexed "
                "tensor [3, 4] at index 0"
            ),
            make.mask(2),
        ),
        (
            IndexError,
            (
                "shape mismatch: indexing tensors could not be broadcast together with shapes "
                "[2], [3]"
            ),
            ([0, 1], [0, 1, 2]),
        ),
    ):
        yield ErrorSample(sample=Sample(make(3, 4), index), raises=raises, match=re.escape(message))
    for message, index in (
        ("invalid index of a 0-dim tensor.", 0),
        ("slice() cannot be applied to a 0-dim tensor.", ALL),
    ):
        yield ErrorSample(sample=Sample(make(), index), raises=IndexError, match=re.escape(message))


def _puts(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4), (make.of([2, 0], dtype=int64),), make(2, 4))
    yield Sample(make(3, 4), [make.index(2, below=3), make.index(2, below=4)], make(2), True)
    yield Sample(make(3, 4), (make.mask(3, 4),), make())
    yield Sample(make(3, 4), (make.index(2, 2, below=3),), make(4), accumulate=True)
    yield Sample(make.transposed(3, 4), (make.of([1, 2], dtype=int64),), make(4))


def _put(np: Any, x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    out = x.copy()
    if accumulate:
        np.add.at(out, tuple(indices), values)
    else:
        out[tuple(indices)] = values
    return out


def _wrong_puts(make: Maker) -> Iterator[ErrorSample]:
    places = (make.of([0, 1], dtype=int64),)
    yield ErrorSample(
        sample=Sample(make(3, 4), places, make(3)),
        raises=RuntimeError,
        match=re.escape(
            "shape mismatch: value tensor of shape [3] cannot be broadcast to indexing "
            "result of shape [2, 4]"
        ),
    )
    yield ErrorSample(
        sample=Sample(make(3, 4), places, make.index(4, below=2)),
        raises=RuntimeError,
        match="Index put requires the source and destination dtypes match, got Float for the",
    )


def _masked(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make.mask(2, 3))
    yield Sample(make(2, 3), make.mask(3))
    yield Sample(make(3), make.mask(2, 3))
    yield Sample(make(), make.mask(2))
    yield Sample(make(0, 3), make.mask(3))
    yield Sample(make.transposed(2, 3), make.mask(2, 3))


def _select(np: Any, x: Any, mask: Any) -> Any:
    x, mask = np.broadcast_arrays(x, mask)
    return x[mask]


def _sources(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make.mask(2, 3), make(6))
    yield Sample(make(2, 3), make.mask(3), make(2, 4))
    yield Sample(make(3), make.mask(2, 3), make(7))
    yield Sample(make(), make.mask(), make(1))


def _scattered(np: Any, x: Any, mask: Any, source: Any) -> Any:
    out, mask = (np.array(a) for a in np.broadcast_arrays(x, mask))
    out[mask] = source.reshape(-1)[: mask.sum()]
    return out


def _wrong_masks(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(2, 3), make.index(3, below=2)),
        raises=RuntimeError,
        match="masked_select: expected BoolTensor for mask",
    )
    yield ErrorSample(
        sample=Sample(make(2, 3), make.mask(2)),
        raises=RuntimeError,
        match=re.escape("The size of tensor a (2) must match the size of tensor b (3) at"),
    )


def _of_few(make: Maker) -> Iterator[Sample]:
    for shape in ((3,), (2, 3), (), (0, 2), (2, 1, 3)):
        yield Sample(make.of(_zeroes(make(*shape).tolist())))


def _zeroes(nested: Any) -> Any:
    if isinstance(nested, list):
        return [_zeroes(item) for item in nested]
    return 0 if isinstance(nested, (int, float)) and nested < 0 else nested


def _places(np: Any, x: Any, *, as_tuple: bool = False) -> Any:
    found = np.nonzero(np.atleast_1d(x))
    if as_tuple:
        return list(found)
    return np.stack(found, 1) if x.ndim else np.zeros((found[0].size, 0))


cases = [
    OpCase(
        "indexing.getitem",
        _brackets,
        _looked_up,
        ANY,
        saved=("dim", "index"),
        node="SelectBackward0",
        errors=_wrong_brackets,
    ),
    # What brackets with several views are when nothing is recorded; recorded only if made again.
    OpCase(
        "indexing._basic_index",
        lambda make: [Sample(make(2, 3, 4), (0, slice(1, None), None)), Sample(make(3), (1, ...))],
        lambda np, x, index: x[index],
        node="AsStridedBackward0",
    ),
    OpCase(
        "index_put",
        _puts,
        _put,
        ("int64", "float32", "float64", "complex128"),
        saved=("accumulate", "indices"),
        node="IndexPutBackward0",
        errors=_wrong_puts,
        in_place="index_put_",
    ),
    OpCase(
        "nonzero",
        lambda make: [
            *_of_few(make),
            Sample(make(2, 3), as_tuple=True),
            Sample(make(), as_tuple=True),
        ],
        _places,
        ("bool", "int64", "float32"),
        grad=False,
    ),
    OpCase("argwhere", _of_few, _places, grad=False),
    OpCase(
        "masked_select",
        _masked,
        _select,
        ANY,
        saved=("mask", "self"),
        node="MaskedSelectBackward0",
        errors=_wrong_masks,
    ),
    OpCase(
        "masked_scatter",
        _sources,
        _scattered,
        saved=("mask",),
        node="MaskedScatterBackward0",
        in_place="masked_scatter_",
        errors=lambda make: [
            ErrorSample(
                sample=Sample(make(3), make.of([True] * 3, dtype=make.mask().dtype), make(2)),
                raises=RuntimeError,
                match="Number of elements of source < number of ones in mask",
            )
        ],
    ),
]
