"""Backends whose arrays wrap tensors: how `vmap` and forward mode ride on the table of kernels."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar, Self

from .. import backend as _backend
from ..backend import Backend, BackendSpec, DispatchKey
from ..errors import AutogradError
from ..locks import new_lock
from ..op import all_ops
from ..value import Value, new_value, storage_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..backend import Array
    from ..device import Device
    from ..dtypes import DType
    from ..op import Op
    from .levels import Level

# Note [A transform is a backend]
# -------------------------------
# Under `vmap` a tensor is a `Tensor` whose array is no array of a library but a pair: another
# tensor, one dimension larger, and the word "batched". Its dispatch key belongs to a backend like
# any other, whose kernel of an op is the op's *batch rule*: it calls the op on the inner tensors.
# Forward mode is the same with the pair (primal, tangent), whose kernel computes the op and its
# derivative along the tangent. Nothing is added to the path of ordinary tensors: the kernel is
# taken from the op's table as always, and only where operands of different keys meet (which is
# never quick) does `Op.evaluate_any` ask the backend to lift the lower ones.
#
# The outer tensor records for autograd over such arrays as over any; the inner tensors may record
# too, or be wrapped themselves. So transforms nest in every order without knowing of each other.
#
# A backend stands for one kind of transform at one depth of the stack, and so has one column in
# the tables of kernels; it is made when that depth is first reached. Which *run* of the transform
# a tensor belongs to is known by the `Level` in its array.


class Wrapped:
    """An array that wraps tensors. A subclass adds what its transform keeps."""

    __slots__ = ("level", "shape")

    level: Any  # a Level
    shape: tuple[int, ...]

    @property
    def inner(self) -> Any:
        """The tensor that says the dtype and the device."""
        raise NotImplementedError

    def parts(self) -> tuple[Any, ...]:
        """Return the inner tensors."""
        return (self.inner,)

    def differentiated(self) -> bool:
        """Return whether a derivative by this array is asked for on a lower level."""
        return any(
            tensor._requires_grad
            or (isinstance(tensor._array, Wrapped) and tensor._array.differentiated())
            for tensor in self.parts()
        )

    @property
    def key(self) -> DispatchKey:
        """The dispatch key of a tensor over this array."""
        of = self.inner._key
        return self.level.backend.key(of.dtype, of.device)  # type: ignore[no-any-return]  # a Backend's


class WrappedBackend(Backend):
    """The backend of a transform at one depth: a subclass says how to wrap and how to compute."""

    kind: ClassVar[str]
    _made: ClassVar[dict[tuple[str, int], Any]] = {}
    _lock: ClassVar[threading.Lock] = new_lock()

    @classmethod
    def at(cls, depth: int) -> Self:
        """Return the backend of this kind at *depth*, made on first need."""
        found = cls._made.get((cls.kind, depth))
        if found is None:
            with cls._lock:
                found = cls._made.get((cls.kind, depth)) or cls._make(depth)
        return found  # type: ignore[no-any-return]  # kept under the kind

    @classmethod
    def _make(cls, depth: int) -> Any:
        name = f"{cls.kind}{depth}"
        made = cls(BackendSpec(name=name, device_types=(), storage=name, probe="", factory=""))
        made.level = depth
        for op in all_ops.values():
            op.reset(len(_backend.live))
        made.index = len(_backend.live)
        _backend.live.append(made)
        cls._made[cls.kind, depth] = made
        return made

    # What a transform says

    def wrapped(self, level: Level, tensor: Any) -> Any:
        """Return *tensor*, of a lower level, as one of *level* on which nothing is mapped."""
        raise NotImplementedError

    def kernel_for(self, op: Op[Any, Any]) -> Any:
        """Return what computes *op* over arrays of this backend."""
        raise NotImplementedError

    def raise_target(self, target: Any, source: Any) -> None:
        """Prepare *target*, of a lower level, for taking the values of *source* in place."""
        raise NotImplementedError

    def detached(self, tensor: Any) -> Any:
        """Return *tensor* without history, on every level."""
        raise NotImplementedError

    def branch(self, tensor: Any) -> None:
        """Refuse, if need be, to let the value of *tensor* decide what runs."""

    def text(self, tensor: Any) -> str:
        """Return how a tensor of this backend prints."""
        raise NotImplementedError

    # Between levels

    def level_of(self, values: Sequence[Any]) -> Any:
        """Return the level that the operands of this backend belong to."""
        for value in values:
            if isinstance(value, Value):
                if value._key.backend is self:
                    return value._array.level
            elif isinstance(value, (tuple, list)):
                found = self.level_of(value)
                if found is not None:
                    return found
        return None

    def lift(self, tensor: Any, beside: Any) -> Any:
        """Return *tensor* as one of this level, the same as that of the array *beside*."""
        if tensor._key.backend is self:
            return tensor
        return self.wrapped(beside.level, tensor)

    def lifted(
        self, op: Op[Any, Any], bound: Sequence[Any], tensors: list[Any]
    ) -> tuple[Sequence[Any], list[Any], list[Any]]:
        """Return the arguments of *op*, its tensor inputs, and the flat list of these, lifted."""
        level = self.level_of(tensors)
        tensors = [self._lifted(level, tensor) for tensor in tensors]
        flat: list[Any] = []
        for tensor in tensors:
            if isinstance(tensor, Value):
                flat.append(tensor)
            elif isinstance(tensor, list):
                flat.extend(item for item in tensor if isinstance(item, Value))
        return self._bound(op, bound, tensors), tensors, flat

    def _bound(self, op: Op[Any, Any], bound: Sequence[Any], tensors: list[Any]) -> Sequence[Any]:
        """Return the arguments that a node of this level keeps: with the lifted inputs."""
        made = list(bound)
        for position, tensor in zip(op.schema.tensor_positions, tensors, strict=True):
            made[position] = tensor
        return made

    def _lifted(self, level: Level, tensor: Any) -> Any:
        if isinstance(tensor, Value):
            if tensor._key.backend is self:
                return tensor
            if tensor._key.backend.level == self.level:
                raise self.escaped()
            return self.wrapped(level, tensor)
        if isinstance(tensor, (tuple, list)):
            return [self._lifted(level, item) for item in tensor]
        return tensor

    def escaped(self) -> AutogradError:
        """Return the error for a tensor of a run that is over."""
        return AutogradError(
            "Either your tensor may have escaped from inside a function being vmapped and this is "
            "a user error (see https://pytorch.org/functorch/stable/ux_limitations.html), or there "
            "is an internal functorch error in `gen_vmap_plumbing` Please file an issue if it "
            "looks like the latter\n"
            f"{self.kind}: a tensor that was made inside a transform is used after it returned. "
            "Return it from the function instead."
        )

    def value(self, array: Wrapped) -> Any:
        """Return a tensor over *array*."""
        return new_value(array, array.key)

    # What core asks of a backend, answered by the inner tensors

    def supports(self, dtype: DType) -> bool:
        """Return True: the inner backend was asked before."""
        return True

    def dtype_of(self, array: Array) -> DType:
        """Return the dtype of the inner tensor."""
        return array.inner._key.dtype  # type: ignore[no-any-return]  # a Tensor's

    def device_of(self, array: Array) -> Device:
        """Return the device of the inner tensor."""
        return array.inner._key.device  # type: ignore[no-any-return]  # a Tensor's

    def key(self, dtype: DType, device: Device) -> DispatchKey:
        """Return the one dispatch key for *dtype* on *device*."""
        place = dtype, device.type, device.index
        found = self._keys.get(place)
        if found is None:
            found = self._keys.setdefault(place, DispatchKey(self, dtype, device))
        return found

    def strides(self, array: Array) -> tuple[int, ...]:
        """Return the strides of the inner tensor."""
        inner = array.inner
        strides = inner._key.backend.strides(inner._array)
        return tuple(strides[len(strides) - len(array.shape) :])

    def data_ptr(self, array: Array) -> int:
        """Return the address of the inner tensor's first element."""
        return array.inner.data_ptr()  # type: ignore[no-any-return]  # a Tensor's

    def canonical(self, device: Device) -> Device:
        """Return *device*."""
        return device


class _Raw:
    """Every op of core as an attribute, the private ones too: ``raw._select``."""

    def __getattr__(self, name: str) -> Any:
        return all_ops[f"cr::{name}"]


raw: Any = _Raw()


def is_tensor(item: Any) -> bool:
    """Return whether *item* is a tensor; to the type checker it stays Any."""
    return isinstance(item, Value)


def alias(tensor: Any) -> Any:
    """Return another object for *tensor*: the same memory and version, no history."""
    made = new_value(tensor._array, tensor._key)
    made._storage = storage_of(tensor)
    return made


def apply(op: Op[Any, Any], tensors: Sequence[Any], statics: dict[str, Any]) -> Any:
    """Return what *op* gives for its tensor inputs, in order, and its static arguments."""
    bound = list(op.schema.defaults)
    for position, tensor in zip(op.schema.tensor_positions, tensors, strict=True):
        bound[position] = tensor
    for name, value in statics.items():
        bound[op.schema.position[name]] = value
    return op.evaluate(bound)
