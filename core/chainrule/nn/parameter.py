"""Tensors that a module registers when they are assigned to it."""

from __future__ import annotations

from typing import Any, Self

from .. import ops
from ..errors import ArgumentError, DTypeError
from ..overriding import disabled_torch_function_impl, wants_to_be_asked
from ..tensor import Tensor
from ..value import Value, new_value, storage_of

__all__ = ["Buffer", "Parameter"]


def _leaf_over(cls: type[Tensor], data: Any, requires_grad: bool) -> Any:
    """Return a leaf of class *cls* over the memory of *data*, with its version counter."""
    if not isinstance(data, Value):
        msg = (
            f"'{type(data).__name__}' object has no attribute 'detach'\n"
            f"{cls.__name__}: expected a tensor, got {type(data).__name__}. Make one with tensor()."
        )
        raise _NoTensorError(msg)
    if requires_grad and not data._key.floating:
        msg = (
            "Only Tensors of floating point and complex dtype can require gradients\n"
            f"{cls.__name__}: expected a floating or complex tensor, got {data._key.dtype}. "
            "Pass requires_grad=False."
        )
        raise DTypeError(msg)
    leaf = new_value(data._array, data._key, cls)
    leaf._storage = storage_of(data)
    if requires_grad:
        leaf._set_requires_grad(True, "")
    return leaf


class _NoTensorError(ArgumentError, AttributeError):
    """Something else than a tensor: an AttributeError too, since that is PyTorch's."""


class _ParameterMeta(type(Tensor)):  # type: ignore[misc]  # the class of classes
    """Counts objects of other subclasses that were made parameters among the parameters."""

    def __instancecheck__(cls, instance: object) -> bool:
        if super().__instancecheck__(instance):
            return True
        marked = isinstance(instance, Tensor) and getattr(instance, "_is_param", False)
        return bool(marked) and cls is Parameter


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A leaf tensor that a module counts among its parameters once it is assigned to it.

    What is computed from a parameter is a plain `Tensor`.

    Args:
        data: The values; their memory is shared. None stands for an empty tensor.
        requires_grad: Whether gradients are wanted.

    Raises:
        ArgumentError: *data* is no tensor.
        DTypeError: *data* is of integers or bools and *requires_grad* is true.

    >>> import chainrule as cr
    >>> Parameter(cr.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __torch_function__ = disabled_torch_function_impl

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        """Return a parameter over the memory of *data*."""
        if data is not None and type(data) is not Tensor and wants_to_be_asked(type(data)):
            marked: Any = data.detach().requires_grad_(requires_grad)
            marked._is_param = True
            return marked  # type: ignore[no-any-return]  # counts as one
        return _leaf_over(cls, ops.empty(0) if data is None else data, requires_grad)  # type: ignore[no-any-return]  # of class cls

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        pass  # made whole by __new__; what Tensor takes is not what a parameter takes

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return memo[id(self)]  # type: ignore[no-any-return]  # of class Self

    def __copy__(self) -> Self:
        made = type(self)(self.data, self.requires_grad)
        made.__dict__.update(self.__dict__)
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        arguments = type(self), self.data, self.requires_grad
        return (_rebuilt, (*arguments, self.__dict__)) if self.__dict__ else (_rebuilt, arguments)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def _rebuilt(
    cls: type[Parameter],
    data: Tensor,
    requires_grad: bool,
    attributes: dict[str, Any] | None = None,
) -> Parameter:
    """Return a pickled parameter again."""
    made = cls(data, requires_grad)
    made.__dict__.update(attributes or {})
    return made


class Buffer(Tensor):
    """A tensor that a module counts among its buffers once it is assigned to it.

    Args:
        data: The values; their memory is shared. None stands for an empty tensor.
        persistent: Whether the buffer is part of the module's ``state_dict``.

    >>> import chainrule as cr
    >>> module = cr.nn.Module()
    >>> module.mean = Buffer(cr.zeros(2))
    >>> dict(module.named_buffers())
    {'mean': tensor([0., 0.])}
    """

    __torch_function__ = disabled_torch_function_impl
    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        """Return a buffer over the memory of *data*."""
        made = _leaf_over(cls, ops.empty(0) if data is None else data, requires_grad=False)
        made.persistent = persistent
        return made  # type: ignore[no-any-return]  # of class cls

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        pass  # made whole by __new__
