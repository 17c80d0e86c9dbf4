"""A value: an array and its history. The bottom of the layers; `Tensor` adds the methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .grad_mode import mode as _mode
from .storage import InferenceStorage, Storage, check_inference_write
from .traces import note_write
from .traces import state as _tracing

if TYPE_CHECKING:
    from .backend import Array, DispatchKey
    from .graph import Node

_new = object.__new__


class Value:
    """An array with what autograd knows of it.

    Attributes:
        _array: The backend's array.
        _key: Backend, device and dtype, as one interned object.
        _requires_grad: Whether operations on it are recorded.
        _node: The node that made it; None for a leaf.
        _output_nr: Which of the node's outputs it is.
        _storage: The version counter that it shares with its views; None until there is need.
        _grad: The accumulated gradient.
        _base: The tensor whose memory it looks into, for a view.
        _view: How it was made, for a view; unset otherwise.
        _hooks: Hooks on a leaf's gradient; those of a non-leaf are its node's.
    """

    __slots__ = (
        "__weakref__", "_array", "_base", "_grad", "_hooks", "_key", "_node", "_output_nr",
        "_requires_grad", "_storage", "_view",
    )  # fmt: skip

    _array: Array
    _key: DispatchKey
    _requires_grad: bool
    _node: Node | None
    _output_nr: int
    _storage: Storage | None
    _grad: Any  # a Tensor; this layer does not know the class
    _base: Any
    _view: Any  # a ViewRecord, two layers above
    _hooks: Any


#: What users know as the class of tensors. tensor.py puts `Tensor` here.
tensor_class: type[Value] = Value
#: The class that results are wrapped in: the same, but while a thread is in inference mode.
result_class: type[Value] = Value


def new_value(array: Array, key: DispatchKey, cls: type[Value] | None = None) -> Any:
    """Return *array* as a leaf without history, of class *cls* or the result class."""
    if type(array) is not key.array_type:
        array = key.backend.wrap(array)
    value = _new(cls or result_class)
    value._array = array
    value._key = key
    value._node = None
    value._output_nr = 0
    value._storage = None
    value._grad = None
    value._base = None
    value._hooks = None
    value._requires_grad = False  # last: Note [Marking what inference makes]
    if cls is not None and _mode.inference:
        value._storage = InferenceStorage()
    return value


def storage_of(value: Value) -> Storage:
    """Return the storage of *value*, made on first need."""
    storage = value._storage
    if storage is None:
        storage = value._storage = _new(Storage)
        storage.version = storage.writes = 0
    return storage


def times_written(value: Value) -> int:
    """Return how often the memory of *value* was written to; 0 where nobody counts."""
    storage = value._storage
    return 0 if storage is None or type(storage) is InferenceStorage else storage.version


def count_write(value: Value, name: str) -> None:
    """Count the version of *value* up: *name*, as users know it, wrote into its memory."""
    storage = value._storage
    if storage is None:
        storage = storage_of(value)
    if type(storage) is InferenceStorage:
        check_inference_write(storage, name)
        return
    storage.version += 1
    storage.writes += 1
    if _tracing.enabled:
        note_write(storage, name)
    else:
        storage.written = name


def share(array: Array, source: Value) -> Any:
    """Return *array*, which shares the memory of *source*, with the same version counter."""
    value = new_value(array, source._key)
    value._storage = storage_of(source)
    return value
