"""Samples of chainrule/ops/extrema.py, order_statistics.py and cumulative.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample
from .reductions import NAN, axis, layouts, one_dimension, one_out_of_range, out_of_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

ORDERED = ("uint8", "int64", "float16", "float32", "float64")
REAL = ("float32", "float64")


def _largest(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), 1)
    yield from layouts(make)
    yield from one_dimension(make)
    yield Sample(make(2, 3), other=make(2, 3))
    yield Sample(make(2, 3), make(3))
    yield Sample(make.of([[1, 3, 3], [2, 2, 2]]).detach(), 1)
    yield Sample(make.of([[1, 3, 3], [2, 2, 2]]).detach())
    if make.dtype.is_floating_point:
        yield Sample(make.of([[1.0, NAN, 3.0], [2.0, 2.0, 2.0]]).detach(), 1)
        yield Sample(make.of([1.0, NAN, 3.0]).detach())


def _largest_of_several(make: Maker) -> Iterator[Sample]:
    yield from layouts(make)
    yield Sample(make(2, 3), dim=(), keepdim=True)
    yield Sample(make(2, 3, 4), (0, 2))
    yield Sample(make(2, 3, 4), [-1, 0], True)
    yield from one_dimension(make)
    yield Sample(make.of([[1, 3, 3], [2, 2, 2]]).detach(), 1)


def _both_extremes(make: Maker) -> Iterator[Sample]:
    yield from layouts(make)
    yield Sample(make(2, 3), keepdim=True)
    yield Sample(make(2, 3), dim=1)
    yield Sample(make(2, 3, 4), dim=-2, keepdim=True)
    yield Sample(make(0, 3), dim=1)
    yield Sample(make(), dim=0)


def _positions(make: Maker) -> Iterator[Sample]:
    yield from layouts(make)
    yield Sample(make(2, 3), keepdim=True)
    yield from one_dimension(make)
    yield Sample(make.of([[1, 3, 3], [2, 2, 2]]), 1)


def _running(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), 1)
    yield Sample(make(2, 3, 4), dim=0)
    yield Sample(make(5), -1)
    yield Sample(make(), 0)
    yield Sample(make(0, 3).detach(), 0)
    yield Sample(make(0, 3).detach(), 1)
    yield Sample(make.transposed(3, 4), 1)
    yield Sample(make.strided(3, 4), 0)


def _running_extremes(make: Maker) -> Iterator[Sample]:
    yield from _running(make)
    yield Sample(make.of([1, 3, 3, 2, 1]).detach(), 0)
    if make.dtype.is_floating_point:
        yield Sample(make.of([1.0, NAN, 3.0, NAN]).detach(), 0)


def _running_sums(make: Maker) -> Iterator[Sample]:
    yield from _running(make)
    if make.dtype.category <= dtypes.FLOATING:
        yield Sample(make(2, 3), 0, dtype=dtypes.float64)


def _running_products(make: Maker) -> Iterator[Sample]:
    yield from _running_sums(make)
    yield Sample(make.of([2, 0, 3, 0, 4]), 0)
    yield Sample(make.of([[0, 2], [3, 0], [1, 5]]), 0)


def _ranked(make: Maker) -> Iterator[Sample]:
    yield from layouts(make)
    yield from one_dimension(make)
    yield Sample(make(3, 4), -1)
    if make.dtype.is_floating_point:
        yield Sample(make.of([[1.0, NAN, 3.0, 0.0], [2.0, 5.0, 1.0, 4.0]]).detach(), 1)
        yield Sample(make.of([1.0, NAN, 3.0, 0.0]).detach())


def _kth(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), 2)
    yield Sample(make(2, 3), 1, 0)
    yield Sample(make(2, 3, 4), 3, -2, True)
    yield Sample(make(), 1)
    yield Sample(make(0, 3), k=1, dim=1)
    yield Sample(make.transposed(3, 4), 4)
    yield Sample(make.strided(3, 4), 2, dim=0)


def _modes(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3))  # no two alike: the smallest
    yield Sample(make.of([[3, 1, 3, 2], [2, 1, 2, 1]]).detach())
    yield Sample(make.of([[3, 1, 3, 2], [2, 1, 2, 1], [3, 1, 1, 1]]).detach(), 0)
    yield Sample(make.of([[3, 1, 3, 2], [2, 1, 2, 1]]).detach(), -1, True)
    yield Sample(make(), 0)
    yield Sample(make(0, 3))


def _nothing_to_choose(name: str) -> Callable[[Maker], Iterator[ErrorSample]]:
    def errors(make: Maker) -> Iterator[ErrorSample]:
        yield from one_out_of_range(make)
        yield ErrorSample(
            sample=Sample(make(0, 3), 0),
            raises=IndexError,
            match=rf"{name}\(\): Expected reduction dim 0 to have non-zero size\.",
        )

    return errors


def _no_element(name: str) -> Callable[[Maker], Iterator[ErrorSample]]:
    def errors(make: Maker) -> Iterator[ErrorSample]:
        yield from _nothing_to_choose(name)(make)
        yield ErrorSample(
            sample=Sample(make(0)),
            raises=RuntimeError,
            match=rf"{name}\(\): Expected reduction dim to be specified for "
            r"input\.numel\(\) == 0\. Specify the reduction dim with the 'dim' argument",
        )

    return errors


def _several_errors(name: str) -> Callable[[Maker], Iterator[ErrorSample]]:
    def errors(make: Maker) -> Iterator[ErrorSample]:
        yield from out_of_range(make)
        yield from _no_element(name)(make)

    return errors


def _position_errors(name: str) -> Callable[[Maker], Iterator[ErrorSample]]:
    def errors(make: Maker) -> Iterator[ErrorSample]:
        yield from _nothing_to_choose(name)(make)
        yield ErrorSample(
            sample=Sample(make(0)),
            raises=IndexError,
            match=rf"{name}\(\): Expected reduction dim to be specified for "
            r"input\.numel\(\) == 0\.",
        )
        yield ErrorSample(
            sample=Sample(make.mask(3)),
            raises=RuntimeError,
            match=rf"{name}\(\): does not support bool input",
        )

    return errors


def _both_errors(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(0)),
        raises=RuntimeError,
        match=r"aminmax\(\): cannot compute aminmax over an empty dimension as the operation has "
        r"no identity\.",
    )
    yield ErrorSample(
        sample=Sample(make(0, 3), dim=0),
        raises=IndexError,
        match=r"aminmax: Expected reduction dim 0 to have non-zero size\.",
    )


def _ranked_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from _nothing_to_choose("median")(make)
    yield ErrorSample(
        sample=Sample(make.mask(3)),
        raises=NotImplementedError,
        match="\"median_cpu\" not implemented for 'Bool'",
    )


def _kth_errors(make: Maker) -> Iterator[ErrorSample]:
    for k in (0, 4):
        yield ErrorSample(
            sample=Sample(make(2, 3), k),
            raises=RuntimeError,
            match=r"kthvalue\(\): selected number k out of range for dimension 1",
        )


def _extreme(name: str) -> Any:
    """Return the reference of max or min in its three forms."""

    def reference(
        np: Any, x: Any, dim: Any = None, keepdim: bool = False, other: Any = None
    ) -> Any:
        second = dim if other is None and hasattr(dim, "shape") else other
        if second is not None:
            return getattr(np, f"{name}imum")(x, second)
        values = getattr(np, name)(x, axis(x, dim), keepdims=keepdim)
        if dim is None:
            return values
        return values, getattr(np, f"arg{name}")(x, axis(x, dim), keepdims=keepdim)

    return reference


def _extreme_over(name: str) -> Any:
    return lambda np, x, dim=(), keepdim=False: getattr(np, name)(x, axis(x, dim), keepdims=keepdim)


def _extremes_over(np: Any, x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return tuple(f(x, axis(x, dim), keepdims=keepdim) for f in (np.min, np.max))


def _position(name: str) -> Any:
    return lambda np, x, dim=None, keepdim=False: getattr(np, name)(
        x, axis(x, dim), keepdims=keepdim
    )


def _running_extreme(name: str) -> Any:
    """Return the reference of cummax or cummin: element by element, as it is defined."""

    def reference(np: Any, x: Any, dim: int) -> Any:
        if x.ndim == 0:
            return x, np.zeros((), np.int64)
        rows = np.moveaxis(x, dim, 0)
        values, indices = rows.copy(), np.zeros(rows.shape, np.int64)
        for i in range(1, len(rows)):
            better = rows[i] >= values[i - 1] if name == "max" else rows[i] <= values[i - 1]
            better = (better | np.isnan(rows[i])) & ~(np.isnan(values[i - 1]) & ~np.isnan(rows[i]))
            values[i] = np.where(better, rows[i], values[i - 1])
            indices[i] = np.where(better, i, indices[i - 1])
        return np.moveaxis(values, 0, dim), np.moveaxis(indices, 0, dim)

    return reference


def _at_rank(np: Any, x: Any, rank: Any, dim: int, keepdim: bool) -> Any:
    """Return values and indices of *rank*, one or one per row, in the stable order along *dim*."""
    if x.ndim == 0:
        return x, np.zeros((), np.int64)
    order = np.argsort(x, dim, kind="stable")
    places = np.broadcast_to(np.asarray(rank), np.sum(x, dim, keepdims=True).shape)
    indices = np.take_along_axis(order, places, dim)
    values = np.take_along_axis(x, indices, dim)
    return (values, indices) if keepdim else (np.squeeze(values, dim), np.squeeze(indices, dim))


def _median(*, ignore_nan: bool) -> Any:
    def reference(np: Any, x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        row = x.reshape(-1) if dim is None or x.ndim == 0 else x
        along = 0 if dim is None or x.ndim == 0 else dim
        numbers = np.sum(~np.isnan(row), along, keepdims=True)
        rank = (numbers - 1) // 2
        if not ignore_nan:
            rank = np.where(numbers == row.shape[along], rank, numbers)
        if dim is not None and x.ndim == 0:
            return x, np.zeros((), np.int64)
        found = _at_rank(np, row, rank, along, keepdim and dim is not None)
        return found[0] if dim is None else found

    return reference


def _kth_of(np: Any, x: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    return _at_rank(np, x, k - 1, dim, keepdim)


def _mode(np: Any, x: Any, dim: int = -1, keepdim: bool = False) -> Any:
    if x.ndim == 0:
        return x, np.zeros((), np.int64)
    rows = np.moveaxis(x, dim, -1)
    counts = np.sum(rows[..., :, None] == rows[..., None, :], -1)
    best = np.max(counts, -1, keepdims=True)
    values = np.min(np.where(counts == best, rows, np.inf), -1, keepdims=True)
    last = rows.shape[-1] - 1 - np.argmax((rows == values)[..., ::-1], -1, keepdims=True)
    found = (np.moveaxis(values, -1, dim), np.moveaxis(last, -1, dim))
    return found if keepdim else tuple(np.squeeze(f, dim) for f in found)


def _accumulated(name: str) -> Any:
    return lambda np, x, dim, dtype=None: getattr(np, name)(x, dim) if x.ndim else x


cases = [
    OpCase(
        "max",
        _largest,
        _extreme("max"),
        ORDERED,
        saved=("dim", "indices", "keepdim"),
        node="MaxBackward0",
        errors=_no_element("max"),
    ),
    OpCase(
        "min",
        _largest,
        _extreme("min"),
        ORDERED,
        saved=("dim", "indices", "keepdim"),
        node="MinBackward0",
        errors=_no_element("min"),
    ),
    OpCase(
        "amax",
        _largest_of_several,
        _extreme_over("max"),
        (*ORDERED, "bool"),
        saved=("dim", "keepdim", "result", "self"),
        node="AmaxBackward0",
        errors=_several_errors("amax"),
    ),
    OpCase(
        "amin",
        _largest_of_several,
        _extreme_over("min"),
        (*ORDERED, "bool"),
        saved=("dim", "keepdim", "result", "self"),
        node="AminBackward0",
        errors=_several_errors("amin"),
    ),
    OpCase(
        "aminmax",
        _both_extremes,
        _extremes_over,
        ORDERED,
        saved=("dim", "keepdim", "max", "min", "self"),
        node="AminmaxBackward0",
        errors=_both_errors,
    ),
    OpCase(
        "argmax",
        _positions,
        _position("argmax"),
        ORDERED,
        grad=False,
        errors=_position_errors("argmax"),
    ),
    OpCase(
        "argmin",
        _positions,
        _position("argmin"),
        ORDERED,
        grad=False,
        errors=_position_errors("argmin"),
    ),
    OpCase(
        "cummax",
        _running_extremes,
        _running_extreme("max"),
        (*ORDERED, "bool"),
        saved=("dim", "indices", "self"),
        node="CummaxBackward0",
        errors=one_out_of_range,
    ),
    OpCase(
        "cummin",
        _running_extremes,
        _running_extreme("min"),
        (*ORDERED, "bool"),
        saved=("dim", "indices", "self"),
        node="CumminBackward0",
        errors=one_out_of_range,
    ),
    OpCase(
        "cumsum",
        _running_sums,
        _accumulated("cumsum"),
        ("bool", "uint8", "int64", "float32", "float64", "complex128"),
        saved=("dim",),
        node="CumsumBackward0",
        errors=one_out_of_range,
        in_place="cumsum_",
    ),
    OpCase(
        "cumprod",
        _running_products,
        _accumulated("cumprod"),
        ("bool", "uint8", "int64", "float32", "float64", "complex128"),
        saved=("dim", "result", "self"),
        node="CumprodBackward0",
        errors=one_out_of_range,
        in_place="cumprod_",
    ),
    OpCase(
        "median",
        _ranked,
        _median(ignore_nan=False),
        REAL,
        saved=("result", "self"),
        node="MedianBackward0",
        errors=_ranked_errors,
    ),
    OpCase(
        "nanmedian",
        _ranked,
        _median(ignore_nan=True),
        REAL,
        saved=("result", "self"),
        node="NanmedianBackward0",
        errors=_ranked_errors,
    ),
    OpCase(
        "kthvalue",
        _kth,
        _kth_of,
        REAL,
        saved=("dim", "indices", "keepdim"),
        node="KthvalueBackward0",
        errors=_kth_errors,
    ),
    OpCase(
        "mode",
        _modes,
        _mode,
        ("int64", "float32", "float64"),
        saved=("dim", "indices", "keepdim"),
        node="ModeBackward0",
        errors=one_out_of_range,
    ),
]
