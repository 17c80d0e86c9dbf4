"""Samples of chainrule/ops/sorting.py and searching.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...dtypes import int64
from ..cases import ErrorSample, OpCase, Sample
from .shape import failing, on_one

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker

ORDERED = ("bool", "int64", "float32", "float64")
_OUT_OF_RANGE = "Dimension out of range (expected to be in range of [-2, 1], but got 2)"


def _sorts(make: Maker) -> Iterator[Sample]:
    yield from on_one(
        ((3, 4),),
        ((3, 4), 0),
        ((3, 4), -1, True),
        ((4,), {"descending": True, "stable": True}),
        ((),),
        ((0, 3),),
        ((2, 3, 4), 1),
    )(make)


def _order(np: Any, x: Any, dim: int = -1, descending: bool = False) -> Any:
    if x.ndim == 0:
        return np.array(0)
    if not descending:
        return np.argsort(x, dim, "stable")
    flipped = np.argsort(np.flip(x, dim), dim, "stable")
    return x.shape[dim] - 1 - np.flip(flipped, dim)


def _sorted(np: Any, x: Any, dim: int = -1, descending: bool = False, **stable: bool) -> Any:
    order = _order(np, x, dim, descending)
    return [np.take_along_axis(x, order, dim) if x.ndim else x, order]


def _top(np: Any, x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    values, order = _sorted(np, x, dim, largest)
    return [a if x.ndim == 0 else np.take(a, range(k), dim) for a in (values, order)]


def _repeated(make: Maker) -> Iterator[Sample]:
    yield Sample(make.of([3, 1, 1, 2, 3]))
    yield Sample(make.of([[3, 1], [3, 1], [2, 1]]), return_inverse=True, return_counts=True)
    yield Sample(make.of([[3, 1], [2, 1], [3, 1]]), dim=0, return_inverse=True, return_counts=True)
    yield Sample(make.of([[3, 3, 1], [2, 2, 1]]), dim=1)
    yield Sample(make(), return_inverse=True)
    yield Sample(make(0))


def _unique(
    np: Any, x: Any, *, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, axis=dim)
    found = [values]
    if return_inverse:
        found.append(inverse.reshape(x.shape if dim is None else -1))
    if return_counts:
        found.append(counts)
    return found


def _runs(
    np: Any, x: Any, *, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    line = x.reshape(-1) if dim is None else np.moveaxis(x, dim, 0)
    starts = [i for i in range(len(line)) if i == 0 or (line[i] != line[i - 1]).any()]
    counts = np.diff([*starts, len(line)])
    found = [np.moveaxis(line[starts], 0, dim or 0)]
    if return_inverse:
        inverse = np.repeat(np.arange(len(starts)), counts)
        found.append(inverse.reshape(x.shape) if dim is None else inverse)
    return [*found, counts] if return_counts else found


def _searches(make: Maker) -> Iterator[Sample]:
    order = make.of([1, 2, 2, 4])
    yield Sample(order, make.of([[0, 2], [3, 5]]))
    yield Sample(order, make.of([0, 2, 4]), right=True)
    yield Sample(order, make.of([0, 2, 4]), side="right", out_int32=True)
    yield Sample(order, 2)
    rows = make.of([[1, 2, 3], [0, 0, 7]])
    yield Sample(rows, make.of([[2, 4], [0, 3]]))
    yield Sample(rows, make.of([[2, 4], [0, 7]]), right=True)
    yield Sample(make.of([4, 1, 2]), make.of([2]), sorter=_of(make, [1, 2, 0]))


def _of(make: Maker, values: Any) -> Any:
    return make.of(values, dtype=int64)


def _found(
    np: Any,
    order: Any,
    x: Any,
    *,
    right: bool = False,
    side: str = "left",
    sorter: Any = None,
    **rest: Any,
) -> Any:
    side = "right" if right else side
    if order.ndim == 1:
        return np.searchsorted(order, x, side, sorter)
    return np.stack([np.searchsorted(a, b, side) for a, b in zip(order, x, strict=True)])


def _wrong_searches(make: Maker) -> Iterator[ErrorSample]:
    for message, order, x, keywords in (
        (
            "torch.searchsorted(): side can only be 'left' or 'right' but got up",
            make(3),
            make(2),
            {"side": "up"},
        ),
        (
            "torch.searchsorted(): side and right can't be set to opposites, got side of left",
            make(3),
            make(2),
            {"side": "left", "right": True},
        ),
        (
            "torch.searchsorted(): boundaries tensor should have positive dimension",
            make(),
            make(2),
            {},
        ),
        (
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first",
            make(2, 3),
            make(3, 3),
            {},
        ),
        (
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor",
            make(2, 3),
            1.0,
            {},
        ),
    ):
        sample = Sample(order, x, **keywords)
        yield ErrorSample(sample=sample, raises=RuntimeError, match=re.escape(message))


def _counts(make: Maker) -> Iterator[Sample]:
    yield Sample(make.index(6, below=4))
    yield Sample(make.index(3, below=2), minlength=5)
    yield Sample(make.index(4, below=3), make(4, requires_grad=False))
    yield Sample(make.index(0, below=3))


def _wrong_counts(make: Maker) -> Iterator[ErrorSample]:
    vector = "bincount only supports 1-d non-negative integral inputs."
    for raises, message, *arguments in (
        (RuntimeError, vector, _of(make, [-1])),
        (RuntimeError, vector, _of(make, [[1]])),
        (
            RuntimeError,
            "weights should be 1-d and have the same length as input",
            _of(make, [1]),
            make(2),
        ),
        (NotImplementedError, "\"bincount_cpu\" not implemented for 'Float'", make(2)),
    ):
        yield ErrorSample(sample=Sample(*arguments), raises=raises, match=re.escape(message))


def _among(make: Maker) -> Iterator[Sample]:
    yield Sample(make.of([[1, 2], [3, 4]]), make.of([2, 4]))
    yield Sample(make.of([1, 2]), make.of([2]), invert=True)
    yield Sample(make.of([1, 2]), 2)
    yield Sample(2, make.of([1, 2]))
    yield Sample(make(0), make(3))


cases = [
    OpCase(
        "sort",
        _sorts,
        _sorted,
        ORDERED,
        saved=("dim", "indices"),
        node="SortBackward0",
        errors=failing((IndexError, _OUT_OF_RANGE, (3, 4), 2)),
    ),
    # Of equal elements the first stays first; there the derivative jumps.
    OpCase(
        "sorting.sort",
        lambda make: [
            Sample(make.of([2, 1, 2, 0, 1]), stable=True),
            Sample(make.of([2, 1, 2, 0, 1]), descending=True),
        ],
        _sorted,
        ORDERED,
        grad=False,
    ),
    OpCase(
        "argsort",
        lambda make: [s for s in _sorts(make) if "stable" not in s.kwargs],
        _order,
        ORDERED,
        grad=False,
    ),
    OpCase(
        "msort",
        on_one(((3, 4),), ((3,),)),
        lambda np, x: np.sort(x, 0),
        ORDERED,
        node="SortBackward0",
    ),
    OpCase(
        "topk",
        on_one(
            ((3, 4), 2),
            ((3, 4), 2, 0),
            ((4,), 3, -1, False),
            ((4,), 0),
            ((), 1),
            ((4,), 2, {"sorted": False}),
            ((2, 20), 2),
            ((20, 2), 1, 0, False),
        ),
        _top,
        saved=("dim", "indices"),
        node="TopkBackward0",
        errors=failing(
            (RuntimeError, "selected index k out of range", (3, 4), 5),
            (IndexError, _OUT_OF_RANGE, (3, 4), 1, 2),
        ),
    ),
    # How many values are distinct: PyTorch has no derivative of it either.
    OpCase("unique", _repeated, _unique, ("int64", "float32"), grad=False),
    OpCase("unique_consecutive", _repeated, _runs, ("int64", "float32"), grad=False),
    OpCase(
        "searchsorted", _searches, _found, ("int64", "float32"), grad=False, errors=_wrong_searches
    ),
    OpCase(
        "bucketize",
        lambda make: [
            Sample(make.of([[0, 2], [3, 5]]), make.of([1, 2, 4])),
            Sample(make.of([2, 4]), make.of([1, 2, 4]), right=True, out_int32=True),
            Sample(3, make.of([1, 2, 4])),
        ],
        lambda np, x, order, *, right=False, out_int32=False: np.searchsorted(
            order, x, "right" if right else "left"
        ),
        ("int64", "float32"),
        grad=False,
        errors=lambda make: [
            ErrorSample(
                sample=Sample(make(2), make(2, 3)),
                raises=RuntimeError,
                match=re.escape("boundaries tensor must be 1 dimension, but got dim(2)"),
            )
        ],
    ),
    # The derivative by the weights is not implemented, as in PyTorch.
    OpCase(
        "bincount",
        _counts,
        lambda np, x, weights=None, minlength=0: np.bincount(x, weights, minlength),
        grad=False,
        errors=_wrong_counts,
    ),
    OpCase(
        "isin",
        _among,
        lambda np, x, among, *, invert=False: np.isin(x, among, invert=invert),
        ("int64", "float32"),
        grad=False,
        errors=lambda make: [
            ErrorSample(
                sample=Sample(1, 1),
                raises=TypeError,
                match=re.escape(
                    "isin() received an invalid combination of arguments - got (int, int)"
                ),
            )
        ],
    ),
]
