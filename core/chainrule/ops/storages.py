"""The memory behind a tensor, as an object: who shares it, how large it is, where one begins."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import ops
from .._warn import warn
from .striding import _layout, memory_of

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "TypedStorage", "UntypedStorage", "dim_order", "new_empty_strided", "storage_offset",
    "untyped_storage",
]  # fmt: skip


class UntypedStorage:
    """The memory of a tensor and of all its views, counted in bytes.

    Two tensors share memory if their storages have one ``data_ptr()``.
    """

    def __init__(self, tensor: Any) -> None:
        self._owner, _ = memory_of(tensor)

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


class TypedStorage:
    """The memory of a tensor and of all its views, counted in elements."""

    def __init__(self, tensor: Any) -> None:
        self._untyped = UntypedStorage(tensor)
        self.dtype = tensor._key.dtype

    def _flat(self) -> Any:
        """Return all elements, in one dimension: a view."""
        return self._untyped._owner.detach().as_strided((self.size(),), (1,), 0)

    def untyped(self) -> UntypedStorage:
        """Return the same memory, counted in bytes."""
        return self._untyped

    def data_ptr(self) -> int:
        """Return the address of the first element."""
        return self._untyped.data_ptr()

    def nbytes(self) -> int:
        """Return the number of bytes."""
        return self._untyped.nbytes()

    def element_size(self) -> int:
        """Return the bytes of an element."""
        return int(self.dtype.itemsize)

    def size(self) -> int:
        """Return the number of elements."""
        return self.nbytes() // self.element_size()

    __len__ = size

    @property
    def device(self) -> Any:
        """Where it is."""
        return self._untyped.device

    def tolist(self) -> list[Any]:
        """Return the elements as Python numbers."""
        return list(self._flat().tolist())

    def __getitem__(self, index: Any) -> Any:
        """Return an element as a Python number, or some as a tensor that shares the memory."""
        found = self._flat()[index]
        return found if isinstance(index, slice) else found.item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._flat()[index] = value

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def __repr__(self) -> str:
        lines = "".join(f" {value}\n" for value in self.tolist())
        name = f"torch.storage.TypedStorage(dtype={self.dtype}, device={self.device})"
        return f"{lines}[{name} of size {self.size()}]"


def storage(input: Tensor) -> TypedStorage:
    """Return the memory of *input*, counted in elements; PyTorch says `untyped_storage` is next."""
    warn(
        "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be "
        "the only storage class. This should only matter to you if you are using storages "
        "directly.  To access UntypedStorage directly, use tensor.untyped_storage() instead of "
        "tensor.storage()",
        UserWarning,
        stacklevel=3,
    )
    return TypedStorage(input)


def is_set_to(input: Tensor, tensor: Tensor) -> bool:
    """Return whether two tensors are the same view of the same memory.

    >>> import chainrule as cr
    >>> x = cr.ones(2)
    >>> x.is_set_to(x.view(2)), x.is_set_to(x[:1])
    (True, False)
    """
    same = UntypedStorage(input)._owner is UntypedStorage(tensor)._owner
    return same and input.shape == tensor.shape and _layout(input)[0] == _layout(tensor)[0]


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
    self: Any, size: Any, stride: Any, *, dtype: Any = None, device: Any = None, **options: Any
) -> Any:
    """Return a new tensor with these sizes and strides; dtype and device are those of *self*."""
    made = ops.empty_strided(
        size, stride, dtype=dtype or self._key.dtype, device=device or self.device
    )
    return made.requires_grad_(options.get("requires_grad", False))
