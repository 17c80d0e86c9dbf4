"""Samples of chainrule/ops/statistics.py and norms.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample
from .reductions import INF, axis, out_of_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

INEXACT = ("float16", "float32", "float64", "complex128")
PRECISE = ("float32", "float64", "complex128")


def _spreads(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3))
    yield Sample(make(2, 3), 1)
    yield Sample(make(2, 3, 4), (0, 2), correction=0)
    yield Sample(make(2, 3, 4), [-1, 0], True, True)
    yield Sample(make(2, 3), unbiased=False)
    yield Sample(make(2, 3), False)
    yield Sample(make(2, 3), dim=-1, correction=0.5, keepdim=True)
    yield Sample(make(4), dim=None, correction=2)
    yield Sample(make(0, 3), 1)
    yield Sample(make(3), 0)
    yield Sample(make.transposed(3, 4), 0)
    yield Sample(make.strided(3, 4), 1)
    yield Sample(make(), correction=0)


def _spread_errors(name: str) -> Callable[[Maker], Iterator[ErrorSample]]:
    who = "std and var" if name in {"std", "var"} else name

    def errors(make: Maker) -> Iterator[ErrorSample]:
        yield from out_of_range(make)
        yield ErrorSample(
            sample=Sample(make(2, 3, dtype=dtypes.int64)),
            raises=RuntimeError,
            match=f"{who} only support floating point and complex dtypes",
        )
        yield ErrorSample(
            sample=Sample(make(2, 3), 1, 2),
            raises=TypeError,
            match=rf"{name}\(\) received an invalid combination of arguments",
        )

    return errors


def _spread(np: Any, x: Any, dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> Any:
    """Return variance and mean."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    over = axis(x, dim)
    center = np.mean(x, over, keepdims=True)
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    freedom = x.size / max(center.size, 1) - correction
    total = np.sum(np.abs(x - center) ** 2, over, keepdims=keepdim)
    return total / max(freedom, 0), np.mean(x, over, keepdims=keepdim)


def _spread_of(pick: Callable[[Any, Any, Any], Any]) -> Any:
    """Return the reference that picks from ``np``, variance and mean."""

    def reference(
        np: Any,
        x: Any,
        dim: Any = None,
        unbiased: Any = None,
        keepdim: bool = False,
        correction: Any = None,
    ) -> Any:
        return pick(np, *_spread(np, x, dim, unbiased, keepdim, correction))

    return reference


def _orders(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3))
    yield Sample(make(2, 3), 1)
    yield Sample(make(2, 3), 3, 1)
    yield Sample(make(2, 3), 2, (0, 1), True)
    yield Sample(make(2, 3), 2.5, -1, True)
    yield Sample(make(2, 3), INF, 0)
    yield Sample(make(2, 3), -INF)
    yield Sample(make(2, 3), 0.5, 1)
    yield Sample(make(2, 3), 1.5)
    yield Sample(make(2, 3), -1, 1)
    yield Sample(make(2, 3, requires_grad=False), 0, 1)
    yield Sample(make())
    yield Sample(make(), 3, 0)
    yield Sample(make(0, 3), 2, 0)
    yield Sample(make(0, 3), INF, dim=1)
    yield Sample(make.transposed(3, 4), 2, dim=0)
    yield Sample(make.strided(3, 4), 3)


def _vector_norms(make: Maker) -> Iterator[Sample]:
    yield from _orders(make)
    yield Sample(make(2, 3), ord=2, dim=None, keepdim=True)
    if make.dtype.is_floating_point:
        yield Sample(make(2, 3), dtype=dtypes.float64)


def _norms(make: Maker) -> Iterator[Sample]:
    yield from _orders(make)
    yield Sample(make(2, 3), "fro")
    yield Sample(make(2, 3), p="fro", dim=(0, 1), keepdim=True)
    yield Sample(make(2, 3), p=None)


