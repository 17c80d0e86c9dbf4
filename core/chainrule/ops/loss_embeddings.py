"""Losses of embeddings: what belongs together should be near, the rest apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ops
from ..errors import ShapeError
from .loss import reduced, reduction_code
from .norms import pairwise_distance
from .reductions import sum

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..tensor import Tensor

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip


# Pairs


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return ``1 - cos`` of pairs that belong together, and ``max(0, cos - margin)`` of others.

    Args:
        input1: ``(N, D)`` or ``(D)``.
        input2: Likewise.
        target: ``(N)`` or ``()``: 1 for pairs that belong together, -1 for others.
        margin: The cosine that others may have.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; ``(N)`` without reduction.

    Raises:
        RuntimeError: the shapes do not fit.
        ValueError: there is no such reduction.

    >>> import chainrule as cr
    >>> x, y = cr.tensor([[1.0, 0.0]]), cr.tensor([[1.0, 1.0]])
    >>> cr.nn.functional.cosine_embedding_loss(x, y, cr.tensor([1]))
    tensor(0.2929)
    """
    code = reduction_code(reduction, size_average, reduce)
    ndim = len(target._array.shape)
    if ndim > 1:
        msg = (
            "0D or 1D target tensor expected, multi-target not supported\n"
            "cosine_embedding_loss: expected one target per pair."
        )
        raise ShapeError(msg)
    shapes = [list(tensor._array.shape) for tensor in (input1, input2)]
    if any(len(shape) != ndim + 1 for shape in shapes):
        msg = (
            f"{ndim}D target tensor expects {ndim + 1}D input tensors, but found inputs with sizes "
            f"{shapes[0]} and {shapes[1]}.\ncosine_embedding_loss: one target per pair of vectors."
        )
        raise ShapeError(msg)
    sizes = (sum(input1 * input1, ndim) + 1e-12) * (sum(input2 * input2, ndim) + 1e-12)
    cosine = sum(input1 * input2, ndim) / sizes.sqrt()
    alike = ops.where(target == 1, 1 - cosine, 0)
    return reduced(alike + ops.where(target == -1, (cosine - margin).clamp_min(0), 0), code)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return ``max(0, -target * (input1 - input2) + margin)``, by default the mean.

    Args:
        input1: ``(*)``.
        input2: ``(*)``.
        target: ``(*)``: 1 if the first is to rank higher, -1 if the second.
        margin: The difference that is enough.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; ``(*)`` without reduction.

    Raises:
        RuntimeError: the numbers of dimensions differ.
        ValueError: there is no such reduction.

    >>> import chainrule as cr
    >>> x, y = cr.tensor([1.0, 2.0]), cr.tensor([3.0, 1.0])
    >>> cr.nn.functional.margin_ranking_loss(x, y, cr.tensor([1, 1]))
    tensor(1.)
    """
    code = reduction_code(reduction, size_average, reduce)
    if not input1.dim() == input2.dim() == target.dim():
        msg = (
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} \n"
            "margin_ranking_loss: insert dimensions with unsqueeze()."
        )
        raise ShapeError(msg)
    return reduced((-target * (input1 - input2) + margin).clamp_min(0), code)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return distances of pairs that belong together, and ``max(0, margin - input)`` of others.

    Args:
        input: ``(*)``, distances.
        target: ``(*)``: 1 for pairs that belong together, -1 for others.
        margin: The distance that others should have.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; ``(*)`` without reduction.

    Raises:
        ValueError: there is no such reduction.

    >>> import chainrule as cr
    >>> cr.nn.functional.hinge_embedding_loss(cr.tensor([0.5, 0.25]), cr.tensor([1, -1]))
    tensor(0.6250)
    """
    code = reduction_code(reduction, size_average, reduce)
    apart = ops.where(target != 1, (margin - input).clamp_min(0), 0)
    return reduced(apart + ops.where(target != -1, input, 0), code)


# Distances


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
    """Return how much nearer than *margin* the negatives are, compared with the positives.

    Args:
        anchor: ``(N, D)`` or ``(D)``.
        positive: Likewise, what should be near.
        negative: Likewise, what should be far.
        margin: The difference of distances that is enough.
        p: The order of the norm that is the distance.
        eps: Added to differences, so that the norm has a gradient.
        swap: Take the distance of positive and negative where it is smaller.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; ``(N)`` without reduction.

    Raises:
        RuntimeError: the numbers of dimensions differ.
        ValueError: *margin* is not positive, or there is no such reduction.

    Source:
        V. Balntas, E. Riba, D. Ponsa and K. Mikolajczyk (2016), Learning local feature descriptors
        with triplets and shallow convolutional neural networks.

    >>> import chainrule as cr
    >>> a, p, n = cr.tensor([[0.0, 0.0]]), cr.tensor([[3.0, 4.0]]), cr.tensor([[0.0, 2.0]])
    >>> cr.nn.functional.triplet_margin_loss(a, p, n)
    tensor(4.0000)
    """
    code = reduction_code(reduction, size_average, reduce)
    _check_margin(margin)
    ndims = [len(tensor._array.shape) for tensor in (anchor, positive, negative)]
    if len(set(ndims)) != 1:
        msg = (
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {ndims[0]}D, positive {ndims[1]}D, and negative "
            f"{ndims[2]}D inputs\ntriplet_margin_loss: insert dimensions with unsqueeze()."
        )
        raise ShapeError(msg)
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = ops.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced((margin + near - far).clamp_min(0), code)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """Return the `triplet_margin_loss` for any distance.

    Args:
        anchor: ``(N, *)``.
        positive: ``(N, *)``, what should be near.
        negative: ``(N, *)``, what should be far.
        distance_function: Gives ``(N)`` for two of them; None for the Euclidean distance.
        margin: The difference of distances that is enough.
        swap: Take the distance of positive and negative where it is smaller.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; ``(N)`` without reduction.

    Raises:
        ValueError: *margin* is not positive, or there is no such reduction.

    >>> import chainrule as cr
    >>> a, p, n = cr.tensor([[0.0]]), cr.tensor([[3.0]]), cr.tensor([[1.0]])
    >>> far = lambda x, y: (x - y).abs().sum(-1)
    >>> cr.nn.functional.triplet_margin_with_distance_loss(a, p, n, distance_function=far)
    tensor(3.)
    """
    code = reduction_code(reduction)
    _check_margin(margin)
    between = distance_function or pairwise_distance
    near, far = between(anchor, positive), between(anchor, negative)
    if swap:
        far = ops.minimum(far, between(positive, negative))
    return reduced((margin + near - far).clamp_min(0), code)


def _check_margin(margin: float) -> None:
    if margin <= 0:
        msg = (
            f"margin must be greater than 0, got {margin}\n"
            "triplet_margin_loss: equal points would do for a margin of 0."
        )
        raise ValueError(msg)
