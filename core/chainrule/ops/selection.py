"""Choosing between two values, element by element: by a mask, or by size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes
from .._warn import warn
from ..dtypes import category_of_number
from ..errors import ArgumentError, DTypeError, ShapeError
from ..op import Op, composite, primitive
from ..value import Value, new_value
from ._operands import C_NAMES, check_broadcast, into
from .comparison import eq, ge, isnan, le, logical_or, lt
from .creation_values import fit_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..backend import DispatchKey
    from ..tensor import Number, Tensor

__all__ = ["fmax", "fmin", "masked_fill", "maximum", "minimum", "where"]


class _Where(Op[Any, Any]):
    """The op of `where`: its condition takes no part in type promotion."""

    def _promoted(
        self, tensors: list[Any], values: list[Value], key: DispatchKey, bound: Sequence[Any]
    ) -> tuple[list[Any], DispatchKey | None]:
        mask, first, second = tensors[0]._array, tensors[1], tensors[2]
        if isinstance(first, Value) and isinstance(second, Value) and first._key is second._key:
            return [mask, first._array, second._array], first._key  # nothing to promote
        arrays, result = super()._promoted(tensors[1:], values[1:], key, bound)
        return [mask, *arrays], result


def _chooses(function: Any) -> Any:
    return _Where(function, kind="primitive", promote="arithmetic")


@_chooses
def _where(condition: Tensor, self: Tensor, other: Tensor) -> Tensor:
    """Return the elements of *self* where *condition* holds, else those of *other*."""


_where.vjp(
    condition=None,
    self=lambda grad, condition: where(condition, grad, 0),
    other=lambda grad, condition: where(condition, 0, grad),
)


def where(
    condition: Tensor,
    input: Tensor | Number | None = None,
    other: Tensor | Number | None = None,
    *,
    out: Tensor | None = None,
) -> Any:
    """Return *input* where *condition* holds, else *other*; alone, the places where it holds.

    Args:
        condition: ``(*)``, bool.
        input: ``(*)`` that broadcasts with the two others, or a Python number.
        other: ``(*)`` that broadcasts with the two others, or a Python number.
        out: Where to write the result.

    Returns:
        The broadcast shape, in the promoted dtype of *input* and *other*. For *condition* alone,
        ``nonzero(condition, as_tuple=True)``.

    Raises:
        RuntimeError: *condition* is not bool, or the shapes do not broadcast.

    Gradient:
        ``grad`` where the element was chosen, else 0. A NaN in what was not chosen stays a NaN
        in gradients before it: ``0 * inf``.

    >>> import chainrule as cr
    >>> x = cr.tensor([-1.0, 2.0])
    >>> cr.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if input is None and other is None:
        return _places(condition)
    if input is None or other is None or not isinstance(condition, Value):
        got = ", ".join(type(a).__name__ for a in (condition, input, other) if a is not None)
        msg = (
            f"where() received an invalid combination of arguments - got ({got}), "
            "but expected one of:\n"
            " * (Tensor condition)\n"
            " * (Tensor condition, Tensor input, Tensor other, *, Tensor out = None)"
        )
        raise ArgumentError(msg)
    condition = _as_mask(condition)
    if not isinstance(input, Value) and not isinstance(other, Value):
        input = _number_beside(condition, input, other)
    return into(out, _where, condition, input, other)


def _number_beside(condition: Tensor, number: Number, other: Number) -> Tensor:
    """Return *number* as a tensor of the dtype that it and *other* have together."""
    dtype = dtypes.default_promotion([], [], [category_of_number(n) for n in (number, other)])
    key = condition._key.of(dtype)
    return new_value(key.backend.full((), number, dtype, key.device), key)  # type: ignore[no-any-return]  # the result class is Tensor


def _places(condition: Tensor) -> tuple[Tensor, ...]:
    from .indexing import nonzero

    return nonzero(condition, as_tuple=True)  # type: ignore[no-any-return]  # an op's result


def _as_mask(condition: Tensor) -> Tensor:
    dtype = condition._key.dtype
    if dtype is dtypes.bool_:
        return condition
    if dtype is dtypes.uint8:
        warn(
            "where received a uint8 condition tensor. This behavior is deprecated and will be "
            "removed in a future version of PyTorch. Use a boolean condition instead.",
            UserWarning,
            stacklevel=3,
        )
        return condition.to(dtypes.bool_)
    msg = (
        "where expected condition to be a boolean tensor, but got a tensor with dtype "
        f"{dtype.scalar_name}\nwhere: compare first, as in where(x > 0, ...)."
    )
    raise DTypeError(msg)


