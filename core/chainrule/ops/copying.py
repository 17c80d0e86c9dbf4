"""Copies: the same values in other memory, of another dtype, or on another device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import inplace
from ..errors import ShapeError
from ..grad_mode import mode
from ..op import Op, composite, primitive
from ..value import Value, new_value
from ._operands import zeros_of
from .filling import as_number as fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..backend import Array, Backend
    from ..device import Device
    from ..dtypes import DType
    from ..tensor import Number, Tensor

__all__ = ["_to_copy", "clone", "copy", "fill", "view_scatter", "zero"]


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
        if backend is not None and backend.level:
            backend = None
        if key.backend.level:
            return self._on_a_level(bound, dtype, device, backend)
        target = (backend or key.backend).key(dtype or key.dtype, device or key.device)
        array, converts = source._array, target.dtype is not key.dtype
        stays = target.backend is key.backend and target.device == key.device
        if not (converts and stays and target.backend.is_contiguous(array)):
            array = _moved(array, key.backend, target.backend, target.device)
        if converts:  # which copies
            array = target.backend.astype(array, target.dtype)
        result = new_value(array, target)
        if mode.enabled:
            self._record(bound, bound[:1], [result])
        return result

    def _on_a_level(self, bound: Sequence[Any], dtype: Any, device: Any, backend: Any) -> Any:
        """Return the copy of what a function transform wraps: the inner tensors are copied."""
        source = bound[0]

        def copy(inner: Any) -> Any:
            return _to_copy(inner, dtype=dtype, device=device, backend=backend)

        array = source._key.backend.mapped(copy, source._array)
        result = new_value(array, array.key)
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


_to_copy = _Transfer(_to_copy, kind="transfer", nodes={"": "ToCopyBackward0"})
_to_copy.vjp(self=lambda grad: grad)


@composite(dtype="same", nodes={"": "ZeroBackward0"})
def zero(self: Tensor) -> Tensor:
    """Return zeros like *self*.

    Gradient:
        Zero.

    >>> import chainrule as cr
    >>> cr.zero(cr.ones(2))
    tensor([0., 0.])
    """
    key = self._key
    return new_value(key.backend.full(self._array.shape, 0, key.dtype, key.device), key)  # type: ignore[no-any-return]  # a Tensor


zero.vjp(self=zeros_of)


@composite(dtype="same", nodes={"value:Tensor": "FillBackward1", "": "FillBackward0"})
def fill(self: Tensor, value: Tensor | Number) -> Tensor:
    """Return a tensor like *self* filled with *value*, a number or a 0-d tensor.

    Gradient:
        Zero for *self*, ``grad.sum()`` for *value*.

    >>> import chainrule as cr
    >>> cr.fill(cr.zeros(2), 3)
    tensor([3., 3.])
    """
    if isinstance(value, Value) and value.dim():
        msg = (
            f"fill_ only supports 0-dimension value tensor but got tensor with {value.dim()} "
            "dimensions."
        )
        raise ShapeError(msg)
    key = self._key
    number = value.to(key.dtype).item() if isinstance(value, Value) else fit(value, key.dtype)
    return new_value(key.backend.full(self._array.shape, number, key.dtype, key.device), key)  # type: ignore[no-any-return]  # a Tensor


fill.vjp(self=zeros_of, value=lambda grad: grad)


@composite(dtype="same", nodes={"": "CopyBackwards"})
def copy(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Return the values of *src* in the shape, dtype and place of *self*.

    Gradient:
        Zero for *self*, ``grad`` for *src*.

    >>> import chainrule as cr
    >>> cr.zeros(2).copy_(cr.tensor(3))
    tensor([3., 3.])
    """
    source = src.to(device=self.device, dtype=self.dtype)
    return source.expand(tuple(self._array.shape)).clone()


copy.vjp(self=zeros_of, src=lambda grad: grad)


# Note [Views of a gradient]
# --------------------------
# What a view shows of its base may depend on where the elements lie in memory: `view` and
# `as_strided` count elements there. The gradient of the base has its shape, and need not lie in
# memory as it does (that of a sum does not fill any). So before a view of it is taken, it is laid
# out as the base is.


@composite(dtype="same", nodes={"": "CloneBackward0"})
def _laid_out(self: Tensor, stride: tuple[int, ...]) -> Tensor:
    """Return a copy of *self* with these strides."""
    from .striding import look_into_new_memory

    made = look_into_new_memory(self, stride)
    made.copy_(self)
    return new_value(made._array, made._key)  # type: ignore[no-any-return]  # a Tensor


_laid_out.vjp(self=lambda grad: grad)


def _as_base(grad: Tensor, stride: tuple[int, ...] | None) -> Tensor:
    """Return *grad* with the strides of the base: Note [Views of a gradient]."""
    if stride is None or grad._key.backend.strides(grad._array) == stride:
        return grad
    return _laid_out(grad, stride)


@composite(dtype="same", nodes={"": "CopySlices"})
def view_scatter(
    self: Tensor,
    src: Tensor,
    view: Callable[[Tensor], Tensor],
    stride: tuple[int, ...] | None = None,
) -> Tensor:
    """Return a copy of *self* in which what *view* shows of it is *src*.

    A recorded write into a view gives its base this history; *stride* tells how the base lies.

    Gradient:
        ``grad`` with zeros in the view for *self*, the view of ``grad`` for *src*.

    >>> import chainrule as cr
    >>> cr.view_scatter(cr.zeros(3), cr.tensor(5.0), lambda base: base[1])
    tensor([0., 5., 0.])
    """
    made = clone(self) if stride is None else _laid_out(self, stride)
    view(made).copy_(src)
    return made


view_scatter.vjp(
    self=lambda grad, view, stride: view_scatter(
        grad, zero(view(_as_base(grad, stride))), view, stride
    ),
    src=lambda grad, view, stride: view(_as_base(grad, stride)),
)

#: As the node of the write, which PyTorch keeps inside, may.
view_scatter.frees_in_any_case = True

inplace.zero, inplace.view_scatter = zero, view_scatter
