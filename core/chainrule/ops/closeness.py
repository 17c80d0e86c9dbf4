"""Whether two tensors are equal, or nearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dtypes import INTEGER
from ..errors import DTypeError
from ..op import composite
from .comparison import eq, isfinite, isnan, le, logical_and, logical_or
from .counting import all
from .pointwise import abs

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["allclose", "equal", "isclose"]


@composite(dtype="bool")
def isclose(
    self: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> Tensor:
    """Return where *self* is near *other*: ``|self - other| <= atol + rtol * |other|``.

    Args:
        self: ``(*)``, any dtype.
        other: ``(*)`` that broadcasts with *self*, of the same dtype.
        rtol: The tolerance relative to *other*.
        atol: The absolute tolerance.
        equal_nan: Whether NaN is near NaN.

    Returns:
        The broadcast shape, bool.

    Raises:
        RuntimeError: the dtypes differ, or a tolerance is negative.

    >>> import chainrule as cr
    >>> cr.isclose(cr.tensor([1.0, 2.0]), cr.tensor([1.0 + 1e-7, 2.1]))
    tensor([ True, False])
    """
    close = eq(self, other)
    if equal_nan and self._key.floating:
        close = logical_or(close, logical_and(isnan(self), isnan(other)))
    if rtol == 0 and atol == 0:
        return close
    if self._key.category <= INTEGER:
        self, other = self.double(), other.double()
    distance = abs(self - other)
    near = logical_and(isfinite(distance), le(distance, abs(other * rtol) + atol))
    return logical_or(close, near)


isclose.vjp(self=None, other=None)


@isclose.checks
def _check_tolerances(
    self: Tensor, other: Tensor, rtol: float, atol: float, equal_nan: bool
) -> None:
    first, second = self._key.dtype, other._key.dtype
    if first is not second:
        msg = (
            f"{first.scalar_name} did not match {second.scalar_name}\n"
            f"isclose: expected one dtype, got {first} and {second}. Convert one with .to(...)."
        )
        raise DTypeError(msg)
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            msg = (
                f"{name} must be greater than or equal to zero, but got {tolerance:g}\n"
                "isclose: a distance is never below a negative tolerance."
            )
            raise DTypeError(msg)


def allclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    """Return whether all elements of *input* are near those of *other*. See `isclose`.

    >>> import chainrule as cr
    >>> cr.allclose(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 2.0 + 1e-7]))
    True
    """
    return bool(all(isclose(input, other, rtol, atol, equal_nan)).item())


def equal(input: Tensor, other: Tensor) -> bool:
    """Return whether *input* and *other* have one shape and equal elements.

    >>> import chainrule as cr
    >>> cr.equal(cr.tensor([1, 2]), cr.tensor([1, 2])), cr.equal(cr.ones(2), cr.ones(3))
    (True, False)
    """
    if input._array.shape != other._array.shape:
        return False
    return bool(all(eq(input, other)).item())