@primitive(nodes={"value:Number": "MaskedFillBackward0", "": "MaskedFillBackward1"}, dtype="same")
def masked_fill(self: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """Return *self* with *value* where *mask* holds, broadcasting.

    Args:
        self: ``(*)``, any dtype, which stays.
        mask: ``(*)`` that broadcasts with *self*, bool.
        value: A number, or a 0-d tensor.

    Returns:
        The broadcast shape, dtype of *self*.

    Raises:
        RuntimeError: *mask* is not bool; *value* has dimensions, or does not fit the dtype.

    Gradient:
        ``grad`` where *mask* does not hold, else 0, for *self*; the sum of ``grad`` where it does
        for *value*.

    >>> import chainrule as cr
    >>> cr.masked_fill(cr.tensor([1.0, 2.0]), cr.tensor([True, False]), -9)
    tensor([-9.,  2.])
    """


masked_fill.vjp(
    self=lambda grad, mask: masked_fill(grad, mask, 0),
    mask=None,
    value=lambda grad, mask: where(mask, grad, 0),
)


@masked_fill.checks
def _check_fill(self: Tensor, mask: Tensor, value: Tensor | Number) -> None:
    dtype, of_mask = self._key.dtype, mask._key.dtype
    if of_mask is not dtypes.bool_:
        msg = (
            "masked_fill_ only supports boolean masks, but got mask with dtype "
            f"{C_NAMES[of_mask.name]}\nmasked_fill: compare first, or convert with .to(torch.bool)."
        )
        raise DTypeError(msg)
    check_broadcast("masked_fill", mask, self)
    if isinstance(value, Value):
        if value._array.shape != ():
            msg = (
                "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                f"{len(value._array.shape)} dimension(s).\n"
                "masked_fill: use where() for more values."
            )
            raise ShapeError(msg)
    else:
        fit_value(value, dtype)


@primitive(
    promote="arithmetic", refuses={"complex": "maximum not implemented for complex tensors."}
)
def maximum(self: Tensor, other: Tensor) -> Tensor:
    """Return the larger of two elements, broadcasting; NaN where one is NaN.

    Gradient:
        ``grad`` for the larger one; half of it for each where they are equal.

    Differs from PyTorch:
        *other* may be a Python number.

    >>> import chainrule as cr
    >>> cr.maximum(cr.tensor([1.0, 5.0]), cr.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """


@primitive(
    promote="arithmetic", refuses={"complex": "minimum not implemented for complex tensors."}
)
def minimum(self: Tensor, other: Tensor) -> Tensor:
    """Return the smaller of two elements, broadcasting; NaN where one is NaN.

    Gradient:
        ``grad`` for the smaller one; half of it for each where they are equal.

    Differs from PyTorch:
        *other* may be a Python number.

    >>> import chainrule as cr
    >>> cr.minimum(cr.tensor([1.0, 5.0]), cr.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """


@composite(dtype="same")
def maximum_backward(grad: Tensor, self: Tensor, other: Tensor) -> Tensor:
    """Return *grad* where *self* is the larger one, half of it where they are equal, else 0."""
    shared = where(eq(self, other), grad / 2, grad)
    return masked_fill(shared, lt(self, other), 0)


def _larger(grad: Tensor, self: Any, other: Any) -> Any:
    """Return `maximum_backward`, for a number in place of a tensor too."""
    if isinstance(other, Value) and isinstance(self, Value):
        return maximum_backward(grad, self, other)  # type: ignore[arg-type]  # two tensors
    return where(lt(self, other), 0, where(eq(self, other), grad / 2, grad))


# The smaller one is the one that the other is larger than.
maximum.vjp(
    self=lambda grad, self, other: _larger(grad, self, other),
    other=lambda grad, self, other: _larger(grad, other, self),
)
minimum.vjp(
    self=lambda grad, self, other: _larger(grad, other, self),
    other=lambda grad, self, other: _larger(grad, self, other),
)


@primitive(promote="arithmetic", refuses={"complex": "fmax not implemented for complex tensors."})
def fmax(self: Tensor, other: Tensor) -> Tensor:
    """Return the larger of two elements, broadcasting; NaN only where both are NaN.

    Gradient:
        ``grad`` for the one that was taken, *self* where they are equal.

    Differs from PyTorch:
        *other* may be a Python number.

    >>> import chainrule as cr
    >>> cr.fmax(cr.tensor([1.0, float("nan")]), cr.tensor([3.0, 2.0]))
    tensor([3., 2.])
    """


@primitive(promote="arithmetic", refuses={"complex": "fmin not implemented for complex tensors."})
def fmin(self: Tensor, other: Tensor) -> Tensor:
    """Return the smaller of two elements, broadcasting; NaN only where both are NaN.

    Gradient:
        ``grad`` for the one that was taken, *self* where they are equal.

    Differs from PyTorch:
        *other* may be a Python number.

    >>> import chainrule as cr
    >>> cr.fmin(cr.tensor([1.0, float("nan")]), cr.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """


fmax.vjp(
    self=lambda grad, self, other: where(logical_or(ge(self, other), isnan(other)), grad, 0),
    other=lambda grad, self, other: where(logical_or(ge(self, other), isnan(other)), 0, grad),
)
fmin.vjp(
    self=lambda grad, self, other: where(logical_or(le(self, other), isnan(other)), grad, 0),
    other=lambda grad, self, other: where(logical_or(le(self, other), isnan(other)), 0, grad),
)