def _norm(
    np: Any, x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Any:
    over, size, p = axis(x, dim), np.abs(x), 2 if ord in {"fro", None} else ord
    if p == 0:
        return np.sum(x != 0, over, keepdims=keepdim)
    if p in {INF, -INF}:
        return (np.max if p > 0 else np.min)(size, over, keepdims=keepdim)
    return np.sum(size**p, over, keepdims=keepdim) ** (1 / p)


def _norm_of(np: Any, x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> Any:
    return _norm(np, x, p, dim, keepdim)


def _no_norm(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(2, 3), 2, 5),
        raises=IndexError,
        match=r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 5\)",
    )
    yield ErrorSample(
        sample=Sample(make(2, 3, dtype=dtypes.int64)),
        raises=RuntimeError,
        match=r"linalg\.vector_norm: Expected a floating point or complex tensor as input\. Got "
        "Long",
    )
    yield ErrorSample(
        sample=Sample(make(0), INF),
        raises=RuntimeError,
        match=r"linalg\.vector_norm cannot compute the inf norm on an empty tensor",
    )
    yield ErrorSample(
        sample=Sample(make(2, 3), dtype=dtypes.float16),
        raises=RuntimeError,
        match=r"linalg\.vector_norm: the dtype of the input \(Float\) should be convertible "
        r"without narrowing to the specified dtype \(Half\)",
    )


def _norm_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from _no_norm(make)
    yield ErrorSample(
        sample=Sample(make(2, 3), "foo"),
        raises=RuntimeError,
        match=r"linalg\.matrix_norm: Order foo not supported\.",
    )


def _distances(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(2, 3))
    yield Sample(make(2, 3), make(3), 1)
    yield Sample(make(2, 3), make(2, 1), p=3)
    yield Sample(make(2, 3), make(2, 3), INF)
    yield Sample(make(2, 3), make(), 1.5)
    yield Sample(make(), make())
    yield Sample(make(0, 3), make(3))
    yield Sample(make.transposed(3, 4), make.strided(3, 4))


def _distance_errors(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(2, 3), make(4)),
        raises=RuntimeError,
        match=r"The size of tensor a \(3\) must match the size of tensor b \(4\)",
    )
    yield ErrorSample(
        sample=Sample(make(3, dtype=dtypes.int64), make(3, dtype=dtypes.int64)),
        raises=RuntimeError,
        match=r"norm\(\): input dtype should be either floating point or complex\. Got Long "
        r"instead\.",
    )


def _pairs(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(2, 3))
    yield Sample(make(2, 3), make(3), 1.0)
    yield Sample(make(2, 1, 3), make(4, 3), p=3.0, eps=0.1, keepdim=True)
    yield Sample(make(3), make(3), INF)
    yield Sample(make(0, 3), make(3))
    yield Sample(make.transposed(3, 4), make.strided(3, 4))


def _pairwise(
    np: Any, x: Any, y: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    return _norm(np, x - y + eps, p, -1, keepdim)


cases = [
    OpCase(
        "var",
        _spreads,
        _spread_of(lambda np, variance, mean: variance),
        INEXACT,
        saved=("correction", "dim", "keepdim", "self"),
        node="VarBackward0",
        errors=_spread_errors("var"),
    ),
    OpCase(
        "std",
        _spreads,
        _spread_of(lambda np, variance, mean: np.sqrt(variance)),
        INEXACT,
        saved=("correction", "dim", "keepdim", "result", "self"),
        node="StdBackward0",
        errors=_spread_errors("std"),
    ),
    OpCase(
        "var_mean",
        _spreads,
        _spread_of(lambda np, variance, mean: (variance, mean)),
        INEXACT,
        saved=("correction", "dim", "keepdim", "self"),
        node="VarMeanBackward0",
        errors=_spread_errors("var_mean"),
    ),
    OpCase(
        "std_mean",
        _spreads,
        _spread_of(lambda np, variance, mean: (np.sqrt(variance), mean)),
        INEXACT,
        saved=("correction", "dim", "keepdim", "result0", "self"),
        node="StdMeanBackward0",
        errors=_spread_errors("std_mean"),
    ),
    OpCase(
        "vector_norm",
        _vector_norms,
        _norm,
        PRECISE,
        saved=("dim", "keepdim", "ord", "result", "self"),
        node="LinalgVectorNormBackward0",
        errors=_no_norm,
    ),
    OpCase(
        "norm",
        _norms,
        _norm_of,
        PRECISE,
        saved=("dim", "keepdim", "ord", "result", "self"),
        node="LinalgVectorNormBackward0",
        errors=_norm_errors,
    ),
    OpCase(
        "dist",
        _distances,
        lambda np, x, y, p=2: np.asarray(_norm(np, x - y, p)),
        PRECISE,
        saved=("other", "p", "result", "self"),
        node="DistBackward0",
        errors=_distance_errors,
    ),
    OpCase(
        "pairwise_distance",
        _pairs,
        _pairwise,
        saved=("dim", "keepdim", "p", "result", "self"),
        node="NormBackward1",
    ),
]
