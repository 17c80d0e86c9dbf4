"""Joining dimensions into one, and splitting one into several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .module import Module

if TYPE_CHECKING:
    from ...tensor import Tensor

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Return the input with the dimensions from *start_dim* to *end_dim* joined into one.

    >>> import chainrule as cr
    >>> Flatten()(cr.ones(2, 3, 4)).shape
    torch.Size([2, 12])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Return the input with *dim* split into dimensions of *unflattened_size*.

    Raises:
        TypeError: *unflattened_size* is no tuple of integers.

    >>> import chainrule as cr
    >>> Unflatten(1, (3, 4))(cr.ones(2, 12)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...] | list[int]) -> None:
        super().__init__()
        _check_sizes(unflattened_size)
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


def _check_sizes(sizes: Any) -> None:
    if not isinstance(sizes, (tuple, list)):
        msg = f"unflattened_size must be a tuple of ints, but found type {type(sizes).__name__}"
        raise TypeError(msg)
    for position, size in enumerate(sizes):
        if not isinstance(size, int):
            msg = (
                "unflattened_size must be tuple of ints, but found element of type "
                f"{type(size).__name__} at pos {position}"
            )
            raise TypeError(msg)
