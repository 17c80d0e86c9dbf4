"""Shapes and views: the same elements, seen otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..op import composite, primitive
from ..shapes import infer_size, normalize_size, wrap_dim

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["expand", "t", "unsqueeze", "view"]


@primitive(view=True, nodes={"": "ViewBackward0"})
def _view(self: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return the same elements in another shape, sharing memory."""


_view.vjp(self=lambda grad, self_shape: reshape(grad, self_shape))


def view(input: Tensor, *size: Any) -> Tensor:
    return _view(input, infer_size(normalize_size(size), input.numel()))


def reshape(input: Tensor, *size: Any) -> Tensor:
    return _view(input, infer_size(normalize_size(size), input.numel()))


@primitive(view=True, nodes={"": "ExpandBackward0"})
def _expand(self: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return *self* with dimensions of size 1 repeated to *size*, without a copy."""


_expand.vjp(self=lambda grad: grad)  # the engine sums over what was repeated


def expand(input: Tensor, *size: Any) -> Tensor:
    return _expand(input, normalize_size(size))


@primitive(view=True)
def unsqueeze(self: Tensor, dim: int) -> Tensor:
    """Return *self* with a dimension of size 1 put in at *dim*."""


unsqueeze.vjp(self=lambda grad, self_shape: reshape(grad, self_shape))


@primitive(view=True, nodes={"": "TBackward0"})
def t(self: Tensor) -> Tensor:
    """Return the transpose of a matrix."""


t.vjp(self=lambda grad: t(grad))
