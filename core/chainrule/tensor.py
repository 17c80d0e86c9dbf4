"""`Tensor`: the value with the methods and operators that users know. Each calls an op."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import ops
from . import value as _value
from .dtypes import float32
from .errors import ArgumentError
from .ops.creation import as_tensor, tensor
from .shapes import normalize_size
from .tensor_base import TensorBase
from .value import Value, new_value

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Number", "Tensor", "as_tensor", "tensor"]

Number = int | float | bool | complex


def operator(op: Any) -> Callable[..., Any]:
    """Return *op* as a binary operator: it leaves what it does not know to the other operand."""
    fast = op.fast

    def method(self: Any, other: Any) -> Any:
        try:
            return fast(self, other)
        except ArgumentError:
            return NotImplemented

    method.__doc__ = op.__doc__
    return method


def in_place(op: Any) -> Callable[..., Any]:
    """Return the in-place form of *op*: it writes the result into its first argument."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return op.in_place((self, *args), kwargs)

    method.__name__ = f"{op.__name__}_"
    method.__doc__ = f"In-place form of {op.__name__}."
    return method


class Tensor(TensorBase):
    """An array that remembers how it was computed.

    Made by `tensor`, the creation functions and every op; ``Tensor(2, 3)`` and ``Tensor([1.0])``
    work as in PyTorch, always float32.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ()

    def __new__(cls, *data: Any, device: Any = None) -> Any:
        if len(data) == 1 and not isinstance(data[0], int):
            made = as_tensor(data[0]) if isinstance(data[0], Value) else tensor(data[0], dtype=float32, device=device)
        else:
            made = ops.empty(*data, dtype=float32, device=device) if data else ops.empty(0, device=device)
        return new_value(made._array, made._key, cls)

    def clone(self, *, memory_format: object = None) -> Tensor:
        """Return a copy with its own memory and the same history."""
        return ops.clone(self)  # type: ignore[no-any-return]  # an op's result

    # Arithmetic

    __mul__ = ops.mul.fast
    __add__ = ops.add.fast
    __sub__ = ops.sub.fast
    __rsub__ = ops.rsub.fast
    __truediv__ = ops.div.fast
    __neg__ = ops.neg.fast

    # Pointwise functions

    tanh = ops.tanh.method
    exp = ops.exp.method

    # Comparison

    # Activations

    # Reductions

    sum = ops.sum.method

    # Shapes and views

    # Joining and splitting

    # Indexing

    # Products

    # Random values in place


_value.result_class = Tensor
