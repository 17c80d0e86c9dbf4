"""Samples of chainrule/ops/loss_likelihoods.py and loss_binary.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, Sample
from .loss import REDUCTIONS, alike, case, no_such_reduction, reduced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker


def _divergences(make: Maker) -> Iterator[Sample]:
    for reduction in ("batchmean", "sum", "none"):
        yield Sample(make(2, 3), make(2, 3, low=0.1), reduction=reduction)
        yield Sample(make(2, 3), make(2, 3), reduction=reduction, log_target=True)
    yield Sample(make(2, 3), make(3, low=0.1), reduction="sum")
    yield Sample(make(), make(low=0.1), reduction="none")
    yield Sample(make(0, 3), make(0, 3, low=0.1), reduction="none")
    yield Sample(make(3), make.of([0.0, 1.0, 0.5]).detach(), reduction="sum")


def _divergence_errors(make: Maker) -> Iterator[ErrorSample]:
    yield no_such_reduction(make(3), make(3))
    yield ErrorSample(
        sample=Sample(make(3), make.index(3, below=2), reduction="sum"),
        raises=RuntimeError,
        match=r"kl_div: Integral inputs not supported\.",
    )


def _kl_div(np: Any, x: Any, y: Any, reduction: str, log_target: bool = False) -> Any:
    logs = y if log_target else np.log(np.where(y == 0, 1, y))
    loss = (np.exp(y) if log_target else y) * (logs - x)
    return np.sum(loss) / x.shape[0] if reduction == "batchmean" else reduced(np, loss, reduction)


def _counts(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        yield Sample(make(2, 3), make(2, 3, low=0.1, high=4), reduction=reduction)
    yield Sample(make(2, 3, low=0.1), make(2, 3, low=0.1, high=4), log_input=False, eps=0.1)
    yield Sample(make(2, 3), make.of([[0.5, 1.5, 2.5], [3.0, 0.1, 4.0]]), full=True)
    yield Sample(make(), make(low=0.1))
    yield Sample(make(0, 3), make(0, 3), reduction="none")


def _poisson(
    np: Any,
    x: Any,
    y: Any,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    loss = np.exp(x) - y * x if log_input else x - y * np.log(x + eps)
    if full:
        positive = np.where(y > 1, y, 1)
        stirling = positive * np.log(positive) - positive + np.log(2 * np.pi * positive) / 2
        loss = loss + np.where(y > 1, stirling, 0)
    return reduced(np, loss, reduction)


def _normal(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        yield Sample(make(2, 3), make(2, 3), make(2, 3, low=0.5), reduction=reduction)
    yield Sample(make(2, 3), make(2, 3), make(2, 1, low=0.5), full=True)
    yield Sample(make(2, 3), make(2, 3), make(2, low=0.5))
    yield Sample(make(2, 3), make(2, 3), 2.0)
    yield Sample(make(2, 3), make(2, 3), make(2, 3, low=0.5).detach(), eps=1.0)
    yield Sample(make(0, 3), make(0, 3), make(0, 3), reduction="none")


def _normal_errors(make: Maker) -> Iterator[ErrorSample]:
    x = make(2, 3)
    yield ErrorSample(
        sample=Sample(x, x, make(3, low=0.1)), raises=ValueError, match="var is of incorrect size"
    )
    yield ErrorSample(
        sample=Sample(x, x, -1.0), raises=ValueError, match="var has negative entry/entries"
    )
    yield ErrorSample(
        sample=Sample(x, x, 1.0, reduction="foo"), raises=ValueError, match="foo is not valid"
    )


def _gaussian(
    np: Any,
    x: Any,
    y: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    var = np.asarray(var, x.dtype)
    var = np.maximum(var[:, None] if 0 < var.ndim < x.ndim else var, eps)
    loss = (np.log(var) + (x - y) ** 2 / var) / 2 + full * np.log(2 * np.pi) / 2
    return reduced(np, loss, reduction)


# Yes or no


def _probabilities(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        for x, y in alike(make, low=0.1, high=0.9):
            yield Sample(x, y, reduction=reduction)
        weight = make(3, low=0.5).detach()
        yield Sample(
            make(2, 3, low=0.1, high=0.9),
            make(2, 3, low=0.1, high=0.9),
            weight,
            reduction=reduction,
        )
    yield Sample(make(0, 3, low=0.1), make(0, 3, low=0.1), reduction="none")
    yield Sample(make.of([0.0, 1.0, 0.5]).detach(), make.of([1.0, 0.0, 0.25]).detach())


def _scores(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        for x, y in alike(make):
            yield Sample(x, y, reduction=reduction)
        weight, positive = make(2, 3, low=0.5).detach(), make(3, low=0.5).detach()
        yield Sample(
            make(2, 3), make(2, 3, low=0), weight, reduction=reduction, pos_weight=positive
        )
    yield Sample(make(2, 3), make(2, 3, low=0), pos_weight=make(3, low=0.5).detach())
    yield Sample(make(0, 3), make(0, 3), reduction="none")
    yield Sample(make.of([0.0, 1000.0, -1000.0]).detach(), make.of([1.0, 0.0, 0.25]).detach())


def _probability_errors(make: Maker) -> Iterator[ErrorSample]:
    x, y = make(2, 3, low=0.1, high=0.9), make(2, 3, low=0.1, high=0.9)
    yield no_such_reduction(x, y)
    for sample, argument in ((Sample(x + 1, y), "input"), (Sample(x, y + 1), "target")):
        yield ErrorSample(
            sample=sample,
            raises=RuntimeError,
            match=f"all elements of {argument} should be between 0 and 1",
        )
    yield ErrorSample(
        sample=Sample(x, y[0]),
        raises=ValueError,
        match=r"Using a target size \(torch\.Size\(\[3\]\)\) that is different to the input size "
        r"\(torch\.Size\(\[2, 3\]\)\) is deprecated\. Please ensure they have the same size\.",
    )
    yield ErrorSample(
        sample=Sample(x, y.double()),
        raises=RuntimeError,
        match="Found dtype Double but expected Float",
    )


def _score_errors(make: Maker) -> Iterator[ErrorSample]:
    yield no_such_reduction(make(2, 3), make(2, 3))
    yield ErrorSample(
        sample=Sample(make(2, 3), make(3)),
        raises=ValueError,
        match=r"Target size \(torch\.Size\(\[3\]\)\) must be the same as input size "
        r"\(torch\.Size\(\[2, 3\]\)\)",
    )
    yield ErrorSample(
        sample=Sample(make(3), make.index(3, below=2)),
        raises=RuntimeError,
        match="result type Float can't be cast to the desired output type Long",
    )
    weight = make(3).detach().requires_grad_()
    yield ErrorSample(
        sample=Sample(make(3), make(3), weight=weight),
        raises=RuntimeError,
        match="The function 'binary_cross_entropy_with_logits' is not differentiable with respect "
        r"to argument 'weight'\. This input cannot have requires_grad True\.",
    )


def _cross_entropy(np: Any, x: Any, y: Any, weight: Any = None, reduction: str = "mean") -> Any:
    loss = (y - 1) * np.maximum(np.log1p(-x), -100) - y * np.maximum(np.log(x), -100)
    return reduced(np, loss if weight is None else loss * weight, reduction)


def _cross_entropy_of_scores(
    np: Any, x: Any, y: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    positive = y if pos_weight is None else pos_weight * y
    loss = positive * np.logaddexp(0, -x) + (1 - y) * np.logaddexp(0, x)
    return reduced(np, loss if weight is None else loss * weight, reduction)


cases = [
    case("kl_div", _divergences, _kl_div, node="DivBackward0", errors=_divergence_errors),
    case(
        "poisson_nll_loss",
        _counts,
        _poisson,
        saved=(),
        node="MeanBackward0",
        errors=lambda make: iter([no_such_reduction(make(3), make(3))]),
    ),
    case(
        "gaussian_nll_loss",
        _normal,
        _gaussian,
        saved=(),
        node="MeanBackward0",
        errors=_normal_errors,
    ),
    case(
        "binary_cross_entropy",
        _probabilities,
        _cross_entropy,
        saved=("reduction", "self", "target", "weight"),
        node="BinaryCrossEntropyBackward0",
        errors=_probability_errors,
        tolerance={"float64": 1e-9},  # PyTorch's second derivative adds 1e-12 to its divisors
    ),
    case(
        "binary_cross_entropy_with_logits",
        _scores,
        _cross_entropy_of_scores,
        saved=("pos_weight", "reduction", "self", "target", "weight"),
        node="BinaryCrossEntropyWithLogitsBackward0",
        errors=_score_errors,
    ),
]
