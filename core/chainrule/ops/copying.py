"""Copies: the same values in other memory, of another dtype, or on another device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..grad_mode import mode
from ..op import Op, primitive
from ..value import new_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..backend import Array, Backend
    from ..device import Device
    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = ["_to_copy", "clone"]


@primitive(dtype="same")
def clone(self: Tensor, *, memory_format: object = None) -> Tensor:
    """Return a copy with its own memory and the same history.

    Args:
        self: ``(*)``, any dtype.
        memory_format: Taken and ignored: a copy is contiguous.

    Returns:
        ``(*)``, dtype and device of *self*.

    Gradient:
        ``grad``.

    >>> import chainrule as cr
    >>> x = cr.ones(2)
    >>> x.clone().zero_(), x
    (tensor([0., 0.]), tensor([1., 1.]))
    """


clone.vjp(self=lambda grad: grad)


class _Transfer(Op[Any, Any]):
    """An op that no single backend can have a kernel for: its result may be another's array."""

    def evaluate_any(self, bound: Sequence[Any]) -> Any:
        source, dtype, device, backend = bound
        key = source._key
        target = (backend or key.backend).key(dtype or key.dtype, device or key.device)
        array = _moved(source._array, key.backend, target.backend, target.device)
        if target.dtype is not key.dtype:
            array = target.backend.astype(array, target.dtype)
        result = new_value(array, target)
        if mode.enabled:
            self._record(bound, bound[:1], [result])
        return result


def _moved(array: Array, source: Backend, target: Backend, device: Device) -> Array:
    """Return a copy of *array* on *device* of *target*."""
    if source.spec.storage == target.spec.storage:
        return target.copy_to(array, device)
    return target.copy_to(target.from_numpy(source.to_numpy(array), device), device)


def _to_copy(
    self: Tensor,
    *,
    dtype: DType | None = None,
    device: Device | None = None,
    backend: Backend | None = None,
) -> Tensor:
    """Return a copy with another dtype, on another device, or of another backend.

    Gradient:
        ``grad``; the engine brings it to the dtype and device of the input.

    >>> import chainrule as cr
    >>> cr.ones(2, requires_grad=True).double()
    tensor([1., 1.], dtype=torch.float64, grad_fn=<ToCopyBackward0>)
    """


_to_copy = _Transfer(_to_copy, kind="transfer", nodes={"": "ToCopyBackward0"})  # type: ignore[assignment]  # the statement becomes its op
_to_copy.vjp(self=lambda grad: grad)  # type: ignore[attr-defined]  # see above
