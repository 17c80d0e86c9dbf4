"""Samples of chainrule/ops/loss_classes.py and loss_margins.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import dtypes
from ..cases import ErrorSample, OpCase, Sample
from .loss import REDUCTIONS, case, no_such_reduction, reduced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..maker import Maker


def _classified(make: Maker) -> Iterator[Sample]:
    weight = make(3, low=0.5).detach()
    for reduction in REDUCTIONS:
        yield Sample(make(4, 3), make.index(4, below=3), reduction=reduction)
        yield Sample(make(4, 3), make.index(4, below=3), weight, reduction=reduction)
        yield Sample(
            make(4, 3), make.of([0, -100, 2, -100], dtype=dtypes.int64), reduction=reduction
        )
        yield Sample(
            make(4, 3),
            make.of([0, 1, 2, 1], dtype=dtypes.int64),
            weight,
            ignore_index=1,
            reduction=reduction,
        )
        yield Sample(make(2, 3, 2), make.index(2, 2, below=3), weight, reduction=reduction)
        yield Sample(make(2, 3, 2, 2), make.index(2, 2, 2, below=3), reduction=reduction)
    yield Sample(make(3), make.index(below=3), weight)
    yield Sample(make(3), make.of([1], dtype=dtypes.int64).reshape(()))
    yield Sample(make(4, 3), make.index(4, below=3).to(dtypes.uint8))
    yield Sample(make(0, 3), make.index(0, below=3), reduction="none")
    yield Sample(make.transposed(4, 3), make.index(4, below=3))


def _entropies(make: Maker) -> Iterator[Sample]:
    yield from _classified(make)
    weight = make(3, low=0.5).detach()
    for reduction in REDUCTIONS:
        for options in ({}, {"weight": weight}):
            yield Sample(make(4, 3), make(4, 3, low=0), reduction=reduction, **options)
            smooth = {"label_smoothing": 0.2, "reduction": reduction, **options}
            yield Sample(make(4, 3), make.index(4, below=3), **smooth)
            yield Sample(
                make(4, 3), make.of([0, 1, 2, 1], dtype=dtypes.int64), ignore_index=1, **smooth
            )
            yield Sample(make(2, 3, 2), make(2, 3, 2, low=0), **smooth)
    yield Sample(make(3), make(3, low=0))


def _class_errors(make: Maker) -> Iterator[ErrorSample]:
    x, y = make(2, 3), make.index(2, below=3)
    yield no_such_reduction(x, y)
    yield ErrorSample(
        sample=Sample(x, make.of([0, 5], dtype=dtypes.int64)),
        raises=IndexError,
        match=r"Target 5 is out of bounds\.",
    )
    yield ErrorSample(
        sample=Sample(x, make.of([0, -1], dtype=dtypes.int64)),
        raises=IndexError,
        match=r"Target -1 is out of bounds\.",
    )
    yield ErrorSample(
        sample=Sample(x, y[:1]),
        raises=ValueError,
        match=r"Expected input batch_size \(2\) to match target batch_size \(1\)\.",
    )
    yield ErrorSample(
        sample=Sample(x, y.float()),
        raises=RuntimeError,
        match="expected target dtype to be Long or Byte, but got Float",
    )
    yield ErrorSample(
        sample=Sample(x[0], y),
        raises=ValueError,
        match="For 1D input, 1D target must have size 1, but got target size: 2",
    )
    yield ErrorSample(
        sample=Sample(make(2, 3, 2), make.index(2, 1, below=3)),
        raises=RuntimeError,
        match=r"Expected target size \[2, 2\], got \[2, 1\]",
    )
    yield ErrorSample(
        sample=Sample(x, y, weight=make(2)),
        raises=RuntimeError,
        match="weight tensor should be defined either for all 3 classes or no classes but got "
        r"weight tensor of shape: \[2\]",
    )
    yield ErrorSample(
        sample=Sample(x, y, weight=make(3).detach().requires_grad_()),
        raises=RuntimeError,
        match="The function 'nll_loss_forward' is not differentiable with respect to argument "
        "'weight'",
    )


def _fused_errors(make: Maker) -> Iterator[ErrorSample]:
    x, y = make(2, 3), make.index(2, below=3)
    yield ErrorSample(
        sample=Sample(x, make.of([0, 5], dtype=dtypes.int64)),
        raises=IndexError,
        match=r"Target 5 is out of bounds\.",
    )
    yield ErrorSample(
        sample=Sample(x, y[:1]),
        raises=ValueError,
        match=r"Expected input batch_size \(2\) to match target batch_size \(1\)\.",
    )
    yield ErrorSample(
        sample=Sample(x, x),
        raises=RuntimeError,
        match="0D or 1D target tensor expected, multi-target not supported",
    )


def _entropy_errors(make: Maker) -> Iterator[ErrorSample]:
    yield from _class_errors(make)
    x = make(2, 3)
    yield ErrorSample(
        sample=Sample(x, make.index(2, below=3), label_smoothing=1.5),
        raises=RuntimeError,
        match=r"label_smoothing must be between 0\.0 and 1\.0\. Got: 1\.5",
    )
    yield ErrorSample(
        sample=Sample(x, x, ignore_index=1),
        raises=RuntimeError,
        match="ignore_index is not supported for floating point target",
    )
    yield ErrorSample(
        sample=Sample(x, make.index(2, 3, below=2)),
        raises=RuntimeError,
        match="Expected floating point type for target with class probabilities, got Long",
    )


def _nll(
    np: Any, x: Any, y: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """Return the loss with the classes moved to the end, element by element."""
    rows = np.moveaxis(x, 1 if x.ndim > 1 else 0, -1)
    counts = (y != ignore_index).astype(float)
    index = np.where(y == ignore_index, 0, y).astype(int)
    weights = counts if weight is None else counts * weight[index]
    loss = -np.take_along_axis(rows, index[..., None], -1)[..., 0] * weights
    return np.sum(loss) / np.sum(weights) if reduction == "mean" else reduced(np, loss, reduction)


def _log_softmax(np: Any, x: Any) -> Any:
    dim = 1 if x.ndim > 1 else 0
    return x - np.logaddexp.reduce(x, dim, keepdims=True)


def _cross_entropy(
    np: Any,
    x: Any,
    y: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    dim = 1 if x.ndim > 1 else 0
    log_p, classes = _log_softmax(np, x), x.shape[dim]
    along = np.ones(classes) if weight is None else weight
    along = along.reshape([-1 if d == dim else 1 for d in range(x.ndim)])
    if x.shape == y.shape:
        target = y * (1 - label_smoothing) + label_smoothing / classes
        loss = -np.sum(log_p * target * along, dim)
        return (
            np.sum(loss) / (x.size / classes)
            if reduction == "mean"
            else reduced(np, loss, reduction)
        )
    likely = _nll(np, log_p, y, weight, ignore_index, reduction)
    counts = y != ignore_index
    smooth = -np.sum(log_p * along, dim) * counts
    if reduction == "mean":
        used = np.where(
            counts,
            np.ones(classes)[0] if weight is None else weight[np.where(counts, y, 0).astype(int)],
            0,
        )
        smooth = np.sum(smooth) / np.sum(used)
    else:
        smooth = reduced(np, smooth, reduction)
    return (1 - label_smoothing) * likely + smooth * (label_smoothing / classes)


# Margins


def _signed(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        yield Sample(make(2, 3), make.mask(2, 3).to(make.dtype) * 2 - 1, reduction=reduction)
    yield Sample(make(2, 3), make.mask(3).to(make.dtype) * 2 - 1)
    yield Sample(make(), make.of(-1.0).detach())
    yield Sample(make(0, 3), make(0, 3).detach(), reduction="none")


def _signed_errors(make: Maker) -> Iterator[ErrorSample]:
    yield no_such_reduction(make(3), make(3))
    yield ErrorSample(
        sample=Sample(make(3), make(3).detach().requires_grad_()),
        raises=RuntimeError,
        match="The function 'soft_margin_loss' is not differentiable with respect to argument "
        "'target'",
    )


def _margins(make: Maker) -> Iterator[Sample]:
    weight = make(3, low=0.5).detach()
    for reduction in REDUCTIONS:
        yield Sample(make(4, 3), make.index(4, below=3), reduction=reduction)
        yield Sample(make(4, 3), make.index(4, below=3), 1, 0.5, weight, reduction=reduction)
    yield Sample(make(3), make.index(below=3), margin=2.0)


def _squared_margins(make: Maker) -> Iterator[Sample]:
    yield from _margins(make)
    yield Sample(make(4, 3).detach(), make.index(4, below=3), p=2)


def _margin_errors(make: Maker) -> Iterator[ErrorSample]:
    x, y = make(2, 3), make.index(2, below=3)
    yield no_such_reduction(x, y)
    yield ErrorSample(
        sample=Sample(x, y, p=3), raises=ValueError, match="only p == 1 and p == 2 supported"
    )
    yield ErrorSample(
        sample=Sample(x, make.of([0, 5], dtype=dtypes.int64)),
        raises=RuntimeError,
        match="target out of range",
    )
    yield ErrorSample(
        sample=Sample(x, make.index(3, below=3)),
        raises=RuntimeError,
        match=r"multi_margin_loss: target tensor should be 1-D with size equal to the number of "
        r"input samples \(batch size\)\. Expected target size \[2\], but got \[3\]\.",
    )
    yield ErrorSample(
        sample=Sample(x, y, weight=make(2)),
        raises=RuntimeError,
        match=r"inconsistent weight size, expected 3 but got \[2\]",
    )


def _multi_margin(
    np: Any,
    x: Any,
    y: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: str = "mean",
) -> Any:
    right = np.take_along_axis(x, y[..., None], -1)
    lack = np.maximum(margin - right + x, 0) ** p * (np.arange(x.shape[-1]) != y[..., None])
    loss = np.sum(lack, -1) * (1 if weight is None else weight[y]) / x.shape[-1]
    return reduced(np, loss, reduction)


def _labelled(make: Maker) -> Iterator[Sample]:
    lists = [[0, 2, -1], [1, -1, 0], [-1, 0, 1], [2, 1, 0]]
    for reduction in REDUCTIONS:
        yield Sample(make(4, 3), make.of(lists, dtype=dtypes.int64), reduction=reduction)
    yield Sample(make(4), make.of([3, 0, -1, 1], dtype=dtypes.int64))


def _label_errors(make: Maker) -> Iterator[ErrorSample]:
    yield no_such_reduction(make(3), make.index(3, below=3))
    yield ErrorSample(
        sample=Sample(make(2, 3), make.index(3, below=3)),
        raises=RuntimeError,
        match=r"inconsistent target size: \[3\] for input of size: \[2, 3\]",
    )
    yield ErrorSample(
        sample=Sample(make(3), make.of([0, 5, -1], dtype=dtypes.int64)),
        raises=RuntimeError,
        match="argument #2 'target' is out of range",
    )


def _multilabel_margin(np: Any, x: Any, y: Any, reduction: str = "mean") -> Any:
    """Return the loss row by row, as it is defined."""

    def of_row(scores: Any, labels: Any) -> Any:
        right = [int(label) for label in labels]
        right = right[: right.index(-1)] if -1 in right else right
        others = [c for c in range(len(scores)) if c not in right]
        return sum(max(0.0, 1 - scores[r] + scores[c]) for r in right for c in others) / len(scores)

    rows = [of_row(*pair) for pair in zip(np.atleast_2d(x), np.atleast_2d(y), strict=True)]
    loss = np.asarray(rows[0] if x.ndim == 1 else rows)
    return reduced(np, loss, reduction)


def _soft_labels(make: Maker) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        yield Sample(make(4, 3), make(4, 3, low=0, high=1), reduction=reduction)
    yield Sample(make(4, 3), make(4, 3, low=0, high=1), make(3, low=0.5))
    yield Sample(make(3), make(3, low=0, high=1))
    yield Sample(make(0, 3), make(0, 3), reduction="none")


def _soft_label_errors(make: Maker) -> Iterator[ErrorSample]:
    yield ErrorSample(
        sample=Sample(make(2, 3), make(2, 3), reduction="foo"),
        raises=ValueError,
        match="foo is not valid",
    )


def _multilabel_soft(np: Any, x: Any, y: Any, weight: Any = None, reduction: str = "mean") -> Any:
    loss = y * np.logaddexp(0, -x) + (1 - y) * np.logaddexp(0, x)
    return reduced(np, np.mean(loss if weight is None else loss * weight, -1), reduction)


NLL = ("ignore_index", "reduction", "self", "target", "total_weight", "weight")

cases = [
    case("nll_loss", _classified, _nll, saved=NLL, node="NllLossBackward0", errors=_class_errors),
    case(
        "cross_entropy",
        _entropies,
        _cross_entropy,
        saved=NLL,
        node="NllLossBackward0",
        errors=_entropy_errors,
    ),
    OpCase(
        "ops.fused.softmax_cross_entropy",
        _classified,
        _cross_entropy,
        saved=NLL,
        node="FusedSoftmaxCrossEntropyBackward0",
        errors=_fused_errors,
    ),
    case(
        "soft_margin_loss",
        _signed,
        lambda np, x, y, reduction="mean": reduced(np, np.logaddexp(0, -x * y), reduction),
        saved=("reduction", "self", "target"),
        node="SoftMarginLossBackward0",
        errors=_signed_errors,
    ),
    case(
        "multi_margin_loss",
        _squared_margins,
        _multi_margin,
        saved=("margin", "p", "reduction", "self", "target", "weight"),
        node="MultiMarginLossBackward0",
        errors=_margin_errors,
    ),
    case(
        "multilabel_margin_loss",
        _labelled,
        _multilabel_margin,
        saved=("is_target", "reduction", "self", "target"),
        node="MultilabelMarginLossBackward0",
        errors=_label_errors,
    ),
    case(
        "multilabel_soft_margin_loss",
        _soft_labels,
        _multilabel_soft,
        saved=(),
        node="MeanBackward0",
        errors=_soft_label_errors,
    ),
]
