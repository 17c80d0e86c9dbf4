"""Copies of tensors: ``copy``, ``deepcopy`` and ``pickle``."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Self

from . import dtypes, ops
from ._warn import warn
from .backend import by_name
from .device import Device
from .errors import AutogradError
from .grad_mode import mode
from .tensor_values import Readable
from .value import new_value, storage_of

if TYPE_CHECKING:
    from .backend import Array, Backend
    from .value import Value

# Note [Copies of shared memory]
# ------------------------------
# Tensors that share memory share it after `deepcopy` and `pickle` too, as far as they are copied
# together. The memory of a view is that of its base, so the base's array is copied, once for all
# who look into it, and the view is made again from the copy.


class Copyable(Readable):
    """A value that can be copied and pickled."""

    __slots__ = ()

    def __copy__(self) -> Self:
        """Return another leaf over the same memory."""
        made: Any = new_value(self._array, self._key, type(self))
        made._storage = storage_of(self)
        made._requires_grad = self.requires_grad  # type: ignore[attr-defined]  # a Tensor
        made.__dict__.update(self.__dict__)
        return made  # type: ignore[no-any-return]  # of class Self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return a leaf with memory of its own.

        Raises:
            RuntimeError: the tensor is no leaf.
        """
        if not self.is_leaf:  # type: ignore[attr-defined]  # a Tensor
            msg = (
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol at the moment.  If you were attempting to deepcopy a module, this may be "
                "because of a torch.nn.utils.weight_norm usage, see "
                "https://github.com/pytorch/pytorch/pull/103001"
            )
            raise AutogradError(msg)
        if id(self) in memo:
            return memo[id(self)]
        made = new_value(_copied_memory(self, memo), self._key, type(self))
        made._requires_grad = self._requires_grad
        memo[id(self)] = made
        if self._grad is not None:
            made._grad = copy.deepcopy(self._grad, memo)
        made.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Return what ``pickle`` needs: the history is left behind, and so are hooks."""
        hooks = self._backward_hooks or {}  # type: ignore[attr-defined]  # a Tensor
        for hook in hooks.values():
            if not hasattr(hook, "__torch_unserializable__"):
                warn(
                    f"backward hook {hook!r} on tensor will not be serialized.  If this is "
                    "expected, you can decorate the function with "
                    "@torch.utils.hooks.unserializable_hook to suppress this warning",
                    UserWarning,
                    stacklevel=2,
                )
        key, array, layout = self._key, self._array, None
        base = self._base
        if base is not None and base._key is key:
            array, layout = base._array, _layout(self, base)
        state = (
            key.backend.to_numpy(array), key.dtype.name, str(key.device), key.backend.name,
            self.requires_grad, self.__dict__, layout,  # type: ignore[attr-defined]  # a Tensor
        )  # fmt: skip
        return _rebuild, (type(self), *state)


def _copied_memory(tensor: Value, memo: dict[int, Any]) -> Array:
    """Return the array of a deep copy: Note [Copies of shared memory]."""
    base = tensor if tensor._base is None else tensor._base
    copied = memo.get(id(base._array))
    if copied is None:
        copied = memo[id(base._array)] = base._key.backend.copy(base._array)
    if base is tensor:
        return copied
    before, mode.enabled = mode.enabled, False
    try:
        return tensor._view.way()(new_value(copied, base._key))._array
    finally:
        mode.enabled = before


def _layout(view: Value, base: Value) -> tuple[Any, ...] | None:
    """Return sizes, strides and offset of *view* in *base*; None if they cannot be told."""
    backend, itemsize = view._key.backend, view._key.dtype.itemsize
    try:
        distance = backend.data_ptr(view._array) - backend.data_ptr(base._array)
    except NotImplementedError:
        return None
    return tuple(view._array.shape), backend.strides(view._array), distance // itemsize


def _rebuild(
    cls: type[Value],
    array: Any,
    dtype: str,
    device: str,
    backend: str,
    requires_grad: Any,
    attributes: dict[str, Any],
    layout: tuple[Any, ...] | None = None,
) -> Any:
    """Return a pickled tensor again."""
    owner: Backend = by_name(backend)
    where = owner.canonical(Device(device))
    key = owner.key(dtypes.by_name(dtype), where)
    made = new_value(owner.copy_to(owner.from_numpy(array, where), where), key, cls)
    if layout is not None:
        made = new_value(ops.as_strided(made, *layout)._array, key, cls)
    made._requires_grad = requires_grad
    made.__dict__.update(attributes)
    return made
