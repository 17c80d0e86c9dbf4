"""Arithmetic of two operands: + - * / // % and their kin.

Where both operands are integers, a quotient that is not rounded is floating; a rounded one, and
every remainder, is an integer, and there is none for a divisor of zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dtypes import BOOL, COMPLEX, INTEGER
from ..errors import DTypeError
from ..op import primitive
from ..plan import NOT_IMPLEMENTED
from ..value import Value
from ._operands import C_NAMES, category, check_broadcast, refusal, zeros_of
from .complex import conj

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = [
    "add", "addcdiv", "addcmul", "div", "divide", "floor_divide", "fmod", "lerp", "mul", "multiply",
    "remainder", "rsub", "sub", "subtract", "true_divide",
]  # fmt: skip

_TWO_BOOLS = (
    "Subtraction, the `-` operator, with two bool tensors is not supported. "
    "Use the `^` or `logical_xor()` operator instead."
)
_ONE_BOOL = (
    "Subtraction, the `-` operator, with a bool tensor is not supported. "
    "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
)


@primitive(promote="arithmetic")
def add(self: Tensor, other: Tensor, *, alpha: Number = 1) -> Tensor:
    """Return ``self + alpha * other``, broadcasting.

    Args:
        self: ``(*)``, any dtype.
        other: ``(*)`` that broadcasts with *self*, or a Python number.
        alpha: What *other* is multiplied with.

    Returns:
        The broadcast shape, in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast, or *alpha* is floating and the operands are not.

    Gradient:
        ``grad`` for *self*, ``grad * conj(alpha)`` for *other*.

    >>> import chainrule as cr
    >>> cr.add(cr.tensor([1, 2]), cr.tensor([10, 20]), alpha=2)
    tensor([21, 42])
    """


add.vjp(self=lambda grad: grad, other=lambda grad, alpha: _scaled(grad, alpha))


def _scaled(grad: Tensor, alpha: Number) -> Tensor:
    return grad if alpha == 1 else grad * conj(alpha)


@add.checks
def _check_alpha(self: Tensor, other: Tensor, alpha: Number) -> None:
    """Refuse a factor of a higher category than the operands."""
    if alpha is True or alpha is False:
        if category(self) > BOOL or category(other) > BOOL:
            msg = (
                "Boolean alpha only supported for Boolean results.\n"
                "add, sub: pass a number as alpha."
            )
            raise DTypeError(msg)
    elif not isinstance(alpha, int) and max(category(self), category(other)) <= INTEGER:
        msg = (
            "For integral input tensors, argument alpha must not be a floating point number.\n"
            f"add, sub: got alpha={alpha}. Convert the operands to a floating dtype."
        )
        raise DTypeError(msg)


@primitive(promote="arithmetic", refuses={"bool": _TWO_BOOLS})
def sub(self: Tensor, other: Tensor, *, alpha: Number = 1) -> Tensor:
    """Return ``self - alpha * other``, broadcasting.

    Args:
        self: ``(*)``, any dtype but bool.
        other: ``(*)`` that broadcasts with *self*, or a Python number.
        alpha: What *other* is multiplied with.

    Returns:
        The broadcast shape, in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast, or an operand is bool.

    Gradient:
        ``grad`` for *self*, ``-grad * conj(alpha)`` for *other*.

    >>> import chainrule as cr
    >>> cr.tensor([3.0, 2.0]) - 1
    tensor([2., 1.])
    """


sub.vjp(self=lambda grad: grad, other=lambda grad, alpha: -_scaled(grad, alpha))


@sub.checks
def _check_subtraction(self: Tensor, other: Tensor, alpha: Number) -> None:
    """Refuse one bool operand; the dtype of two says the rest."""
    if (category(self) == BOOL) != (category(other) == BOOL):
        msg = f"{_ONE_BOOL}\nsub: expected numbers on both sides. Convert the mask with .to(...)."
        raise DTypeError(msg)
    _check_alpha(self, other, alpha)


@primitive(
    promote="arithmetic",
    refuses={"bool": _TWO_BOOLS},
    nodes={"other:Tensor": "RsubBackward0", "": "RsubBackward1"},
)
def rsub(self: Tensor, other: Tensor | Number, alpha: Number = 1) -> Tensor:
    """Return ``other - alpha * self``: the subtraction from the other side.

    Gradient:
        ``-grad * conj(alpha)`` for *self*, ``grad`` for *other*.

    >>> import chainrule as cr
    >>> 1 - cr.tensor([3.0, 2.0])
    tensor([-2., -1.])
    """


rsub.vjp(self=lambda grad, alpha: -_scaled(grad, alpha), other=lambda grad: grad)
rsub.checks(_check_subtraction)


@primitive(promote="arithmetic")
def mul(self: Tensor, other: Tensor) -> Tensor:
    """Return ``self * other``, broadcasting.

    Args:
        self: ``(*)``, any dtype.
        other: ``(*)`` that broadcasts with *self*, or a Python number.

    Returns:
        The broadcast shape, in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Gradient:
        ``grad * conj(other)`` for *self*, ``grad * conj(self)`` for *other*.

    >>> import chainrule as cr
    >>> x = cr.tensor([2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([4., 6.])
    """


mul.vjp(
    self=lambda grad, other: grad * conj(other),
    other=lambda grad, self: grad * conj(self),
)


@primitive(promote="divide", nodes={"rounding_mode": "DivBackward2", "": "DivBackward0"})
def div(self: Tensor, other: Tensor, *, rounding_mode: str | None = None) -> Tensor:
    """Return ``self / other``, broadcasting; rounded if *rounding_mode* says so.

    Args:
        self: ``(*)``, any dtype.
        other: ``(*)`` that broadcasts with *self*, or a Python number.
        rounding_mode: None for the true quotient (integers give the default floating dtype),
            ``"trunc"`` towards zero, ``"floor"`` downwards; these two keep integers.

    Returns:
        The broadcast shape, in the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast, *rounding_mode* is none of the three, or an
            integer is divided by zero and rounded.

    Gradient:
        ``grad / conj(other)`` for *self*, ``-grad * conj(self / other / other)`` for *other*;
        zero when the quotient is rounded.

    >>> import chainrule as cr
    >>> cr.tensor([7, -7]) / 2
    tensor([ 3.5000, -3.5000])
    >>> cr.div(cr.tensor([7, -7]), 2, rounding_mode="floor")
    tensor([ 3, -4])
    """


div.vjp(
    self=lambda grad, other, rounding_mode: (
        grad / conj(other) if rounding_mode is None else zeros_of(grad)
    ),
    other=lambda grad, self, other, rounding_mode: (
        -grad * conj(self / other / other) if rounding_mode is None else zeros_of(grad)
    ),
)


@div.checks
def _check_rounding(self: Tensor, other: Tensor, rounding_mode: str | None) -> None:
    if rounding_mode is None:
        return
    if rounding_mode not in {"trunc", "floor"}:
        msg = (
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
            f"'{rounding_mode}'\ndiv: leave rounding_mode out for the true quotient."
        )
        raise DTypeError(msg)
    operand = max(self, other, key=category)
    if isinstance(operand, Value) and category(operand) in {BOOL, COMPLEX}:
        raise refusal("div", f"div_{rounding_mode}_cpu", operand._key.dtype)


@primitive(promote="arithmetic", refuses={"bool": "div_floor_cpu", "complex": "div_floor_cpu"})
def floor_divide(self: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Return ``self / other`` rounded downwards, as Python's ``//``.

    Raises:
        RuntimeError: the shapes do not broadcast, or an integer is divided by zero.

    Gradient:
        Not implemented, as in PyTorch. ``div(self, other, rounding_mode="floor")`` has one: zero.

    >>> import chainrule as cr
    >>> cr.tensor([7, -7]) // 2
    tensor([ 3, -4])
    """


floor_divide.vjp(
    self=NOT_IMPLEMENTED("use div() with rounding_mode='floor'"),
    other=NOT_IMPLEMENTED("use div() with rounding_mode='floor'"),
)


@primitive(
    promote="arithmetic",
    refuses={"bool": "remainder_cpu", "complex": "remainder_cpu"},
    nodes={
        "self:Number": "RemainderBackward2",
        "other:Number": "RemainderBackward0",
        "": "RemainderBackward1",
    },
)
def remainder(self: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Return what is left of *self* after dividing by *other* downwards, as Python's ``%``.

    Args:
        self: ``(*)``, integer or floating, or a Python number.
        other: ``(*)`` that broadcasts with *self*, or a Python number.

    Returns:
        ``self - other * floor(self / other)``, with the sign of *other*.

    Raises:
        RuntimeError: the shapes do not broadcast, or an integer is divided by zero.

    Gradient:
        ``grad`` for *self*, ``-grad * floor(self / other)`` for *other*, also at the jumps.

    Differs from PyTorch:
        ``2 % x`` has a gradient.

    >>> import chainrule as cr
    >>> cr.remainder(cr.tensor([7, -7]), 3)
    tensor([1, 2])
    """


remainder.vjp(
    self=lambda grad: grad,
    other=lambda grad, self, other: -grad * div(self, other, rounding_mode="floor"),
)


@primitive(
    promote="arithmetic",
    refuses={"bool": "fmod_cpu", "complex": "fmod_cpu"},
    nodes={"other:Number": "FmodBackward0", "": "FmodBackward1"},
)
def fmod(self: Tensor, other: Tensor | Number) -> Tensor:
    """Return what is left of *self* after dividing by *other* towards zero, as C's ``fmod``.

    Args:
        self: ``(*)``, integer or floating.
        other: ``(*)`` that broadcasts with *self*, or a Python number.

    Returns:
        ``self - other * trunc(self / other)``, with the sign of *self*.

    Raises:
        RuntimeError: the shapes do not broadcast, or an integer is divided by zero.

    Gradient:
        ``grad`` for *self*, ``-grad * trunc(self / other)`` for *other*, also at the jumps.

    >>> import chainrule as cr
    >>> cr.fmod(cr.tensor([7, -7]), 3)
    tensor([ 1, -1])
    """


fmod.vjp(
    self=lambda grad: grad,
    other=lambda grad, self, other: -grad * div(self, other, rounding_mode="trunc"),
)


@primitive(promote="arithmetic", refuses={"bool": "addcmul_cpu_out"})
def addcmul(self: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """Return ``self + value * tensor1 * tensor2``, broadcasting.

    Gradient:
        ``grad`` for *self*, ``grad * conj(value * tensor2)`` for *tensor1*,
        ``grad * conj(value * tensor1)`` for *tensor2*.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0])
    >>> cr.addcmul(x, x, x, value=10)
    tensor([11., 42.])
    """


addcmul.vjp(
    self=lambda grad: grad,
    tensor1=lambda grad, tensor2, value: grad * conj(tensor2 * value),
    tensor2=lambda grad, tensor1, value: grad * conj(tensor1 * value),
)


@primitive(promote="arithmetic")
def addcdiv(self: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """Return ``self + value * tensor1 / tensor2``, broadcasting.

    Raises:
        RuntimeError: *tensor1* and *tensor2* are both integers.

    Gradient:
        ``grad`` for *self*, ``grad * conj(value / tensor2)`` for *tensor1*,
        ``-grad * conj(value * tensor1 / tensor2 ** 2)`` for *tensor2*.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0])
    >>> cr.addcdiv(x, x, cr.tensor([2.0, 4.0]), value=10)
    tensor([6., 7.])
    """


addcdiv.vjp(
    self=lambda grad: grad,
    tensor1=lambda grad, tensor2, value: grad * conj(value / tensor2),
    tensor2=lambda grad, tensor1, tensor2, value: (
        -grad * conj(tensor1 * value / (tensor2 * tensor2))
    ),
)


@addcdiv.checks
def _check_quotient(self: Tensor, tensor1: Tensor, tensor2: Tensor, value: Number) -> None:
    if max(category(tensor1), category(tensor2)) <= INTEGER:
        msg = (
            "Integer division with addcdiv is no longer supported, and in a future  release "
            "addcdiv will perform a true division of tensor1 and tensor2. The historic addcdiv "
            "behavior can be implemented as (input + value * torch.trunc(tensor1 / tensor2))."
            "to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) for "
            "float inputs. The future addcdiv behavior is just the latter implementation: "
            "(input + value * tensor1 / tensor2), for all dtypes.\n"
            "addcdiv: expected floating tensor1 or tensor2. Convert one with .to(...)."
        )
        raise DTypeError(msg)


@primitive(nodes={"weight:Number": "LerpBackward0", "": "LerpBackward1"}, dtype="same")
def lerp(self: Tensor, end: Tensor, weight: Tensor | Number) -> Tensor:
    """Return the point between *self* and *end*: ``self + weight * (end - self)``, broadcasting.

    Args:
        self: ``(*)``, floating or complex.
        end: ``(*)`` of the dtype of *self*.
        weight: 0 gives *self*, 1 gives *end*, both exactly; a tensor of the same dtype or a number.

    Returns:
        The broadcast shape, dtype of *self*.

    Raises:
        RuntimeError: the dtypes differ, or the shapes do not broadcast.

    Gradient:
        ``grad * conj(1 - weight)`` for *self*, ``grad * conj(weight)`` for *end*,
        ``grad * conj(end - self)`` for *weight*.

    >>> import chainrule as cr
    >>> cr.lerp(cr.tensor([0.0, 10.0]), cr.tensor([10.0, 20.0]), 0.25)
    tensor([ 2.5000, 12.5000])
    """


lerp.vjp(
    self=lambda grad, weight: grad * conj(1 - weight),
    end=lambda grad, weight: grad * conj(weight),
    weight=lambda grad, self, end: grad * conj(end - self),
)


@lerp.checks
def _check_ends(self: Tensor, end: Tensor, weight: Tensor | Number) -> None:
    for name, operand in (("end", end), ("weight", weight)):
        if isinstance(operand, Value) and operand._key.dtype is not self._key.dtype:
            expected, found = self._key.dtype, operand._key.dtype
            msg = (
                f"expected dtype {C_NAMES[expected.name]} for `{name}` "
                f"but got dtype {C_NAMES[found.name]}\n"
                f"lerp: expected {expected}, got {name} of {found}. Convert it with .to(...)."
            )
            raise DTypeError(msg)
    tensors = [operand for operand in (self, end, weight) if isinstance(operand, Value)]
    if not self._key.floating:
        kind = "scalar" if len(tensors) == 2 else "tensor"
        raise refusal("lerp", f"lerp_kernel_{kind}", self._key.dtype)
    check_broadcast("lerp", *tensors)


true_divide, divide, multiply, subtract = div, div, mul, sub
