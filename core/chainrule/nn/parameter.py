"""Tensors that a module registers when they are assigned to it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from .. import ops
from ..errors import ArgumentError, DTypeError
from ..overriding import disabled_torch_function_impl, wants_to_be_asked
from ..tensor import Tensor
from ..value import Value, new_value, storage_of

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass  # made whole by __new__, which in a subclass may take more

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


class UninitializedTensorMixin(Tensor):
    """A tensor whose shape is not known yet: its dtype and device are, and no more.

    Raises:
        RuntimeError: its shape is asked for.
        ValueError: anything is computed with it.
    """

    __torch_function__ = disabled_torch_function_impl  # nobody need be asked: it refuses by itself
    _becomes: ClassVar[type[Tensor]]

    @property
    def _array(self) -> Any:  # on purpose: there are no values to read
        msg = (
            "Attempted to use an uninitialized parameter. This error happens when you are using a "
            "`LazyModule` or explicitly manipulating `torch.nn.parameter."
            f"{type(self).__name__}` objects. When using LazyModules Call `forward` with a dummy "
            "batch to initialize the parameters before calling torch functions"
        )
        raise ValueError(msg)

    @_array.setter
    def _array(self, array: Any) -> None:
        _slot.__set__(self, array)

    @property
    def shape(self) -> Any:
        """Raise: it is not known."""
        msg = (
            "Can't access the shape of an uninitialized parameter or buffer. This error usually "
            "happens in `load_state_dict` when trying to load an uninitialized parameter into an "
            "initialized one. Call `forward` to initialize the parameters before accessing their "
            "attributes."
        )
        raise RuntimeError(msg)

    def template(self) -> Tensor:
        """Return an empty tensor of the dtype and on the device that this one will have."""
        return new_value(_slot.__get__(self), self._key)  # type: ignore[no-any-return]  # a Tensor

    def take_after(self, other: Tensor) -> None:
        """Take the dtype and the device of *other*, which is empty."""
        self._array, self._key = other._array, other._key

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a tensor of *shape* with unspecified values.

        Args:
            shape: The sizes.
            device: Where; by default where it is.
            dtype: Of what; by default what it is.
        """
        made = ops.empty(
            shape, dtype=dtype or self.dtype, device=self.device if device is None else device
        )
        self.take_after(made)
        self._storage = None
        self.__class__ = self._becomes  # type: ignore[assignment]  # the class it stood for

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, device=self.device, dtype=self.dtype)  # type: ignore[call-arg]  # of the subclasses
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.requires_grad, self.device, self.dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


_slot: Any = vars(Value)["_array"]  # the memory that the property stands before


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet: what lazy modules have before their first call.

    Args:
        requires_grad: Whether gradients will be wanted.
        device: Where it will be.
        dtype: Of what.

    >>> weight = UninitializedParameter()
    >>> weight
    <UninitializedParameter>
    >>> weight.materialize((2, 3))
    >>> weight.shape
    torch.Size([2, 3])
    """

    _becomes: ClassVar[type[Tensor]] = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Self:
        """Return a parameter without a shape."""
        return _leaf_over(cls, ops.empty(0, device=device, dtype=dtype), requires_grad)  # type: ignore[no-any-return]  # of class cls

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        pass  # made whole by __new__


class UninitializedBuffer(UninitializedTensorMixin):
    """A buffer whose shape is not known yet; see `UninitializedParameter`.

    Args:
        requires_grad: Whether gradients will be wanted.
        device: Where it will be.
        dtype: Of what.
        persistent: Whether the buffer is part of the module's ``state_dict``.
    """

    _becomes: ClassVar[type[Tensor]] = Tensor

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> Self:
        """Return a buffer without a shape."""
        made = _leaf_over(cls, ops.empty(0, device=device, dtype=dtype), requires_grad)
        made.persistent = persistent
        return made  # type: ignore[no-any-return]  # of class cls

    def __init__(
        self,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> None:
        pass  # made whole by __new__


def is_lazy(param: Any) -> bool:
    """Return whether *param* has no shape yet."""
    return isinstance(param, UninitializedTensorMixin)
