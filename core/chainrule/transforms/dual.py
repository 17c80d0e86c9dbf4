"""Forward mode: arrays that hold a value and its tangent, and the backend that computes both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..backend import for_device
from ..grad_mode import mode
from ..inplace import write
from ..value import Value, new_value, storage_of
from .levels import Level
from .wrapped import Wrapped, WrappedBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..backend import Array
    from ..device import Device
    from ..dtypes import DType
    from ..op import Op


class DualArray(Wrapped):
    """A tensor with the direction in which it changes.

    Attributes:
        primal: The inner tensor with the values.
        tangent: The inner tensor with the change, of equal shape and dtype; None for zero.
    """

    __slots__ = ("primal", "tangent")

    def __init__(self, level: Level, primal: Any, tangent: Any) -> None:
        self.level, self.primal, self.tangent = level, primal, tangent
        self.shape = tuple(primal._array.shape)

    @property
    def inner(self) -> Any:
        """The inner tensor with the values."""
        return self.primal

    def parts(self) -> tuple[Any, ...]:
        """Return the inner tensors."""
        return (self.primal,) if self.tangent is None else (self.primal, self.tangent)

    def live_tangent(self) -> Any:
        """Return the tangent, None for zero and when the level is over."""
        return self.tangent if self.level.alive and mode.forward else None

    def own_tangent(self) -> Any:
        """Return the tangent to write into: zeros are made where there is none."""
        if self.tangent is None and self.level.alive and self.primal._key.floating:
            self.tangent = ops.zeros_like(self.primal)
        return self.live_tangent()

    def tangent_to_view(self) -> Any:
        """Return the tangent, laid out in memory as the primal: a view of both reaches both."""
        tangent = self.own_tangent()
        if tangent is None or tangent._key.backend.level or self.primal._key.backend.level:
            return tangent
        ours, theirs = (t._key.backend.strides(t._array) for t in (self.primal, tangent))
        if ours != theirs and self.primal.is_contiguous():
            self.tangent = tangent = ops.clone(tangent)
        return tangent


class DualLevel(Level):
    """One run of forward mode."""


class DualBackend(WrappedBackend):
    """The backend of dual arrays at one depth."""

    kind = "dual"
    array_type = DualArray

    def wrapped(self, level: Level, tensor: Any) -> Any:
        """Return *tensor* as one that does not change."""
        return self.value(DualArray(level, tensor, None))

    def kernel_for(self, op: Op[Any, Any]) -> Callable[..., Any]:
        """Return what computes *op* and its change."""
        from .pushing import kernel_for

        return kernel_for(op)

    def _bound(self, op: Op[Any, Any], bound: Sequence[Any], tensors: list[Any]) -> Sequence[Any]:
        """Return *bound*: a dual tensor and a plain one stand in one graph, with edges to both."""
        return bound

    def _lifted(self, level: Level, tensor: Any) -> Any:
        """Return *tensor* lifted, and still asking for a gradient if it did."""
        made = super()._lifted(level, tensor)
        if isinstance(tensor, Value):
            made._requires_grad = tensor._requires_grad
        return made

    def apply_function(self, cls: Any, node_class: Any, args: Any, forward: Any) -> Any:
        """Return what an `autograd.Function` gives for arguments of this level."""
        from .functions import apply_dual

        return apply_dual(cls, node_class, args, forward)

    # In place

    def raise_target(self, target: Any, source: Any) -> None:
        """Let *target*, which does not change yet, take a tangent: the memory stays."""
        level = source._array.level
        base = target._base
        if base is not None and base._key.backend.level < self.level:
            self.raise_target(base, source)
            again = target._view.way()(base)
            target._array, target._key = again._array, again._key
            return
        inner = new_value(target._array, target._key)
        inner._requires_grad, inner._node = target._requires_grad, target._node
        inner._output_nr, inner._storage = target._output_nr, None
        array = DualArray(level, inner, None)
        array.own_tangent()
        target._array, target._key = array, array.key

    def assign(self, target: Array, source: Any) -> None:
        """Write *source* into the primal of *target*, and its tangent into the tangent."""
        if not isinstance(source, DualArray):
            key = target.primal._key
            source = source if isinstance(source, Value) else _as_tensor(source, key)
            self._write(target, source, None)
            return
        self._write(target, source.primal, source.live_tangent())

    def _write(self, target: DualArray, primal: Any, tangent: Any) -> None:
        target.primal.copy_(primal)
        if tangent is not None:
            own = target.own_tangent()
            if own is not None:
                own.copy_(tangent)
        elif target.live_tangent() is not None:
            write(target.tangent, ops.zeros_like(target.tangent), "zero_")

    def copy(self, array: Array) -> Array:
        """Return a copy with its own memory."""
        return self.mapped(ops.clone, array)

    def copy_to(self, array: Array, device: Device) -> Array:
        """Return a copy on *device*."""
        return self.mapped(lambda tensor: tensor.to(device=device, copy=True), array)

    def astype(self, array: Array, dtype: DType) -> Array:
        """Return a copy of another dtype."""
        return self.mapped(lambda tensor: ops._to_copy(tensor, dtype=dtype), array)

    def mapped(self, function: Callable[[Any], Any], array: Any) -> Array:
        """Return *array* with a linear *function* of its inner tensors."""
        primal, tangent = function(array.primal), array.live_tangent()
        if tangent is not None:
            tangent = function(tangent) if primal._key.floating else None
        return DualArray(array.level, primal, tangent)

    # New arrays

    def wrap(self, result: Any) -> Array:
        """Return an inner tensor as an array that does not change."""
        return result if isinstance(result, Wrapped) else DualArray(self._running(), result, None)

    def _running(self) -> Any:
        if len(mode.levels) < self.level:
            return _OVER
        return mode.levels[self.level - 1]

    def empty(self, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        """Return a new array that does not change."""
        return self.full(shape, 0, dtype, device)

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Device) -> Array:
        """Return a new array filled with *value*."""
        backend = for_device(device)
        key = backend.key(dtype, backend.canonical(device))
        made = new_value(backend.full(shape, value, dtype, key.device), key)
        return DualArray(self._running(), made, None)

    def arange(self, start: float, step: float, count: int, dtype: DType, device: Device) -> Array:
        """Return ``start + step * i``."""
        backend = for_device(device)
        key = backend.key(dtype, backend.canonical(device))
        made = new_value(backend.arange(start, step, count, dtype, key.device), key)
        return DualArray(self._running(), made, None)

    # Out of the tensor world

    def detached(self, tensor: Any) -> Any:
        """Return the same values without history and without tangent."""
        array = tensor._array
        made = self.value(DualArray(array.level, array.primal.detach(), None))
        made._storage = storage_of(tensor)
        return made

    def tolist(self, array: Array) -> Any:
        """Return the values."""
        return array.primal.tolist()

    def to_numpy(self, array: Array) -> Any:
        """Return the values as an array of NumPy."""
        return array.primal.detach().numpy()

    def branch(self, tensor: Any) -> None:
        """Let the values decide, as those that do not change: ask the level below."""
        inner = tensor._array.primal
        if inner._key.backend.level:
            inner._key.backend.branch(inner)

    def text(self, tensor: Any) -> str:
        """Return how a dual tensor prints: as its primal, and the tangent if there is one."""
        array = tensor._array
        shown = new_value(array.primal._array, array.primal._key)
        text, tangent = repr(shown), array.live_tangent()
        if tensor._node is not None:
            name = tensor._node.name().removeprefix("torch::autograd::")
            text = f"{text[:-1]}, grad_fn=<{name}>)"
        elif tensor._requires_grad:
            text = f"{text[:-1]}, requires_grad=True)"
        return text if tangent is None else f"{text[:-1]}, tangent={tangent!r})"


DualLevel.kind = DualBackend

#: Stands for a level that is over.
_OVER = DualLevel()
_OVER.backend = None


def _as_tensor(number: Any, key: Any) -> Any:
    if isinstance(number, (int, float, complex)):
        return new_value(key.backend.full((), number, key.dtype, key.device), key)
    return new_value(number, key)


def dual(level: DualLevel, primal: Any, tangent: Any) -> Any:
    """Return a dual tensor of *level*."""
    return level.backend.value(DualArray(level, primal, tangent))


def parts_of(level: DualLevel, tensor: Any) -> tuple[Any, Any]:
    """Return primal and tangent of a tensor on *level*; of another tensor itself and None."""
    array = tensor._array
    if isinstance(array, DualArray) and array.level is level:
        return array.primal, array.tangent
    return tensor, None
