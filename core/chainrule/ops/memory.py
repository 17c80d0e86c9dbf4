"""Another size over the same memory, or another memory: what `resize_` and `set_` do to a tensor.

A tensor that is made smaller keeps the memory it had, so that it can grow again; one that outgrows
its memory gets a larger one, and looks no longer at what its views look at.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import inplace
from ..errors import ArgumentError, AutogradError, DTypeError
from ..grad_mode import mode
from ..inplace import check_writable
from ..op import composite
from ..plan import NOT_IMPLEMENTED
from ..shapes import contiguous_strides
from ..value import Value, count_write, new_value, storage_of
from ._arguments import check_tensor, integers, unrecorded
from ._operands import C_NAMES
from .copying import clone
from .shape import reshape
from .striding import _as_strided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__: list[str] = []


def _memory_of(tensor: Any) -> Any:
    """Return all the memory that *tensor* lies in, in one dimension."""
    storage, base = storage_of(tensor), tensor if tensor._base is None else tensor._base
    if hasattr(storage, "memory"):
        memory = new_value(storage.memory, tensor._key)
        if _lies_in(memory, tensor):
            return memory
    memory = unrecorded(reshape, new_value(base._array, base._key), (-1,))
    if _lies_in(memory, tensor):
        return memory
    return unrecorded(reshape, new_value(tensor._array, tensor._key), (-1,))


def _lies_in(memory: Any, tensor: Any) -> bool:
    """Return whether *tensor* looks into *memory*, which may be a copy of what it looked into."""
    backend = memory._key.backend
    start = backend.data_ptr(memory._array)
    end = start + memory._array.shape[0] * memory._key.dtype.itemsize
    return bool(start <= backend.data_ptr(tensor._array) < end)


def _resized(tensor: Any, size: tuple[int, ...]) -> None:
    """Give *tensor* the shape *size*, over its own memory as long as that is large enough."""
    backend, key, memory = tensor._key.backend, tensor._key, _memory_of(tensor)
    offset = 0
    if _lies_in(memory, tensor):
        away = backend.data_ptr(tensor._array) - backend.data_ptr(memory._array)
        offset = away // key.dtype.itemsize
    needed, capacity = offset + prod(size), int(memory._array.shape[0])
    if needed > capacity:
        larger = backend.full((needed,), 0, key.dtype, key.device)
        kept = new_value(larger, key)
        _window(kept, (capacity,), 0).copy_(memory)
        memory = kept
    storage_of(tensor).memory = memory._array
    tensor._array = _window(memory, size, offset)._array


def _window(memory: Any, size: tuple[int, ...], offset: int) -> Any:
    extent = int(memory._array.shape[0])
    layout = ((extent,), (1,), 0)
    return unrecorded(_as_strided, memory, size, contiguous_strides(size), offset, extent, layout)


inplace.resize = _resized


def resize_(self: Tensor, *sizes: Any, size: Any = None, memory_format: object = None) -> Tensor:
    """Return this tensor with another shape: its elements in memory order, then anything.

    Args:
        self: What is resized.
        sizes: The new sizes, as integers or one sequence of them.
        size: The same, by name.
        memory_format: Taken and ignored.

    Raises:
        RuntimeError: it requires grad.

    Differs from PyTorch:
        Elements that are new are zero, and a tensor that outgrows its memory gets another one,
        which its views do not look at.

    >>> import chainrule as cr
    >>> x = cr.arange(4)
    >>> x.resize_(2), x.resize_(2, 2)
    (tensor([[0, 1],
            [2, 3]]), tensor([[0, 1],
            [2, 3]]))
    """
    check_tensor("resize_", self)
    wanted = integers("resize_", "size", sizes, size)
    if any(n < 0 for n in wanted):
        msg = f"Trying to create tensor with negative dimension {min(wanted)}: {list(wanted)}"
        raise AutogradError(msg)
    if self.requires_grad and not mode.inference:
        msg = "cannot resize variables that require grad\nresize_: resize a detach()ed tensor."
        raise AutogradError(msg)
    check_writable(self, (), "resize_")
    if wanted != tuple(self._array.shape):
        _resized(self, wanted)
        count_write(self, "resize_")
    return self


def resize_as_(self: Tensor, the_template: Tensor, *, memory_format: object = None) -> Tensor:
    """Return this tensor with the shape of *the_template*: see `resize_`.

    >>> import chainrule as cr
    >>> cr.arange(4).resize_as_(cr.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    check_tensor("resize_as_", the_template, "the_template")
    return resize_(self, tuple(the_template._array.shape))


@composite(nodes={"": "NotImplemented"}, dtype="same")
def _set(self: Tensor) -> Tensor:
    """Return what `set_` put in the place of *self*; only its node is ever used."""
    return clone(self)


_set.vjp(self=NOT_IMPLEMENTED("set_ puts another memory in place of what was computed"))


def set_(
    self: Tensor,
    source: Tensor | None = None,
    storage_offset: int = 0,
    size: Sequence[int] | None = None,
    stride: Sequence[int] | None = None,
) -> Tensor:
    """Return this tensor after making it look at the memory of *source*.

    Args:
        self: What is changed.
        source: Another tensor of its dtype; by default an empty one.
        storage_offset: With *size*, the first element to look at.
        size: The shape to look with; by default that of *source*.
        stride: How many elements to step per dimension; by default one after the other.

    Raises:
        RuntimeError: the dtypes differ, or the write would make a gradient wrong.

    >>> import chainrule as cr
    >>> x, y = cr.ones(2), cr.zeros(3)
    >>> x.set_(y) is x, x
    (True, tensor([0., 0., 0.]))
    """
    check_tensor("set_", self)
    if source is None:
        key = self._key
        source = new_value(key.backend.empty((0,), key.dtype, key.device), key)
    if not isinstance(source, Value):
        msg = f"set_(): argument 'source' must be Tensor, not {type(source).__name__}"
        raise ArgumentError(msg)
    if source._key.dtype is not self._key.dtype:
        names = C_NAMES[source._key.dtype.name], C_NAMES[self._key.dtype.name]
        msg = f"Could not set tensor of type {names[0]} to a tensor of type {names[1]}"
        raise DTypeError(msg)
    recorded = mode.enabled and self._requires_grad and self._node is not None
    if not recorded:
        check_writable(self, (), "set_")
    if size is not None:
        source = source.as_strided(size, stride or contiguous_strides(size), storage_offset)
    old = new_value(self._array, self._key)
    old._requires_grad, old._node, old._output_nr = True, self._node, self._output_nr
    self._array, self._key = source._array, source._key
    storage_of(self).memory = _memory_of(source)._array
    count_write(self, "set_")
    if recorded:
        _set.record_onto(self, (old,))
        self._output_nr = 0
    return self
