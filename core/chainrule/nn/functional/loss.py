"""Losses, with the arguments that PyTorch gives them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from ... import ops
from .._reduction import checked, from_flags
from .normalization import pairwise_distance

if TYPE_CHECKING:
    from ...tensor import Tensor

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss",
    "cross_entropy", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss",
    "margin_ranking_loss", "mse_loss", "nll_loss", "smooth_l1_loss", "triplet_margin_loss",
]  # fmt: skip


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    """Return the mean or the sum of *losses*, or all of them."""
    checked(reduction)
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


def _of_one_shape(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return both broadcast to one shape, with a warning if they differ."""
    if input.shape == target.shape:
        return input, target
    warnings.warn(
        f"Using a target size ({target.shape}) that is different to the input size "
        f"({input.shape}). This will likely lead to incorrect results due to broadcasting. Please "
        "ensure they have the same size.",
        stacklevel=3,
    )
    first, second = ops.broadcast_tensors(input, target)
    return first, second


def _weighted(losses: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """Return *losses* times *weight*; their mean is divided by the sum of the weights."""
    if weight.shape != losses.shape:
        msg = "Weights and input must have the same size."
        raise ValueError(msg)
    losses = losses * weight
    if reduction == "mean":
        return losses.sum() / weight.sum()
    return _reduced(losses, reduction)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the squared differences of *input* and *target*.

    Args:
        input: ``(*)``.
        target: ``(*)``; another shape is broadcast, with a warning.
        size_average: Deprecated, as is *reduce*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for every element.
        weight: ``(*)``, a weight per element.

    >>> import chainrule as cr
    >>> mse_loss(cr.tensor([1.0, 2.0]), cr.tensor([0.0, 0.0]))
    tensor(2.5000)
    """
    reduction = from_flags(size_average, reduce, reduction)
    x, y = _of_one_shape(input, target)
    if weight is not None:
        return _weighted((x - y).pow(2), weight, reduction)
    return ops.mse_loss(x, y, checked(reduction))


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the absolute differences of *input* and *target*; arguments as of `mse_loss`."""
    reduction = from_flags(size_average, reduce, reduction)
    x, y = _of_one_shape(input, target)
    losses = (x - y).abs()
    return _reduced(losses, reduction) if weight is None else _weighted(losses, weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Return ``d² / (2 beta)`` where the difference d is below *beta*, else ``|d| - beta / 2``.

    Arguments as of `mse_loss`.
    """
    reduction = checked(from_flags(size_average, reduce, reduction))
    x, y = _of_one_shape(input, target)
    if beta == 0.0:
        return _reduced((x - y).abs(), reduction)
    return ops.smooth_l1_loss(x, y, reduction, beta)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Return ``d² / 2`` where the difference d is below *delta*, else ``delta (|d| - delta / 2)``.

    Arguments as of `mse_loss`.
    """
    x, y = _of_one_shape(input, target)
    if weight is None:
        return ops.huber_loss(x, y, checked(reduction), delta)
    return _weighted(ops.huber_loss(x, y, "none", delta), weight, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return minus the log-probability of the target class.

    Args:
        input: ``(N, C, *)`` or ``(C)``, log-probabilities.
        target: ``(N, *)`` or ``()``, int64.
        weight: ``(C)``, a weight per class; the mean is divided by the sum of those that count.
        size_average: Deprecated, as is *reduce*.
        ignore_index: A target that counts for nothing.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """
    reduction = checked(from_flags(size_average, reduce, reduction))
    return ops.nll_loss(input, target, weight, reduction, ignore_index)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return minus the log-softmax of *input* at the target class.

    Args:
        input: ``(N, C, *)`` or ``(C)``, scores.
        target: ``(N, *)`` or ``()``, int64; or probabilities in the shape of *input*.
        weight: ``(C)``, a weight per class.
        size_average: Deprecated, as is *reduce*.
        ignore_index: A target that counts for nothing.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: How much of the target is spread evenly over all classes.

    >>> import chainrule as cr
    >>> cross_entropy(cr.zeros(1, 2), cr.tensor([0]))
    tensor(0.6931)
    """
    reduction = checked(from_flags(size_average, reduce, reduction))
    return ops.cross_entropy_loss(input, target, weight, reduction, ignore_index, label_smoothing)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return minus the log-probability of the target, for two classes.

    Args:
        input: ``(*)``, the probability of 1.
        target: ``(*)``, between 0 and 1.
        weight: Broadcasts with *target*, a weight per element.
        size_average: Deprecated, as is *reduce*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ.
    """
    reduction = checked(from_flags(size_average, reduce, reduction))
    if target.shape != input.shape:
        msg = (
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
        raise ValueError(msg)
    if weight is not None:
        weight = weight.expand(target.shape)
    return ops.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return `binary_cross_entropy` of ``sigmoid(input)``, without overflow.

    Args:
        input: ``(*)``, scores.
        target: ``(*)``, between 0 and 1.
        weight: Broadcasts with *target*, a weight per element.
        size_average: Deprecated, as is *reduce*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: Broadcasts with *target*, a weight of the positive targets.

    Raises:
        ValueError: the shapes differ.
    """
    reduction = checked(from_flags(size_average, reduce, reduction))
    if target.shape != input.shape:
        msg = f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        raise ValueError(msg)
    return ops.binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Return the Kullback-Leibler divergence of *target* from *input*.

    Args:
        input: ``(*)``, log-probabilities.
        target: ``(*)``, probabilities.
        size_average: Deprecated, as is *reduce*.
        reduce: See *size_average*.
        reduction: ``"batchmean"``, ``"mean"``, ``"sum"`` or ``"none"``.
        log_target: *target* holds log-probabilities too.
    """
    chosen = from_flags(size_average, reduce, reduction)
    if chosen == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition.'mean' will be changed to behave the same as 'batchmean' in the next major "
            "release.",
            stacklevel=2,
        )
    if log_target:
        losses = target.exp() * (target - input)
    else:
        losses = ops.xlogy(target, target) - target * input
    if chosen != "batchmean":
        return _reduced(losses, chosen)
    total = losses.sum()
    return total / input.shape[0] if input.dim() else total


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return *input* where the target is 1, ``max(0, margin - input)`` where it is -1.

    Args:
        input: ``(*)``, distances.
        target: ``(*)``, 1 or -1.
        margin: How far apart what does not belong together should be.
        size_average: Deprecated, as is *reduce*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """
    reduction = from_flags(size_average, reduce, reduction)
    zeros = ops.zeros_like(input)
    apart = ops.where(target != 1, (margin - input).clamp_min(0), zeros)
    together = ops.where(target != -1, input, zeros)
    return _reduced(apart + together, reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return 1 minus the cosine where the target is 1, the cosine above *margin* where it is -1.

    Args:
        input1: ``(N, D)`` or ``(D)``.
        input2: As *input1*.
        target: ``(N)`` or ``()``, 1 or -1.
        margin: What the cosine may be of what does not belong together.
        size_average: Deprecated, as is *reduce*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """
    reduction = from_flags(size_average, reduce, reduction)
    epsilon = 1e-12
    squares1 = (input1 * input1).sum(-1) + epsilon
    squares2 = (input2 * input2).sum(-1) + epsilon
    cosine = (input1 * input2).sum(-1) / (squares1 * squares2).sqrt()
    zeros = ops.zeros_like(cosine)
    together = ops.where(target == 1, 1 - cosine, zeros)
    apart = ops.where(target == -1, (cosine - margin).clamp_min(0), zeros)
    return _reduced(together + apart, reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return ``max(0, margin - target · (input1 - input2))``.

    Args:
        input1: ``(*)``.
        input2: ``(*)``.
        target: ``(*)``: 1 if *input1* should be the larger, else -1.
        margin: By how much it should be larger.
        size_average: Deprecated, as is *reduce*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        RuntimeError: the numbers of dimensions differ.
    """
    reduction = from_flags(size_average, reduce, reduction)
    if not input1.dim() == input2.dim() == target.dim():
        msg = (
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
        raise RuntimeError(msg)
    return _reduced((-target * (input1 - input2) + margin).clamp_min(0), reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return ``max(0, distance(anchor, positive) - distance(anchor, negative) + margin)``.

    Args:
        anchor: ``(N, D)`` or ``(D)``.
        positive: As *anchor*.
        negative: As *anchor*.
        margin: How much closer the positive should be.
        p: The norm that distances are measured by.
        eps: Added to the differences.
        swap: Measure the negative from the positive where that is closer.
        size_average: Deprecated, as is *reduce*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: *margin* is not positive.

    Source:
        Balntas and others, "Learning shallow convolutional feature descriptors with triplet
        losses", 2016.
    """
    reduction = from_flags(size_average, reduce, reduction)
    if margin <= 0:
        msg = f"margin must be greater than 0, got {margin}"
        raise ValueError(msg)
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = far.minimum(pairwise_distance(positive, negative, p, eps))
    return _reduced((margin + near - far).clamp_min(0), reduction)
