"""Samples of chainrule/ops/reductions.py, products.py, log_sums.py and counting.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker

NAN, INF = float("nan"), float("inf")
ANY = (
    "bool",
    "uint8",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
)
INEXACT = ("float16", "float32", "float64", "complex64", "complex128")
REAL = ("float32", "float64")

OUT_OF_RANGE = r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 5\)"


def one_dimension(make: Maker) -> Iterator[Sample]:
    """Tensors reduced along one dimension: first, last, kept, of size one, of a 0-d tensor."""
    yield Sample(make(2, 3), 1)
    yield Sample(make(2, 3, 4), 0)
    yield Sample(make(2, 3, 4), -2, True)
    yield Sample(make(3, 2), dim=-1, keepdim=True)
    yield Sample(make(4), dim=0)
    yield Sample(make(1, 3), 0)
    yield Sample(make(), 0)
    yield Sample(make(), dim=-1, keepdim=True)
    yield Sample(make(0, 3), 1)
    yield Sample(make.transposed(3, 4), 1)
    yield Sample(make.strided(3, 4), 0)


def layouts(make: Maker) -> Iterator[Sample]:
    """Tensors reduced to one element."""
    yield Sample(make(2, 3))
    yield Sample(make())
    yield Sample(make(1))
    yield Sample(make.transposed(3, 4))
    yield Sample(make.strided(3, 4))


def several_dimensions(make: Maker) -> Iterator[Sample]:
    """Everything, nothing, and several dimensions at once."""
    yield from layouts(make)
    yield Sample(make(0, 3))
    yield Sample(make(2, 3), dim=())
    yield Sample(make(2, 3), dim=None, keepdim=True)
    yield Sample(make(2, 3, 4), (0, 2))
    yield Sample(make(2, 3, 4), [-1, 0], True)
    yield Sample(make(2, 3, 4), dim=(0, 1, 2), keepdim=True)
    yield from one_dimension(make)


def out_of_range(make: Maker) -> Iterator[ErrorSample]:
    """Dimensions that a matrix does not have, or that are named twice."""
    yield ErrorSample(sample=Sample(make(2, 3), 5), raises=IndexError, match=OUT_OF_RANGE)
    yield ErrorSample(
        sample=Sample(make(2, 3), (0, -2)),
        raises=RuntimeError,
        match="dim 0 appears multiple times in the list of dims",
    )


def one_out_of_range(make: Maker) -> Iterator[ErrorSample]:
    """A dimension that a matrix does not have."""
    yield ErrorSample(sample=Sample(make(2, 3), 5), raises=IndexError, match=OUT_OF_RANGE)


def _with_dtype(make: Maker) -> Iterator[Sample]:
    yield from several_dimensions(make)
    if make.dtype.category <= dtypes.FLOATING:
        yield Sample(make(2, 3), dtype=dtypes.float64)
        yield Sample(make(2, 3), 0, dtype=dtypes.float64)


def _products(make: Maker) -> Iterator[Sample]:
    yield from layouts(make)
    yield Sample(make(0, 3))
    yield from one_dimension(make)
    yield Sample(make.of([[0, 2, 3], [0, 0, 1], [1, 2, 3]]), 1)
    yield Sample(make.of([2, 0, 3]))
    if make.dtype.category <= dtypes.FLOATING:
        yield Sample(make(2, 3), dtype=dtypes.float64)
        yield Sample(make(2, 3), 1, dtype=dtypes.float64)


def _with_nan(make: Maker) -> Iterator[Sample]:
    for sample in several_dimensions(make):
        yield sample if sample.args[0].numel() else Sample(sample.args[0].detach())
    yield Sample(make(2, 3), dtype=dtypes.float64)
    yield Sample(make.of([[1.0, NAN], [NAN, 4.0]]).detach())
    yield Sample(make.of([[1.0, NAN], [NAN, NAN]]).detach(), 1)


def _log_sums(make: Maker) -> Iterator[Sample]:
    yield from one_dimension(make)
    yield Sample(make(2, 3, 4), (0, 2))
    yield Sample(make(2, 3), [0, 1], True)
    if make.dtype.is_floating_point:
        yield Sample(make.of([[-INF, -INF], [INF, 1.0], [-INF, 2.0]]).detach(), 1)
        yield Sample(make.of([1000.0, 1001.0]).detach(), 0)


def _running_log_sums(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), 1)
    yield Sample(make(2, 3, 4), dim=0)
    yield Sample(make(5), -1)
    yield Sample(make(), 0)
    yield Sample(make(0, 3), 0)
    yield Sample(make.transposed(3, 4), 1)
    yield Sample(make.strided(3, 4), 0)
    yield Sample(make.of([-INF, -INF, 1.0, INF]).detach(), 0)
    yield Sample(make.of([1000.0, 1001.0, -1000.0]).detach(), 0)


def _tests(make: Maker) -> Iterator[Sample]:
    yield from several_dimensions(make)
    yield Sample(make.of([[0, 1], [0, 0]]), 1)
    yield Sample(make.of([[1, 1], [0, 0]]), dim=0)


def _counts(make: Maker) -> Iterator[Sample]:
    yield from layouts(make)
    yield Sample(make.of([[0, 2], [1, 3]]), 0)
    yield Sample(make.of([[0, 2], [1, 3]]), dim=1)
    yield Sample(make.of([[0, 2], [1, 3]]), (0, 1))
    yield Sample(make(0, 3), 1)
    yield Sample(make(), 0)


def _sizes(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), 1, 3)
    yield Sample(make(2, 3), 3)
    yield Sample(make(2, 3), (2, 1))
    yield Sample(make(2, 3), ())
    yield Sample(make(4, 2, 3), [1, 3])
    yield Sample(make(2, 3), 2, 3)
    yield Sample(make.transposed(3, 4), 1, 4)
    yield Sample(make(0, 3), 3)


def _sizes_errors(make: Maker) -> Iterator[ErrorSample]:
    for size in ((4,), (2, 2, 3)):
        yield ErrorSample(
            sample=Sample(make(2, 3), size),
            raises=RuntimeError,
            match=r"size \{\[.*\]\} is not expandable to size \{\[2, 3\]\}\.",
        )


def _mean_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from out_of_range(make)
    yield ErrorSample(
        sample=Sample(make(2, 3, dtype=dtypes.int64)),
        raises=RuntimeError,
        match=r"mean\(\): could not infer output dtype\. Input dtype must be either a floating "
        r"point or complex dtype\. Got: Long",
    )
    yield ErrorSample(
        sample=Sample(make(2, 3), dtype=dtypes.int64),
        raises=RuntimeError,
        match=r"mean\(\): could not infer output dtype\. Optional dtype must be .* Got: Long",
    )


def _nanmean_errors(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(2, 3, dtype=dtypes.int64)),
        raises=RuntimeError,
        match=r"nanmean\(\): expected input to have floating point or complex dtype but got Long",
    )


def _log_sums_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from out_of_range(make)


def axis(x: Any, dim: Any) -> Any:
    """Return *dim* as NumPy takes it: None for all, a tuple of several; nothing for a 0-d array."""
    if isinstance(dim, (tuple, list)):
        dim = tuple(dim) or None
    return dim if x.ndim else None


def _reducer(name: str) -> Any:
    """Return the reference that is NumPy's function *name*."""

    def reference(
        np: Any, x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None
    ) -> Any:
        return getattr(np, name)(x, axis(x, dim), keepdims=keepdim)

    return reference


