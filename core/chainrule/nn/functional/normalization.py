"""Normalisation and distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import ops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...tensor import Tensor

__all__ = ["cosine_similarity", "layer_norm", "normalize", "pairwise_distance", "rms_norm"]


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return *input* with mean 0 and variance 1 over its last dimensions, scaled and shifted.

    Args:
        input: ``(*, *normalized_shape)``.
        normalized_shape: The sizes of those dimensions.
        weight: ``normalized_shape``, the scale.
        bias: ``normalized_shape``, the shift.
        eps: Added to the variance.

    Source:
        Ba, Kiros and Hinton, "Layer normalization", 2016.
    """
    return ops.layer_norm(input, normalized_shape, weight, bias, eps)


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

    Source:
        Zhang and Sennrich, "Root mean square layer normalization", 2019.
    """
    return ops.rms_norm(input, normalized_shape, weight, eps)


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """Return *input* divided by its *p*-norm along *dim*, or by *eps* where the norm is smaller.

    >>> import chainrule as cr
    >>> normalize(cr.tensor([3.0, 4.0]), dim=0)
    tensor([0.6000, 0.8000])
    """
    norm = ops.linalg_vector_norm(input, p, dim, keepdim=True)
    result = input / norm.clamp_min(eps).expand_as(input)
    return result if out is None else out.copy_(result)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosine of the angle between *x1* and *x2* along *dim*.

    Args:
        x1: Floating.
        x2: Broadcasts with *x1*.
        dim: The dimension of the vectors.
        eps: What a norm is at least.
    """
    return ops.cosine_similarity(x1, x2, dim, eps)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return the *p*-norm of ``x1 - x2 + eps`` over the last dimension."""
    return ops.pairwise_distance(x1, x2, p, eps, keepdim)
