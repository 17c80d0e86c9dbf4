"""Normalisation over the last dimensions, and distances between vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ...errors import ShapeError
from ...typeinfo import finfo

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

    Raises:
        RuntimeError: *input* does not end in these sizes.

    Source:
        Ba, Kiros and Hinton, "Layer normalization", 2016.

    >>> import chainrule as cr
    >>> layer_norm(cr.tensor([1.0, 3.0]), [2])
    tensor([-1.0000,  1.0000])
    """
    dims = _last_dims(input, normalized_shape)
    centred = input - input.mean(dims, keepdim=True)
    result = centred * ((centred * centred).mean(dims, keepdim=True) + eps).rsqrt()
    if weight is not None:
        result = result * weight
    return result if bias is None else result + bias  # type: ignore[no-any-return]  # an op's result


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
    dims = _last_dims(input, normalized_shape)
    if eps is None:
        eps = finfo(input.dtype).eps
    result = input * ((input * input).mean(dims, keepdim=True) + eps).rsqrt()
    return result if weight is None else result * weight  # type: ignore[no-any-return]  # an op's result


def _last_dims(input: Tensor, normalized_shape: Sequence[int]) -> tuple[int, ...]:
    """Return the dimensions that *normalized_shape* is about."""
    sizes = list(normalized_shape)
    if not sizes or list(input.shape[len(input.shape) - len(sizes) :]) != sizes:
        wanted = ", ".join(["*", *map(str, sizes)])
        msg = (
            f"Given normalized_shape={sizes}, expected input with shape [{wanted}], but got input "
            f"of size{list(input.shape)}"
        )
        raise ShapeError(msg)
    return tuple(range(-len(sizes), 0))


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """Return *input* divided by its *p*-norm along *dim*, or by *eps* where the norm is smaller.

    >>> import chainrule as cr
    >>> normalize(cr.tensor([3.0, 4.0]), dim=0)
    tensor([0.6000, 0.8000])
    """
    norm = ops.vector_norm(input, p, dim, keepdim=True)
    result = input / norm.clamp_min(eps).expand_as(input)
    return result if out is None else out.copy_(result)


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
