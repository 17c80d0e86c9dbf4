"""Forward mode: arrays that hold a value and its tangent, and the backend that computes both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..backend import for_device
from ..errors import ShapeError
from ..grad_mode import mode
from ..inplace import write
from ..printing import with_suffixes
from ..value import Value, new_value, storage_of
from .levels import Level
from .wrapped import Wrapped, WrappedBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..backend import Array
    from ..device import Device
    from ..dtypes import DType
    from ..op import Op


# Note [Tangents of views]
# ------------------------
# A view of a dual tensor is a dual of two views. Writing into it must reach the tangent of what it
# is a view of, which may have none yet, or one that cannot take what is written: a tangent that is
# mapped by an outer `vmap` does not fit into zeros that are not. So a view knows its source. Where
# the source's own tangent is replaced, it counts an epoch, and the views look again.


class DualArray(Wrapped):
    """A tensor with the direction in which it changes.

    Attributes:
        primal: The inner tensor with the values.
        tangent: The inner tensor with the change, of equal shape and dtype; None for zero.
        source: For a view, the array it is a view of, and the view as a function of a tangent.
        epoch: How often the tangent was replaced; of a view, at which epoch it looked last.
    """

    __slots__ = ("epoch", "primal", "source", "tangent")

    epoch: int
    source: tuple[DualArray, Callable[[Any], Any]] | None

    def __init__(self, level: Level, primal: Any, tangent: Any, source: Any = None) -> None:
        self.level, self.primal, self.tangent = level, primal, tangent
        self.shape = tuple(primal._array.shape)
        self.source = source
        self.epoch = 0 if source is None else self.root().epoch

    @property
    def inner(self) -> Any:
        """The inner tensor with the values."""
        return self.primal

    def root(self) -> DualArray:
        """Return what it is a view of in the end; itself, if it is no view."""
        return self if self.source is None else self.source[0].root()

    def parts(self) -> tuple[Any, ...]:
        """Return the inner tensors."""
        tangent = self.live_tangent()
        return (self.primal,) if tangent is None else (self.primal, tangent)

    def differentiated(self) -> bool:
        """Return whether it changes, or a derivative by it is asked for on a lower level."""
        return self.live_tangent() is not None or super().differentiated()

    def live_tangent(self) -> Any:
        """Return the tangent, None for zero and when the level is over."""
        if not (self.level.alive and mode.forward):
            return None
        if self.source is not None:
            epoch = self.root().epoch
            if epoch != self.epoch:
                base, look = self.source
                found = base.live_tangent()
                self.tangent, self.epoch = None if found is None else look(found), epoch
        return self.tangent

    def replace_tangent(self, tangent: Any) -> None:
        """Give what is no view another tangent; its views look again."""
        self.tangent = tangent
        self.epoch += 1

    def tangent_for(self, written: Any) -> Any:
        """Return the tangent to write *written* into, made or replaced where it does not fit."""
        own = self.live_tangent()
        if own is not None and _takes(own, written):
            return own
        root = self.root()
        blank = written.new_zeros(root.shape, dtype=root.primal.dtype)
        before = root.live_tangent()
        if before is not None:
            blank = blank + before
        root.replace_tangent(blank)
        return self.live_tangent()

    def tangent_to_view(self) -> Any:
        """Return the tangent, laid out in memory as the primal: a view can be made of it."""
        tangent = self.live_tangent()
        if tangent is None or self.source is not None or not self.primal.is_contiguous():
            return tangent
        if tangent.is_contiguous():
            return tangent
        self.replace_tangent(ops.clone(tangent))
        return self.tangent


def _takes(own: Any, written: Any) -> bool:
    """Return whether *own* is mapped wherever *written* is, and so can be written to."""
    ours, theirs = own._array, written._array
    depth = written._key.backend.level
    if not depth:
        return True
    if own._key.backend.level > depth:
        return _takes(ours.inner, written)
    mapped = getattr(theirs, "batched", False)
    if own._key.backend.level < depth:
        return not mapped and _takes(own, theirs.inner)
    if mapped and not getattr(ours, "batched", False):
        return False
    return _takes(ours.inner, theirs.inner)


def check_shape(tensor: Any, tangent: Any) -> None:
    """Check that *tangent* has the shape of *tensor*.

    Raises:
        RuntimeError: it has another one.
    """
    shape, found = list(tensor._array.shape), list(tangent._array.shape)
    if shape != found:
        msg = (
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {shape} while the given forward "
            f"gradient is of size {found}."
        )
        raise ShapeError(msg)


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
        from .pushed_functions import apply_dual

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
        if not target.primal._key.floating or not (target.level.alive and mode.forward):
            return
        if tangent is not None:
            target.tangent_for(tangent).copy_(tangent)
            return
        own = target.live_tangent()
        if own is not None:
            write(own, ops.zeros_like(own), "zero_")

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

    def made_like(self, array: Any, make: Callable[[Any, tuple[int, ...]], Any]) -> Array:
        """Return what *make* makes of the inner tensor, as an array that does not change."""
        return DualArray(array.level, make(array.primal, ()), None)

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

    def data_of(self, tensor: Any) -> Any:
        """Return the same memory without history, version counter and tangent."""
        array = tensor._array
        return self.value(DualArray(array.level, array.primal.data, None))

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
        suffixes, tangent = [], array.live_tangent()
        if tensor._node is not None:
            name = tensor._node.name().removeprefix("torch::autograd::")
            suffixes.append(f"grad_fn=<{name}>")
        elif tensor._requires_grad:
            suffixes.append("requires_grad=True")
        if tangent is not None:
            suffixes.append(f"tangent={tangent!r}")
        return with_suffixes(repr(shown)[:-1], suffixes)


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
