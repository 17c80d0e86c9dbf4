"""A linear layer and the cross entropy of what it gives, in one function."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ... import ops
from ...errors import ShapeError

if TYPE_CHECKING:
    from ...tensor import Tensor

__all__ = ["linear_cross_entropy"]


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: object = None,
) -> Tensor:
    """Return `cross_entropy` of the scores ``linear(input, linear_weight, linear_bias)``.

    Args:
        input: ``(N, in)`` or ``(in,)``.
        linear_weight: ``(C, in)``; or ``(C, d1, …, in)``, of a layer with a place for each loss.
        target: Classes, int64 ``(N, d1, …)``; or their probabilities, ``(N, C, d1, …)``.
        linear_bias: ``(C, d1, …)``.
        weight: A weight per class, ``(C,)``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        ignore_index: A target that counts for nothing; by default -100.
        label_smoothing: How much of the target is spread evenly over all classes.
        options: Taken and ignored: the scores are computed at once, not in chunks.

    Returns:
        ``()``; ``(N, d1, …)`` without reduction.

    Raises:
        RuntimeError: the shapes do not fit, or probabilities come with *ignore_index*.

    >>> import chainrule as cr
    >>> linear_cross_entropy(cr.ones(1, 2), cr.zeros(4, 2), cr.tensor([1]))
    tensor(1.3863)
    """
    _check(input, linear_weight, linear_bias)
    classes, *places, width = linear_weight._array.shape
    shape = (*input._array.shape[:-1], classes, *places)
    if tuple(target._array.shape) == shape and ignore_index is not None:
        msg = "ignore_index cannot be specified when target contains probabilities"
        raise ShapeError(msg)
    flat = prod(places, start=classes)
    weights: Any = linear_weight.reshape(flat, width) if places else linear_weight
    bias = linear_bias.reshape(flat) if places and linear_bias is not None else linear_bias
    return ops.cross_entropy(
        ops.linear(input, weights, bias).reshape(shape),
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def _check(input: Tensor, linear_weight: Tensor, linear_bias: Tensor | None) -> None:
    given, weights = tuple(input._array.shape), tuple(linear_weight._array.shape)
    msg = ""
    if len(given) not in {1, 2}:
        msg = f"expected input with dimensionality 1 or 2, got {len(given)}"
    elif len(weights) < 2:
        msg = f"expected linear_weight with dimensionality at least 2, got {len(weights)}"
    elif given[-1] != weights[-1]:
        msg = (
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{given[-1]} and {weights[-1]}, respectively"
        )
    elif len(weights) > 2 and len(given) == 1:
        msg = (
            f"K-dimensional loss defined by linear_weight shape {weights} requires batched input, "
            f"(N, {given[-1]}), got unbatched input with shape {given}"
        )
    elif linear_bias is not None and tuple(linear_bias._array.shape) != weights[:-1]:
        msg = f"expected linear_bias shape {weights[:-1]}, got {tuple(linear_bias._array.shape)}"
    if msg:
        raise ShapeError(f"{msg}\nlinear_cross_entropy: see the shapes of its arguments.")
