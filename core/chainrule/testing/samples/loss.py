"""Samples of chainrule/ops/loss.py, loss_binary.py, loss_likelihoods.py and loss_embeddings.py."""

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
        for input, target in alike(make):
            yield Sample(input, target, reduction=reduction)
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


# Likelihoods


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
    np: Any, x: Any, y: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:  # fmt: skip
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
    yield ErrorSample(sample=Sample(x, x, -1.0), raises=ValueError, match="var has negative entry/entries")
    yield ErrorSample(
        sample=Sample(x, x, 1.0, reduction="foo"), raises=ValueError, match="foo is not valid"
    )


def _gaussian(
    np: Any, x: Any, y: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    var = np.asarray(var, x.dtype)
    var = np.maximum(var[:, None] if 0 < var.ndim < x.ndim else var, eps)
    loss = (np.log(var) + (x - y) ** 2 / var) / 2 + full * np.log(2 * np.pi) / 2
    return reduced(np, loss, reduction)


# Yes or no


def _probabilities(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        for input, target in alike(make, low=0.1, high=0.9):
            yield Sample(input, target, reduction=reduction)
        weight = make(3, low=0.5).detach()
        yield Sample(make(2, 3, low=0.1, high=0.9), make(2, 3, low=0.1, high=0.9), weight, reduction=reduction)
    yield Sample(make(0, 3, low=0.1), make(0, 3, low=0.1), reduction="none")
    yield Sample(make.of([0.0, 1.0, 0.5]).detach(), make.of([1.0, 0.0, 0.25]).detach())


def _scores(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        for input, target in alike(make):
            yield Sample(input, target, reduction=reduction)
        weight, positive = make(2, 3, low=0.5).detach(), make(3, low=0.5).detach()
        yield Sample(make(2, 3), make(2, 3, low=0), weight, reduction=reduction, pos_weight=positive)
    yield Sample(make(2, 3), make(2, 3, low=0), pos_weight=make(3, low=0.5).detach())
    yield Sample(make(0, 3), make(0, 3), reduction="none")
    yield Sample(make.of([0.0, 1000.0, -1000.0]).detach(), make.of([1.0, 0.0, 0.25]).detach())


def _probability_errors(make: Maker) -> Iterator[ErrorSample]:
    x, y = make(2, 3, low=0.1, high=0.9), make(2, 3, low=0.1, high=0.9)
    yield no_such_reduction(x, y)
    for sample, argument in ((Sample(x + 1, y), "input"), (Sample(x, y + 1), "target")):
        yield ErrorSample(
            sample=sample, raises=RuntimeError,
            match=f"all elements of {argument} should be between 0 and 1",
        )  # fmt: skip
    yield ErrorSample(
        sample=Sample(x, y[0]), raises=ValueError,
        match=r"Using a target size \(torch\.Size\(\[3\]\)\) that is different to the input size "
        r"\(torch\.Size\(\[2, 3\]\)\) is deprecated\. Please ensure they have the same size\.",
    )  # fmt: skip
    yield ErrorSample(
        sample=Sample(x, y.double()), raises=RuntimeError, match="Found dtype Double but expected Float"
    )


def _score_errors(make: Maker) -> Iterator[ErrorSample]:
    yield no_such_reduction(make(2, 3), make(2, 3))
    yield ErrorSample(
        sample=Sample(make(2, 3), make(3)), raises=ValueError,
        match=r"Target size \(torch\.Size\(\[3\]\)\) must be the same as input size \(torch\.Size\(\[2, 3\]\)\)",
    )  # fmt: skip
    yield ErrorSample(
        sample=Sample(make(3), make.index(3, below=2)), raises=RuntimeError,
        match="result type Float can't be cast to the desired output type Long",
    )  # fmt: skip
    weight = make(3).detach().requires_grad_()
    yield ErrorSample(
        sample=Sample(make(3), make(3), weight=weight), raises=RuntimeError,
        match="The function 'binary_cross_entropy_with_logits' is not differentiable with respect to "
        r"argument 'weight'\. This input cannot have requires_grad True\.",
    )  # fmt: skip


def _cross_entropy(np: Any, x: Any, y: Any, weight: Any = None, reduction: str = "mean") -> Any:
    loss = (y - 1) * np.maximum(np.log1p(-x), -100) - y * np.maximum(np.log(x), -100)
    return reduced(np, loss if weight is None else loss * weight, reduction)


def _cross_entropy_of_scores(
    np: Any, x: Any, y: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    positive = y if pos_weight is None else pos_weight * y
    loss = positive * np.logaddexp(0, -x) + (1 - y) * np.logaddexp(0, x)
    return reduced(np, loss if weight is None else loss * weight, reduction)


# Embeddings


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
        sample=Sample(x, x, _signs(make, 2, 1)), raises=RuntimeError,
        match="0D or 1D target tensor expected, multi-target not supported",
    )  # fmt: skip
    yield ErrorSample(
        sample=Sample(x, x[0], _signs(make, 2)), raises=RuntimeError,
        match=r"1D target tensor expects 2D input tensors, but found inputs with sizes \[2, 3\] and \[3\]\.",
    )  # fmt: skip


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
        sample=Sample(make(2, 3), make(2, 3), make(2)), raises=RuntimeError,
        match=r"margin_ranking_loss : All input tensors should have same dimension but got sizes: "
        r"input1: torch\.Size\(\[2, 3\]\), input2: torch\.Size\(\[2, 3\]\), target: torch\.Size\(\[2\]\) ",
    )  # fmt: skip


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
        sample=Sample(x, x, x, margin=-1.0), raises=ValueError,
        match=r"margin must be greater than 0, got -1\.0",
    )  # fmt: skip


def _triplet_shape_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from _triplet_errors(make)
    yield ErrorSample(
        sample=Sample(make(2, 3), make(2, 3), make(3)), raises=RuntimeError,
        match="The anchor, positive, and negative tensors are expected to have the same number of "
        "dimensions, but got: anchor 2D, positive 2D, and negative 1D inputs",
    )  # fmt: skip


def _triplet(
    np: Any, a: Any, b: Any, c: Any, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, reduction: str = "mean", distance_function: Any = None,
) -> Any:  # fmt: skip
    def between(x: Any, y: Any) -> Any:
        if distance_function is not None:
            return distance_function(x, y)
        return np.sum(np.abs(x - y + eps) ** p, -1) ** (1 / p)

    far = np.minimum(between(a, c), between(b, c)) if swap else between(a, c)
    return reduced(np, np.maximum(margin + between(a, b) - far, 0), reduction)


def case(name: str, samples: Callable[[Maker], Iterator[Sample]], reference: Any, **known: Any) -> OpCase:
    """Return the case of a function that users call in nn.functional."""
    return OpCase(f"nn.functional.{name}", samples, reference, **known)


cases = [
    case(
        "mse_loss", _weighted,
        lambda np, x, y, reduction="mean", weight=None: _over_weights(np, (x - y) ** 2, weight, reduction),
        saved=("reduction", "self", "target"), node="MseLossBackward0", errors=_mse_errors,
    ),
    case(
        "l1_loss", _weighted,
        lambda np, x, y, reduction="mean", weight=None: _over_weights(np, np.abs(x - y), weight, reduction),
        saved=(), node="MeanBackward0", errors=_weight_errors,
    ),
    case(
        "smooth_l1_loss", _with_beta, _smooth_l1,
        saved=("beta", "reduction", "self", "target"), node="SmoothL1LossBackward0", errors=_beta_errors,
    ),
    case(
        "huber_loss", _with_delta, _huber,
        saved=("delta", "reduction", "self", "target"), node="HuberLossBackward0", errors=_delta_errors,
    ),
    case("kl_div", _divergences, _kl_div, node="DivBackward0", errors=_divergence_errors),
    case(
        "poisson_nll_loss", _counts, _poisson, saved=(), node="MeanBackward0",
        errors=lambda make: iter([no_such_reduction(make(3), make(3))]),
    ),
    case("gaussian_nll_loss", _normal, _gaussian, saved=(), node="MeanBackward0", errors=_normal_errors),
    case(
        "binary_cross_entropy", _probabilities, _cross_entropy,
        saved=("reduction", "self", "target", "weight"), node="BinaryCrossEntropyBackward0",
        errors=_probability_errors,
        tolerance={"float64": 1e-9},  # PyTorch's second derivative adds 1e-12 to its divisors
    ),
    case(
        "binary_cross_entropy_with_logits", _scores, _cross_entropy_of_scores,
        saved=("pos_weight", "reduction", "self", "target", "weight"),
        node="BinaryCrossEntropyWithLogitsBackward0", errors=_score_errors,
    ),
    case("cosine_embedding_loss", _cosines, _cosine, saved=(), node="MeanBackward0", errors=_cosine_errors),
    case(
        "margin_ranking_loss", _rankings,
        lambda np, x, y, sign, margin=0, reduction="mean": (
            reduced(np, np.maximum(margin - sign * (x - y), 0), reduction)
        ),
        saved=(), node="MeanBackward0", errors=_ranking_errors,
    ),
    case(
        "hinge_embedding_loss", _hinges, _hinge, saved=(), node="MeanBackward0",
        errors=lambda make: iter([no_such_reduction(make(3), make(3))]),
    ),
    case("triplet_margin_loss", _triplets_of_orders, _triplet, saved=(), node="MeanBackward0", errors=_triplet_shape_errors),
    case(
        "triplet_margin_with_distance_loss", _triplets_of_distances, _triplet, saved=(), node="MeanBackward0",
        errors=_triplet_errors,
    ),
]  # fmt: skip
