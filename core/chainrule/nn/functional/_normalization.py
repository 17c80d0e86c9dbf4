"""Normalisation over the last dimensions, and distances between vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ...dtypes import FLOATING
from ...ops._operands import refusal
from ...ops.normalization import last_sizes
from ...typeinfo import finfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...tensor import Tensor

__all__ = ["cosine_similarity", "local_response_norm", "normalize", "pairwise_distance", "rms_norm"]


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Return *input* divided by its root mean square over its last dimensions, scaled.

    Args:
        input: ``(*, *normalized_shape)``.
        normalized_shape: The sizes of those dimensions.
        weight: ``normalized_shape``, the scale.
        eps: Added to the mean square; None stands for the machine epsilon of the dtype.

    Raises:
        RuntimeError: *input* does not end in these sizes.

    Source:
        Zhang and Sennrich, "Root mean square layer normalization", 2019.

    >>> import chainrule as cr
    >>> rms_norm(cr.tensor([1.0, 7.0]), [2])
    tensor([0.2000, 1.4000])
    """
    sizes = last_sizes("rms_norm", input, normalized_shape, weight)
    if input.dtype.category < FLOATING:
        raise refusal("rms_norm", "rms_norm", input.dtype)
    if eps is None:
        eps = finfo(input.dtype).eps
    dims = tuple(range(-len(sizes), 0))
    result = input * ((input * input).mean(dims, keepdim=True) + eps).rsqrt()
    return result if weight is None else result * weight  # type: ignore[no-any-return]  # an op's result


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Return *input* divided by a power of the mean square of *size* neighbouring channels.

    Args:
        input: ``(N, C, *)`` with at least three dimensions.
        size: How many channels are neighbours.
        alpha: The weight of the mean square.
        beta: The power.
        k: What is added to the weighted mean square.

    Raises:
        ValueError: *input* has fewer dimensions.

    Source:
        Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
        networks", 2012.

    >>> import chainrule as cr
    >>> local_response_norm(cr.ones(1, 2, 2), 2, alpha=1.0, beta=1.0, k=0.0)
    tensor([[[2., 2.],
             [1., 1.]]])
    """
    if input.dim() < 3:
        blanks = " " * 26
        msg = f"Expected 3D or higher dimensionality{blanks}input (got {input.dim()} dimensions)"
        raise ValueError(msg)
    if input.numel() == 0:
        return input
    squares = input.mul(input)
    before, behind = size // 2, (size - 1) // 2
    if input.dim() == 3:
        lifted = ops.pad(squares.unsqueeze(1), (0, 0, before, behind))
        means = ops.avg_pool2d(lifted, (size, 1), stride=1).squeeze(1)
    else:
        lifted = squares.view(input.shape[0], 1, input.shape[1], input.shape[2], -1)
        lifted = ops.pad(lifted, (0, 0, 0, 0, before, behind))
        means = ops.avg_pool3d(lifted, (size, 1, 1), stride=1).squeeze(1).view(input.shape)
    result: Tensor = input / means.mul(alpha).add(k).pow(beta)
    return result


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """Return *input* divided by its *p*-norm along *dim*, or by *eps* where the norm is smaller.

    >>> import chainrule as cr
    >>> normalize(cr.tensor([3.0, 4.0]), dim=0)
    tensor([0.6000, 0.8000])
    """
    norm = ops.vector_norm(input, p, dim, keepdim=True)
    shares: Tensor = norm.clamp_min(eps).expand_as(input)
    return input / shares if out is None else ops.div.general((input, shares), {"out": out})  # type: ignore[no-any-return]  # it is out


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosine of the angle between *x1* and *x2* along *dim*.

    Args:
        x1: Floating.
        x2: Broadcasts with *x1*.
        dim: The dimension of the vectors.
        eps: What a norm is at least.

    >>> import chainrule as cr
    >>> cosine_similarity(cr.tensor([1.0, 0.0]), cr.tensor([1.0, 1.0]), dim=0)
    tensor(0.7071)
    """
    first, second = ops.broadcast_tensors(x1, x2)
    units: list[Any] = []
    for vectors in (first, second):
        norm = ops.vector_norm(vectors, 2, dim, keepdim=True)
        units.append(vectors / norm.clamp_min(eps))
    result: Tensor = (units[0] * units[1]).sum(dim)
    return result


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return the *p*-norm of ``x1 - x2 + eps`` over the last dimension.

    >>> import chainrule as cr
    >>> pairwise_distance(cr.tensor([3.0, 4.0]), cr.zeros(2))
    tensor(5.0000)
    """
    result: Tensor = ops.vector_norm(x1 - x2 + eps, p, -1, keepdim)
    return result
