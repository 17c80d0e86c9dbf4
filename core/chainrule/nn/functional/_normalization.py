"""Normalisation over neighbours, and to unit length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import ops

if TYPE_CHECKING:
    from ...tensor import Tensor

__all__ = ["local_response_norm", "normalize"]


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
