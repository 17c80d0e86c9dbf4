"""The memory behind a tensor, as an object: who shares it, how large it is, where one begins."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import ops
from .striding import _layout

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "UntypedStorage", "dim_order", "new_empty_strided", "storage_offset", "untyped_storage",
]  # fmt: skip


class UntypedStorage:
    """The memory of a tensor and of all its views, counted in bytes.

    Two tensors share memory if their storages have one ``data_ptr()``.
    """

    def __init__(self, tensor: Any) -> None:
        self._owner = tensor if tensor._base is None else tensor._base

    def data_ptr(self) -> int:
        """Return the address of the first byte."""
        key = self._owner._key
        return key.backend.data_ptr(self._owner._array)

    def nbytes(self) -> int:
        """Return the number of bytes."""
        return prod(self._owner._array.shape) * self._owner._key.dtype.itemsize

    size = __len__ = nbytes

    @property
    def device(self) -> Any:
        """Where it is."""
        return self._owner._key.device

    def __repr__(self) -> str:
        return f"UntypedStorage({self.nbytes()} bytes on {self.device})"


def untyped_storage(input: Tensor) -> UntypedStorage:
    """Return the memory of *input*: ``x.untyped_storage().data_ptr()`` tells who shares it."""
    return UntypedStorage(input)


def storage_offset(input: Tensor) -> int:
    """Return which element of its memory is the first of *input*."""
    return _layout(input)[0][2]


def dim_order(input: Tensor, *, ambiguity_check: bool = False) -> tuple[int, ...]:
    """Return the dimensions from the slowest to the fastest in memory."""
    strides = input._key.backend.strides(input._array)
    return tuple(sorted(range(len(strides)), key=lambda d: (-strides[d], d)))


def new_empty_strided(
    self: Any, size: Any, stride: Any, dtype: Any = None, device: Any = None, **options: Any
) -> Any:
    """Return a new tensor with these sizes and strides; dtype and device are those of *self*."""
    made = ops.empty_strided(
        size, stride, dtype=dtype or self._key.dtype, device=device or self.device
    )
    return made.requires_grad_(options.get("requires_grad", False))
