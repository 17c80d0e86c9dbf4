"""New tensors that take after another one: its shape, or its dtype and device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._warn import warn
from ..backend import plain
from ..dtypes import DType
from ..shapes import contiguous_strides
from ..value import Value, new_value
from ._arguments import check_tensor, integers, permutation_inverse
from .axes import permute
from .creation import _from_data, checked_size, finish, key_for
from .creation_values import fit_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..backend import Array, DispatchKey
    from ..device import Device
    from ..tensor import Number, Tensor

__all__ = ["empty_like", "full_like", "ones_like", "zeros_like"]


def laid_out_like(
    input: Value, key: DispatchKey, make: Callable[[tuple[int, ...]], Array]
) -> Array:
    """Return the array that *make* makes, laid out in memory as *input* is.

    Args:
        input: Its shape is that of the result, and the order of its dimensions in memory too, if
            they fill their memory without gaps.
        key: Of the result.
        make: A function from a shape to a contiguous array of *key*.
    """
    shape = tuple(input._array.shape)
    strides = input._key.backend.strides(input._array)
    if strides == contiguous_strides(shape):
        return make(shape)
    order = sorted(range(len(shape)), key=lambda dim: (-strides[dim], dim))
    packed = tuple(shape[dim] for dim in order)
    if tuple(strides[dim] for dim in order) != contiguous_strides(packed):
        return make(shape)
    made = make(packed)
    tensor = new_value(made, getattr(made, "key", None) or plain(key))
    return permute(tensor, permutation_inverse(order))._array


def _like(
    function: str,
    input: Tensor,
    value: Number | None,
    *,
    dtype: DType | None,
    device: Device | str | None,
    requires_grad: bool,
    memory_format: object,
) -> Tensor:
    """Return a tensor of the shape of *input*, filled with *value*; with None, not filled."""
    check_tensor(function, input)
    if input._key.backend.level:
        return _on_its_level(
            input,
            lambda inner, _: _like(
                function, inner, value, dtype=dtype, device=device, requires_grad=False,
                memory_format=memory_format,
            ),
            requires_grad,
        )  # fmt: skip
    key = key_like(input, dtype, device)

    def make(shape: tuple[int, ...]) -> Array:
        if value is None:
            return key.backend.empty(shape, key.dtype, key.device)
        return key.backend.full(shape, fit_value(value, key.dtype), key.dtype, key.device)

    if memory_format is not None and "contiguous" in str(memory_format):
        return finish(make(tuple(input._array.shape)), key, requires_grad)
    return finish(laid_out_like(input, key, make), key, requires_grad)


def _on_its_level(
    like: Any, make: Callable[[Any, tuple[int, ...]], Tensor], requires_grad: bool
) -> Tensor:
    """Return a new tensor on the level of *like*, which a function transform wraps.

    Args:
        like: The tensor.
        make: Makes the inner tensor from that of *like* and the sizes that stand before its own.
        requires_grad: Whether operations on the result are recorded.
    """
    array = like._key.backend.made_like(like._array, make)
    return finish(array, array.key, requires_grad)


def key_like(input: Tensor, dtype: DType | None, device: Device | str | None) -> DispatchKey:
    """Return the dispatch key of *input* with another dtype or device, where one is given."""
    if device is not None:
        return key_for(dtype or input._key.dtype, device)
    return input._key if dtype is None else input._key.of(dtype)


def zeros_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: object = None,
) -> Tensor:
    """Return zeros of the shape, dtype and device of *input*.

    Args:
        input: ``(*)``, any dtype; nothing of its history is taken over.
        dtype: Of the result, where it is another.
        layout: Taken and ignored, as is *pin_memory*.
        device: Of the result, where it is another.
        pin_memory: See *layout*.
        requires_grad: Whether operations on the result are recorded.
        memory_format: ``contiguous_format`` for the dimensions in order. By default they lie in
            memory as those of *input* do.

    >>> import chainrule as cr
    >>> cr.zeros_like(cr.ones(2), dtype=cr.int64)
    tensor([0, 0])
    """
    return _like(
        "zeros_like", input, 0, dtype=dtype, device=device, requires_grad=requires_grad,
        memory_format=memory_format,
    )  # fmt: skip


def ones_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: object = None,
) -> Tensor:
    """Return ones of the shape, dtype and device of *input*. Arguments as of `zeros_like`.

    >>> import chainrule as cr
    >>> cr.ones_like(cr.zeros(2))
    tensor([1., 1.])
    """
    return _like(
        "ones_like", input, 1, dtype=dtype, device=device, requires_grad=requires_grad,
        memory_format=memory_format,
    )  # fmt: skip


def empty_like(
    input: Tensor,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: object = None,
) -> Tensor:
    """Return a tensor like *input* with whatever the memory held. Arguments as of `zeros_like`.

    >>> import chainrule as cr
    >>> cr.empty_like(cr.ones(2, 3)).shape
    torch.Size([2, 3])
    """
    return _like(
        "empty_like", input, None, dtype=dtype, device=device, requires_grad=requires_grad,
        memory_format=memory_format,
    )  # fmt: skip


def full_like(
    input: Tensor,
    fill_value: Number,
    *,
    dtype: DType | None = None,
    layout: object = None,
    device: Device | str | None = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: object = None,
) -> Tensor:
    """Return a tensor like *input* filled with *fill_value*. Arguments as of `zeros_like`.

    Raises:
        RuntimeError: the dtype does not hold *fill_value*.

    >>> import chainrule as cr
    >>> cr.full_like(cr.ones(2), 3)
    tensor([3., 3.])
    """
    return _like(
        "full_like", input, fill_value, dtype=dtype, device=device, requires_grad=requires_grad,
        memory_format=memory_format,
    )  # fmt: skip


# Methods


def _new(
    function: str,
    self: Tensor,
    value: Number | None,
    sizes: tuple[Any, ...],
    size: Any,
    *,
    dtype: DType | None,
    device: Device | str | None,
    requires_grad: bool,
) -> Tensor:
    """Return a tensor of a size, with the dtype and device of *self*."""
    shape = checked_size(integers(function, "size", sizes, size))
    if self._key.backend.level:
        return _on_its_level(
            self,
            lambda inner, front: _new(
                function, inner, value, (), (*front, *shape), dtype=dtype, device=device,
                requires_grad=False,
            ),
            requires_grad,
        )  # fmt: skip
    key = key_like(self, dtype, device)
    if value is None:
        array = key.backend.empty(shape, key.dtype, key.device)
    else:
        array = key.backend.full(shape, fit_value(value, key.dtype), key.dtype, key.device)
    return finish(array, key, requires_grad)


def new_zeros(
    self: Tensor,
    *sizes: Any,
    size: Any = None,
    dtype: DType | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
    layout: object = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return zeros of a size, with the dtype and device of this tensor.

    >>> import chainrule as cr
    >>> cr.tensor([1]).new_zeros(2)
    tensor([0, 0])
    """
    return _new(
        "new_zeros", self, 0, sizes, size, dtype=dtype, device=device, requires_grad=requires_grad
    )


