"""Samples of chainrule/ops/loss_embeddings.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, Sample
from .loss import REDUCTIONS, case, no_such_reduction, reduced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker


def _signs(make: Maker, *shape: int) -> Any:
    return make.mask(*shape).to(make.dtype) * 2 - 1


def _cosines(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        yield Sample(make(4, 3), make(4, 3), _signs(make, 4), reduction=reduction)
        yield Sample(make(4, 3), make(4, 3), _signs(make, 4), margin=0.25, reduction=reduction)
    yield Sample(make(3), make(3), make.of(-1.0).detach())
    yield Sample(make(0, 3), make(0, 3), _signs(make, 0), reduction="none")


def _cosine_errors(make: Maker) -> Iterator[ErrorSample]:
    x = make(2, 3)
    yield no_such_reduction(x, x, _signs(make, 2))
    yield ErrorSample(
        sample=Sample(x, x, _signs(make, 2, 1)),
        raises=RuntimeError,
        match="0D or 1D target tensor expected, multi-target not supported",
    )
    yield ErrorSample(
        sample=Sample(x, x[0], _signs(make, 2)),
        raises=RuntimeError,
        match=r"1D target tensor expects 2D input tensors, but found inputs with sizes \[2, 3\] "
        r"and \[3\]\.",
    )


def _cosine(np: Any, x: Any, y: Any, sign: Any, margin: float = 0, reduction: str = "mean") -> Any:
    sizes = (np.sum(x * x, -1) + 1e-12) * (np.sum(y * y, -1) + 1e-12)
    cosine = np.sum(x * y, -1) / np.sqrt(sizes)
    return reduced(np, np.where(sign == 1, 1 - cosine, np.maximum(cosine - margin, 0)), reduction)


def _rankings(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        yield Sample(make(4), make(4), _signs(make, 4), margin=0.5, reduction=reduction)
    yield Sample(make(4, 1), make(1, 3), _signs(make, 4, 3))
    yield Sample(make(), make(), make.of(-1.0).detach())
    yield Sample(make(0), make(0), make(0), reduction="none")


def _ranking_errors(make: Maker) -> Iterator[ErrorSample]:
    yield no_such_reduction(make(2), make(2), make(2))
    yield ErrorSample(
        sample=Sample(make(2, 3), make(2, 3), make(2)),
        raises=RuntimeError,
        match=r"margin_ranking_loss : All input tensors should have same dimension but got sizes: "
        r"input1: torch\.Size\(\[2, 3\]\), input2: torch\.Size\(\[2, 3\]\), "
        r"target: torch\.Size\(\[2\]\) ",
    )


def _hinges(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        yield Sample(make(4), _signs(make, 4), reduction=reduction)
    yield Sample(make(2, 4), _signs(make, 4), margin=0.5)
    yield Sample(make(), make.of(-1.0).detach())
    yield Sample(make(0), make(0), reduction="none")


def _hinge(np: Any, x: Any, sign: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    return reduced(np, np.where(sign == 1, x, np.maximum(margin - x, 0)), reduction)


def _triplets(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        for swap in (False, True):
            yield Sample(make(4, 3), make(4, 3), make(4, 3), swap=swap, reduction=reduction)
    yield Sample(make(4, 3), make(4, 3), make(4, 3), margin=3.0)
    yield Sample(make(3), make(3), make(3), margin=3.0)
    yield Sample(make(0, 3), make(0, 3), make(0, 3), reduction="none")


def _triplets_of_orders(make: Maker) -> Iterator[Sample]:
    yield from _triplets(make)
    yield Sample(make(4, 3), make(4, 3), make(4, 3), 2.0, 3, 0.1)
    yield Sample(make(4, 3), make(4, 3), make(4, 3), margin=2.0, p=1.0)


def _triplets_of_distances(make: Maker) -> Iterator[Sample]:
    yield from _triplets(make)
    yield Sample(make(4, 3), make(4, 3), make(4, 3), distance_function=_city_blocks, margin=2.0)


def _city_blocks(x: Any, y: Any) -> Any:
    return abs(x - y).sum(-1)


def _triplet_errors(make: Maker) -> Iterator[ErrorSample]:
    x = make(2, 3)
    yield no_such_reduction(x, x, x)
    yield ErrorSample(
        sample=Sample(x, x, x, margin=-1.0),
        raises=ValueError,
        match=r"margin must be greater than 0, got -1\.0",
    )


def _triplet_shape_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from _triplet_errors(make)
    yield ErrorSample(
        sample=Sample(make(2, 3), make(2, 3), make(3)),
        raises=RuntimeError,
        match="The anchor, positive, and negative tensors are expected to have the same number of "
        "dimensions, but got: anchor 2D, positive 2D, and negative 1D inputs",
    )


def _triplet(
    np: Any,
    a: Any,
    b: Any,
    c: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
    distance_function: Any = None,
) -> Any:
    def between(x: Any, y: Any) -> Any:
        if distance_function is not None:
            return distance_function(x, y)
        return np.sum(np.abs(x - y + eps) ** p, -1) ** (1 / p)

    far = np.minimum(between(a, c), between(b, c)) if swap else between(a, c)
    return reduced(np, np.maximum(margin + between(a, b) - far, 0), reduction)


cases = [
    case(
        "cosine_embedding_loss",
        _cosines,
        _cosine,
        saved=(),
        node="MeanBackward0",
        errors=_cosine_errors,
    ),
    case(
        "margin_ranking_loss",
        _rankings,
        lambda np, x, y, sign, margin=0, reduction="mean": reduced(
            np, np.maximum(margin - sign * (x - y), 0), reduction
        ),
        saved=(),
        node="MeanBackward0",
        errors=_ranking_errors,
    ),
    case(
        "hinge_embedding_loss",
        _hinges,
        _hinge,
        saved=(),
        node="MeanBackward0",
        errors=lambda make: iter([no_such_reduction(make(3), make(3))]),
    ),
    case(
        "triplet_margin_loss",
        _triplets_of_orders,
        _triplet,
        saved=(),
        node="MeanBackward0",
        errors=_triplet_shape_errors,
    ),
    case(
        "triplet_margin_with_distance_loss",
        _triplets_of_distances,
        _triplet,
        saved=(),
        node="MeanBackward0",
        errors=_triplet_errors,
    ),
]
