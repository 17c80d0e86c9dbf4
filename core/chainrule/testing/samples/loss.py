"""Samples of chainrule/ops/loss.py, and what the samples of all losses share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

REDUCTIONS = ("mean", "sum", "none")


def reduced(np: Any, loss: Any, reduction: str = "mean") -> Any:
    """Return the mean or the sum of the losses, or all of them."""
    return np.mean(loss) if reduction == "mean" else np.sum(loss) if reduction == "sum" else loss


def no_such_reduction(*arguments: Any, **options: Any) -> ErrorSample:
    """Return a call with a reduction that there is not."""
    return ErrorSample(
        sample=Sample(*arguments, reduction="foo", **options),
        raises=ValueError,
        match="foo is not a valid value for reduction",
    )


def alike(make: Maker, **range_: float) -> Iterator[tuple[Any, Any]]:
    """Pairs of one shape: matrices, without dimensions, without elements, in other layouts."""
    yield make(2, 3, **range_), make(2, 3, **range_)
    yield make(**range_), make(**range_)
    yield make(3, 4, **range_), make(3, 4, **range_).detach()
    yield make.transposed(3, 4, **range_), make.strided(3, 4, **range_)


def _compared(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        for x, y in alike(make):
            yield Sample(x, y, reduction=reduction)
    yield Sample(make(0, 3), make(0, 3), reduction="none")
    yield Sample(make(0, 3), make(0, 3), reduction="sum")


def _weighted(make: Maker) -> Iterator[Sample]:
    yield from _compared(make)
    for reduction in REDUCTIONS:
        yield Sample(make(2, 3), make(2, 3), reduction=reduction, weight=make(2, 3, low=0.5))


def _with_beta(make: Maker) -> Iterator[Sample]:
    yield from _compared(make)
    for beta in (0, 0.3, 2.0):
        yield Sample(make(2, 3), make(2, 3), reduction="none", beta=beta)


def _with_delta(make: Maker) -> Iterator[Sample]:
    yield from _weighted(make)
    for delta in (0.3, 2.0):
        yield Sample(make(2, 3), make(2, 3), delta=delta)


def _shapes_differ(make: Maker) -> Iterator[ErrorSample]:
    yield no_such_reduction(make(2, 3), make(2, 3))


def _weight_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from _shapes_differ(make)
    yield ErrorSample(
        sample=Sample(make(2, 3), make(2, 3), weight=make(3)),
        raises=ValueError,
        match=r"Weights and input must have the same size\.",
    )


def _mse_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from _weight_errors(make)
    yield ErrorSample(
        sample=Sample(make(3, dtype=dtypes.int64), make(3, dtype=dtypes.int64)),
        raises=NotImplementedError,
        match="\"mse_cpu\" not implemented for 'Long'",
    )


def _beta_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from _shapes_differ(make)
    yield ErrorSample(
        sample=Sample(make(3), make(3), beta=-1.0),
        raises=RuntimeError,
        match=r"smooth_l1_loss does not support negative values for beta\.",
    )


def _delta_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from _weight_errors(make)
    yield ErrorSample(
        sample=Sample(make(3), make(3), delta=0),
        raises=RuntimeError,
        match=r"huber_loss does not support non-positive values for delta\.",
    )


def _over_weights(np: Any, loss: Any, weight: Any, reduction: str) -> Any:
    if weight is None:
        return reduced(np, loss, reduction)
    if reduction == "mean":
        return np.sum(loss * weight) / np.sum(weight)
    return reduced(np, loss * weight, reduction)


def _mse(np: Any, x: Any, y: Any, reduction: str = "mean", weight: Any = None) -> Any:
    return _over_weights(np, (x - y) ** 2, weight, reduction)


def _l1(np: Any, x: Any, y: Any, reduction: str = "mean", weight: Any = None) -> Any:
    return _over_weights(np, np.abs(x - y), weight, reduction)


def _smooth_l1(np: Any, x: Any, y: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    away = np.abs(x - y)
    near = away**2 / (2 * beta) if beta else away
    return reduced(np, np.where(away < beta, near, away - beta / 2), reduction)


def _huber(
    np: Any, x: Any, y: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Any:
    away = np.abs(x - y)
    loss = np.where(away < delta, away**2 / 2, delta * (away - delta / 2))
    return reduced(np, loss if weight is None else loss * weight, reduction)


def case(
    name: str, samples: Callable[[Maker], Iterator[Sample]], reference: Any, **known: Any
) -> OpCase:
    """Return the case of a function that users call in nn.functional."""
    return OpCase(f"nn.functional.{name}", samples, reference, **known)


cases = [
    case(
        "mse_loss",
        _weighted,
        _mse,
        saved=("reduction", "self", "target"),
        node="MseLossBackward0",
        errors=_mse_errors,
    ),
    case(
        "l1_loss",
        _weighted,
        _l1,
        saved=(),
        node="MeanBackward0",
        errors=_weight_errors,
    ),
    case(
        "smooth_l1_loss",
        _with_beta,
        _smooth_l1,
        saved=("beta", "reduction", "self", "target"),
        node="SmoothL1LossBackward0",
        errors=_beta_errors,
    ),
    case(
        "huber_loss",
        _with_delta,
        _huber,
        saved=("delta", "reduction", "self", "target"),
        node="HuberLossBackward0",
        errors=_delta_errors,
    ),
]