def new_ones(
    self: Tensor,
    *sizes: Any,
    size: Any = None,
    dtype: DType | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
    layout: object = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return ones of a size, with the dtype and device of this tensor.

    >>> import chainrule as cr
    >>> cr.tensor([1]).new_ones(2)
    tensor([1, 1])
    """
    return _new(
        "new_ones", self, 1, sizes, size, dtype=dtype, device=device, requires_grad=requires_grad
    )


def new_empty(
    self: Tensor,
    *sizes: Any,
    size: Any = None,
    dtype: DType | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
    layout: object = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return whatever the memory held, of a size, with the dtype and device of this tensor.

    >>> import chainrule as cr
    >>> cr.tensor([1]).new_empty(2, 3).shape
    torch.Size([2, 3])
    """
    return _new(
        "new_empty", self, None, sizes, size, dtype=dtype, device=device,
        requires_grad=requires_grad,
    )  # fmt: skip


def new_full(
    self: Tensor,
    size: Any,
    fill_value: Number,
    *,
    dtype: DType | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
    layout: object = None,
    pin_memory: bool = False,
) -> Tensor:
    """Return a tensor of *size* filled with *fill_value*, with the dtype and device of this tensor.

    >>> import chainrule as cr
    >>> cr.tensor([1]).new_full((2,), 3)
    tensor([3, 3])
    """
    return _new(
        "new_full", self, fill_value, (), size, dtype=dtype, device=device,
        requires_grad=requires_grad,
    )  # fmt: skip


def new_tensor(
    self: Tensor,
    data: Any,
    *,
    dtype: DType | None = None,
    device: Device | str | None = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Return a new tensor with the values of *data*, on the device of this tensor and of its dtype.

    >>> import chainrule as cr
    >>> cr.tensor([1.0]).new_tensor([1, 2])
    tensor([1., 2.])
    """
    if isinstance(data, Value):
        warn(
            "To copy construct from a tensor, it is recommended to use "
            "sourceTensor.detach().clone() or sourceTensor.detach().clone().requires_grad_(True), "
            "rather than tensor.new_tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    key = key_like(self, dtype, device)
    return _from_data(data, key.dtype, key.device, requires_grad, copy=True)


def new(self: Tensor, *data: Any, device: Device | str | None = None) -> Tensor:
    """Return a new tensor of the dtype and device of this one: of a size, or with given values.

    >>> import chainrule as cr
    >>> cr.tensor([1]).new([2, 3]), cr.tensor([1]).new(2, 3).shape
    (tensor([2, 3]), torch.Size([2, 3]))
    """
    if len(data) == 1 and not isinstance(data[0], int):
        item = data[0]
        if isinstance(item, Value):
            return new_value(item._array, item._key)  # type: ignore[no-any-return]  # a Tensor
        if type(item).__name__ != "Size":
            return new_tensor(self, item, device=device)
    return new_empty(self, *(data or (0,)), device=device)
