"""Yes or no, and how often: whether all, any or how many elements are nonzero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..naming import numpy_names
from ..op import composite, primitive
from .reductions import reduced_dims

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["all", "any", "count_nonzero"]


@primitive
def _all(self: Tensor, dim: tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
    """Return whether every element over *dim* is nonzero; () reduces nothing."""


@primitive
def _any(self: Tensor, dim: tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
    """Return whether an element over *dim* is nonzero; () reduces nothing."""


_all.vjp(self=None)
_any.vjp(self=None)


def _tested_dims(name: str, dim: Any, ndim: int) -> tuple[int, ...] | None:
    """Return the dimensions to test; None stands for all, since () here means none of them."""
    dims = reduced_dims(name, dim, ndim)
    return None if dim is None or not ndim else dims


@composite
def all(self: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """Return whether all elements over *dim* are nonzero.

    Args:
        self: ``(*, N)``, any dtype.
        dim: The dimension or dimensions to reduce; None for all, () for none.
        keepdim: Keep the reduced dimensions with size 1.

    Returns:
        ``(*)``, bool; uint8 for uint8. All of nothing is True.

    >>> import chainrule as cr
    >>> cr.all(cr.tensor([[1, 1], [1, 0]]), dim=1)
    tensor([ True, False])
    """
    return _all(self, _tested_dims("all", dim, len(self._array.shape)), keepdim)


@composite
def any(self: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """Return whether any element over *dim* is nonzero.

    Args:
        self: ``(*, N)``, any dtype.
        dim: The dimension or dimensions to reduce; None for all, () for none.
        keepdim: Keep the reduced dimensions with size 1.

    Returns:
        ``(*)``, bool; uint8 for uint8. Any of nothing is False.

    >>> import chainrule as cr
    >>> cr.any(cr.tensor([[0, 0], [1, 0]]), dim=1)
    tensor([False,  True])
    """
    return _any(self, _tested_dims("any", dim, len(self._array.shape)), keepdim)


@primitive(dtype="int64")
def _count_nonzero(self: Tensor, dim: tuple[int, ...] = ()) -> Tensor:
    """Return how many elements over *dim* are nonzero."""


_count_nonzero.vjp(self=None)


@numpy_names
def count_nonzero(
    input: Tensor, *dims: int | Sequence[int] | None, dim: int | Sequence[int] | None = None
) -> Tensor:
    """Return how many elements over *dim* are nonzero.

    Args:
        input: ``(*, N)``, any dtype.
        dims: The dimensions to reduce, one by one or as one tuple.
        dim: The same, by name; None for all.

    Returns:
        ``(*)``, int64.

    >>> import chainrule as cr
    >>> cr.count_nonzero(cr.tensor([[0, 2], [1, 3]]), dim=0)
    tensor([1, 2])
    """
    if dims:
        dim = dims[0] if len(dims) == 1 else dims  # type: ignore[assignment]  # integers, if several
    return _count_nonzero(input, reduced_dims("count_nonzero", dim, len(input._array.shape)))
