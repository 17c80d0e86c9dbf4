"""What libraries take from the inside of PyTorch: flattening of tensors that travel together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .ops import cat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tensor import Tensor

__all__ = ["_flatten_dense_tensors", "_unflatten_dense_tensors"]


def _flatten_dense_tensors(tensors: Sequence[Tensor]) -> Tensor:
    """Return the elements of all *tensors* in one dimension.

    >>> import chainrule as cr
    >>> _flatten_dense_tensors([cr.ones(2), cr.zeros(1, 1)])
    tensor([1., 1., 0.])
    """
    return cat([each.reshape(-1) for each in tensors])


def _unflatten_dense_tensors(flat: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return parts of *flat* with the shapes of *tensors*: views."""
    found, start = [], 0
    for each in tensors:
        found.append(flat.narrow(0, start, each.numel()).view(each.shape))
        start += each.numel()
    return tuple(found)
