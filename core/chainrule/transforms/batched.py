"""`vmap`: arrays that hold a batch, and the backend whose kernels are batch rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..backend import for_device
from ..errors import AutogradError, ShapeError
from ..grad_mode import mode
from ..value import Value, new_value
from .levels import Level
from .wrapped import Wrapped, WrappedBackend

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..backend import Array
    from ..device import Device
    from ..dtypes import DType
    from ..op import Op

ITEM = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling "
    ".item() on a Tensor, please try to rewrite what you're doing with other operations. If error "
    "is occurring somewhere inside PyTorch internals, please file a bug report."
)
BRANCH = (
    "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We "
    "don't support that yet, please file an issue at https://github.com/pytorch/pytorch/issues ."
)
IN_PLACE = (
    "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor "
    "`other` in extra_args that has more elements than `self`. This happened due to `other` being "
    "vmapped over but `self` not being vmapped over in a vmap. Please try to use out-of-place "
    "operators instead of inplace arithmetic. If said operator is being called inside the PyTorch "
    "framework, please file a bug report instead."
)
RANDOM = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
    "'different' randomness flags on vmap or perform the randomness operation out of vmap"
)
SHARED = (
    "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear "
    "like same randomness. If this is necessary for your usage, please file an issue with "
    "functorch."
)


class BatchedArray(Wrapped):
    """One tensor for all samples of a batch.

    Attributes:
        tensor: The inner tensor. If *batched*, its first dimension is the batch.
        batched: Whether there is a batch dimension; all samples are equal otherwise.
        shape: That of one sample.
    """

    __slots__ = ("batched", "tensor")

    def __init__(self, level: Level, tensor: Any, batched: bool) -> None:
        shape = tensor._array.shape
        self.level, self.tensor, self.batched = level, tensor, batched
        self.shape = tuple(shape[1:]) if batched else tuple(shape)

    @property
    def inner(self) -> Any:
        """The inner tensor."""
        return self.tensor

    def whole(self) -> Any:
        """Return the inner tensor with the batch dimension, made by repetition if need be."""
        if self.batched:
            return self.tensor
        return ops.expand(self.tensor, (self.level.size, *self.shape))


class BatchLevel(Level):
    """One run of `vmap`.

    Attributes:
        size: The number of samples.
        randomness: What random operations do: ``"error"``, ``"different"`` or ``"same"``.
    """

    def __init__(self, size: int, randomness: str) -> None:
        super().__init__()
        self.size, self.randomness = size, randomness

    def check_random(self) -> None:
        """Raise if no random numbers are allowed here."""
        if self.randomness == "error":
            msg = f"{RANDOM}\nvmap: pass randomness='same' or randomness='different'."
            raise AutogradError(msg)

    def draws_differ(self) -> bool:
        """Return whether each sample has random numbers of its own."""
        return self.randomness == "different"

    def spread(self, tensor: Any) -> Any:
        """Return *tensor*, which says what to draw, repeated where each sample draws its own."""
        if not self.draws_differ() or self._holds_all(tensor):
            return tensor
        array = tensor._array
        if tensor._key.backend.level < self.depth:
            array = BatchedArray(self, tensor, False)
        whole = ops.clone(array.whole())
        return self.backend.batch(self, whole)

    def check_in_place(self, target: Any) -> None:
        """Raise if *target* cannot hold numbers of its own for each sample."""
        if self.draws_differ() and not self._holds_all(target):
            msg = f"{SHARED}\nvmap: make it from a batched tensor, as with new_empty()."
            raise AutogradError(msg)

    def _holds_all(self, tensor: Any) -> bool:
        level = tensor._key.backend.level
        return bool(level > self.depth or (level == self.depth and tensor._array.batched))


class BatchedBackend(WrappedBackend):
    """The backend of batched arrays at one depth."""

    kind = "vmap"
    array_type = BatchedArray

    def wrapped(self, level: Level, tensor: Any) -> Any:
        """Return *tensor* as one that is the same for all samples."""
        return self.value(BatchedArray(level, tensor, False))

    def kernel_for(self, op: Op[Any, Any]) -> Callable[..., Any]:
        """Return the batch rule of *op* as a kernel."""
        from .batching import kernel_for

        return kernel_for(op)

    def batch(self, level: Level, tensor: Any) -> Any:
        """Return *tensor*, whose first dimension is the batch, as a tensor of one sample."""
        return self.value(BatchedArray(level, tensor, True))

    def apply_function(self, cls: Any, node_class: Any, args: Any, forward: Any) -> Any:
        """Return what an `autograd.Function` gives for arguments of this level."""
        from .functions import apply_batched

        return apply_batched(cls, node_class, args, forward)

    # In place

    def raise_target(self, target: Any, source: Any) -> None:
        """Refuse: a tensor that is the same for all samples cannot take one value per sample."""
        if not source._array.batched:
            return
        msg = (
            f"{IN_PLACE}\nvmap: the target was made outside, or by a creation function, and is the "
            "same for all samples. Make it from a batched tensor, as with zeros_like() or "
            "new_zeros(), or use the operation without the underscore."
        )
        raise AutogradError(msg)

    def assign(self, target: Array, source: Any) -> None:
        """Write *source* into the inner tensor of *target*."""
        inner = target.tensor
        if not isinstance(source, BatchedArray):
            inner.copy_(source if isinstance(source, Value) else _as_tensor(source, inner))
            return
        if source.batched and not target.batched:
            self.raise_target(target, new_value(source, source.key))
        value = source.tensor
        if source.batched:
            missing = len(target.shape) - len(source.shape)
            for _ in range(missing):
                value = ops.unsqueeze(value, 1)
        inner.copy_(value)

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
        """Return *array* with *function* of its inner tensor."""
        return BatchedArray(array.level, function(array.tensor), array.batched)

    # New arrays

    def made_like(self, array: Any, make: Callable[[Any, tuple[int, ...]], Any]) -> Array:
        """Return what *make* makes of the inner tensor and the size of the batch."""
        front = (array.level.size,) if array.batched else ()
        return BatchedArray(array.level, make(array.tensor, front), array.batched)

    def wrap(self, result: Any) -> Array:
        """Return an inner tensor as an array that is the same for all samples."""
        if isinstance(result, Wrapped):
            return result
        return BatchedArray(self._running(), result, False)

    def _running(self) -> Any:
        if len(mode.levels) < self.level:
            raise self.escaped()
        return mode.levels[self.level - 1]

    def empty(self, shape: tuple[int, ...], dtype: DType, device: Device) -> Array:
        """Return a new batched array: what is made like a batched tensor can take one in place."""
        return self.full(shape, 0, dtype, device)

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Device) -> Array:
        """Return a new batched array filled with *value*."""
        level, backend = self._running(), for_device(device)
        key = backend.key(dtype, backend.canonical(device))
        made = backend.full((level.size, *shape), value, dtype, key.device)
        return BatchedArray(level, new_value(made, key), True)

    def arange(self, start: float, step: float, count: int, dtype: DType, device: Device) -> Array:
        """Return ``start + step * i``, the same for all samples."""
        backend = for_device(device)
        key = backend.key(dtype, backend.canonical(device))
        array = backend.arange(start, step, count, dtype, key.device)
        return BatchedArray(self._running(), new_value(array, key), False)

    # Out of the tensor world

    def detached(self, tensor: Any) -> Any:
        """Return *tensor* without history, on every level."""
        array = tensor._array
        made = self.value(BatchedArray(array.level, array.tensor.detach(), array.batched))
        made._storage = tensor._storage
        return made

    def data_of(self, tensor: Any) -> Any:
        """Refuse: writing past autograd cannot be told from writing past the mapping."""
        msg = (
            "accessing `data` under vmap transform is not allowed\n"
            "vmap: use detach(), which shares the memory too."
        )
        raise AutogradError(msg)

    def tolist(self, array: Array) -> Any:
        """Refuse, unless all samples are equal."""
        if not array.batched:
            return array.tensor.tolist()
        msg = f"{ITEM}\nvmap: every sample has a value of its own. Compute with tensors instead."
        raise AutogradError(msg)

    def to_numpy(self, array: Array) -> Any:
        """Refuse: an array of NumPy is not batched."""
        msg = (
            "Cannot access data pointer of Tensor that doesn't have storage\n"
            "vmap: a batched tensor has no memory of its own. Return it from the function first."
        )
        raise AutogradError(msg)

    def branch(self, tensor: Any) -> None:
        """Refuse to let samples decide what runs for all."""
        if tensor._array.batched:
            msg = f"{BRANCH}\nvmap: use where() to choose per sample."
            raise AutogradError(msg)

    def text(self, tensor: Any) -> str:
        """Return how a batched tensor prints."""
        array = tensor._array
        inner = "\n".join(f"    {line}" for line in repr(array.tensor).splitlines())
        where = 0 if array.batched else "None"
        return f"BatchedTensor(lvl={self.level}, bdim={where}, value=\n{inner}\n)"


BatchLevel.kind = BatchedBackend


def _as_tensor(number: Any, like: Any) -> Any:
    """Return a Python number, or an array of the inner backend, as a tensor beside *like*."""
    key = like._key
    if isinstance(number, (int, float, complex)):
        return new_value(key.backend.full((), number, key.dtype, key.device), key)
    return new_value(number, key)


def sizes_agree(sizes: list[int]) -> int:
    """Return the one size of the mapped dimension.

    Raises:
        ShapeError: there are several.
    """
    if len(set(sizes)) > 1:
        msg = (
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
        raise ShapeError(msg)
    return sizes[0]
