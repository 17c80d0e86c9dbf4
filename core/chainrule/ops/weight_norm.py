"""Weights as a direction and a length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..op import composite
from .norms import vector_norm
from .reductions import sum
from .shape import unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["_weight_norm", "_weight_norm_interface", "norm_except_dim"]


def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """Return the norms of *v* over all dimensions but *dim*, which is kept; over all if -1.

    >>> import chainrule as cr
    >>> norm_except_dim(cr.ones(2, 4)).shape
    torch.Size([2, 1])
    """
    return vector_norm(v, pow) if dim == -1 else _norms(v, pow, dim)


def _norms(v: Tensor, pow: int, dim: int) -> Tensor:
    dims = _all_but(v, dim)
    if not dims:  # no dimensions stand for all of them
        return vector_norm(unsqueeze(v, -1), pow, -1)
    return vector_norm(v, pow, dims, keepdim=True)


def _all_but(tensor: Tensor, dim: int) -> tuple[int, ...]:
    """Return the dimensions of *tensor* without *dim*."""
    return tuple(d for d in range(tensor.dim()) if d != dim % tensor.dim())


@composite(nodes={"": "WeightNormInterfaceBackward0"}, zeros_for_missing=False)
def _weight_norm_interface(v: Tensor, g: Tensor, dim: int = 0) -> tuple[Tensor, Tensor]:
    """Return ``v * (g / |v|)`` and the norms of *v*, over all dimensions but *dim*.

    Args:
        v: ``(*)``, the direction.
        g: The length, with size 1 in all dimensions but *dim*.
        dim: The dimension whose slices have lengths of their own.

    Gradient:
        ``sum(grad v) / |v|`` for *g*, ``g / |v| · (grad - v sum(grad v) / |v|²)`` for *v*.

    Source:
        Salimans and Kingma, "Weight normalization", 2016.
    """
    norms = _norms(v, 2, dim)
    return v * (g / norms), norms


@_weight_norm_interface.vjp_joint("v", "g")
def _weight_norm_rule(
    grads: tuple[Tensor | None, ...], v: Tensor, g: Tensor, result1: Tensor, dim: int
) -> tuple[Tensor | None, Tensor | None]:
    grad, grad_norms = grads
    d_v, d_g = None, None
    if grad is not None:
        along, dims = grad * v, _all_but(v, dim)
        if dims:
            along = sum(along, dims, keepdim=True)
        d_g = along / result1
        d_v = g / result1 * (grad - v * (along / (result1 * result1)))
    if grad_norms is not None:
        more = grad_norms * v / result1
        d_v = more if d_v is None else d_v + more
    return d_v, d_g


def _weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    """Return ``v * (g / |v|)``; *dim* -1 stands for one length for all of *v*."""
    if dim == -1 or dim is None:
        scaled: Tensor = v * (g / vector_norm(v))
        return scaled
    return _weight_norm_interface(v, g, dim)[0]