def _mean(np: Any, x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    total = np.sum(x, axis(x, dim), keepdims=keepdim)
    return total / (x.size / max(total.size, 1) if total.size else 1)


def _logsumexp(np: Any, x: Any, dim: Any, keepdim: bool = False) -> Any:
    return (
        np.log(np.sum(np.exp(x), axis(x, dim), keepdims=keepdim))
        if np.max(np.abs(x), initial=0) < 100
        else np.logaddexp.reduce(x, axis(x, dim), keepdims=keepdim)
    )


def _tester(name: str) -> Any:
    def reference(np: Any, x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        nothing = dim == () and x.ndim > 0
        return getattr(np, name)(x, () if nothing else axis(x, dim), keepdims=keepdim)

    return reference


def _sum_to_size(np: Any, x: Any, *size: Any) -> Any:
    size = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    extra = x.ndim - len(size)
    kept = tuple(i + extra for i, n in enumerate(size) if n == 1)
    return np.sum(np.sum(x, kept, keepdims=True), tuple(range(extra)))


cases = [
    OpCase(
        "sum",
        _with_dtype,
        _reducer("sum"),
        ANY,
        saved=(),
        node="SumBackward0",
        errors=out_of_range,
    ),
    OpCase("sum_to_size", _sizes, _sum_to_size, ANY, node="SumBackward1", errors=_sizes_errors),
    OpCase(
        "mean",
        _with_dtype,
        _mean,
        INEXACT,
        saved=(),
        node="MeanBackward0",
        errors=_mean_errors,
    ),
    OpCase(
        "nansum",
        _with_nan,
        _reducer("nansum"),
        REAL,
        saved=("dim", "keepdim", "self"),
        node="NansumBackward0",
        errors=out_of_range,
    ),
    OpCase(
        "nanmean",
        _with_nan,
        lambda np, x, dim=None, keepdim=False, dtype=None: (
            np.nansum(x, axis(x, dim), keepdims=keepdim)
            / np.sum(~np.isnan(x), axis(x, dim), keepdims=keepdim)
        ),
        REAL,
        node="DivBackward0",
        errors=_nanmean_errors,
    ),
    OpCase(
        "prod",
        _products,
        _reducer("prod"),
        ("int64", "uint8", "bool", "float32", "float64", "complex128"),
        saved=("self", "result"),
        node="ProdBackward0",
        errors=one_out_of_range,
    ),
    OpCase(
        "logsumexp",
        _log_sums,
        _logsumexp,
        ("int64", "float32", "float64", "complex128"),
        saved=("dim", "keepdim", "result", "self"),
        node="LogsumexpBackward0",
        errors=_log_sums_errors,
    ),
    OpCase(
        "logcumsumexp",
        _running_log_sums,
        lambda np, x, dim: np.logaddexp.accumulate(x, dim) if x.ndim else x,
        REAL,
        saved=("dim", "result", "self"),
        node="LogcumsumexpBackward0",
        errors=one_out_of_range,
    ),
    OpCase("all", _tests, _tester("all"), ANY, grad=False, errors=out_of_range),
    OpCase("any", _tests, _tester("any"), ANY, grad=False, errors=out_of_range),
    OpCase(
        "count_nonzero",
        _counts,
        lambda np, x, dim=None: np.asarray(np.count_nonzero(x, axis(x, dim))),
        ANY,
        grad=False,
        errors=one_out_of_range,
    ),
]
