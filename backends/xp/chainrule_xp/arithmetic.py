"""Kernels of chainrule/ops/arithmetic.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet
from chainrule.errors import DomainError

ks = KernelSet("xp")


def dtype_of(x: Any, y: Any) -> Any:
    """Return the dtype of two operands, of which one may be a Python number."""
    return x.dtype if hasattr(x, "dtype") else y.dtype


def scaled(xp: Any, y: Any, factor: Any) -> Any:
    """Return ``factor * y`` in the dtype of *y*; integers and bools wrap around."""
    if factor == 1:
        return y
    if hasattr(y, "dtype") and y.dtype.kind in "biu":
        factor = xp.asarray(factor).astype(y.dtype)
    return y * factor


def refuse_zero(xp: Any, divisor: Any) -> None:
    """Raise if an integer is to be divided by zero, for which there is no integer to return."""
    has_zero = not (xp.all(divisor).item() if hasattr(divisor, "dtype") else divisor)
    if has_zero:
        msg = (
            "ZeroDivisionError\n"
            "integer division: the divisor has a zero. Convert to a floating dtype for inf."
        )
        raise DomainError(msg)


@ks.family("cr::add")
def add(xp: Any) -> Any:
    plain = xp.add

    def kernel(x: Any, y: Any, *, alpha: Any = 1) -> Any:
        return plain(x, y) if alpha == 1 else plain(x, scaled(xp, y, alpha))

    return kernel


@ks.family("cr::sub")
def sub(xp: Any) -> Any:
    plain = xp.subtract

    def kernel(x: Any, y: Any, *, alpha: Any = 1) -> Any:
        return plain(x, y) if alpha == 1 else plain(x, scaled(xp, y, alpha))

    return kernel


@ks.family("cr::rsub")
def rsub(xp: Any) -> Any:
    plain = xp.subtract

    def kernel(x: Any, y: Any, *, alpha: Any = 1) -> Any:
        return plain(y, x) if alpha == 1 else plain(y, scaled(xp, x, alpha))

    return kernel


@ks.family("cr::mul")
def mul(xp: Any) -> Any:
    return xp.multiply


@ks.family("cr::div")
def div(xp: Any) -> Any:
    return division(xp.true_divide, floor_divide(xp), unless_zero(xp, truncated_quotient(xp)))


def division(true: Any, floor: Any, trunc: Any) -> Any:
    """Return the kernel that divides in one of three ways."""

    def kernel(x: Any, y: Any, *, rounding_mode: str | None = None) -> Any:
        if rounding_mode is None:
            return true(x, y)
        return floor(x, y) if rounding_mode == "floor" else trunc(x, y)

    return kernel


def truncated_quotient(xp: Any) -> Any:
    """Return the kernel of division towards zero, whatever the divisor."""

    def kernel(x: Any, y: Any) -> Any:
        if dtype_of(x, y).kind not in "iu":
            return xp.trunc(xp.true_divide(x, y))
        floor = xp.floor_divide(x, y)
        rounded_down = (floor * y != x) & (xp.less(x, 0) != xp.less(y, 0))
        return floor + rounded_down

    return kernel


@ks.family("cr::floor_divide")
def floor_divide(xp: Any) -> Any:
    return unless_zero(xp, xp.floor_divide)


@ks.family("cr::remainder")
def remainder(xp: Any) -> Any:
    return unless_zero(xp, xp.remainder)


@ks.family("cr::fmod")
def fmod(xp: Any) -> Any:
    return unless_zero(xp, xp.fmod)


def unless_zero(xp: Any, plain: Any) -> Any:
    """Return *plain* as a kernel that refuses to divide integers by zero."""

    def kernel(x: Any, y: Any) -> Any:
        if dtype_of(x, y).kind in "iu":
            refuse_zero(xp, y)
        return plain(x, y)

    return kernel


@ks.family("cr::addcmul")
def addcmul(xp: Any) -> Any:
    def kernel(x: Any, first: Any, second: Any, *, value: Any = 1) -> Any:
        return x + scaled(xp, first * second, value)

    return kernel


@ks.family("cr::addcdiv")
def addcdiv(xp: Any) -> Any:
    def kernel(x: Any, first: Any, second: Any, *, value: Any = 1) -> Any:
        return x + scaled(xp, first / second, value)

    return kernel


@ks.family("cr::lerp")
def lerp(xp: Any) -> Any:
    # From the nearer end, so that weight 0 gives x and weight 1 gives end to the last bit.
    def kernel(x: Any, end: Any, weight: Any) -> Any:
        way = end - x
        if hasattr(weight, "dtype"):
            return xp.where(xp.abs(weight) < 0.5, x + weight * way, end - way * (1 - weight))
        return x + weight * way if abs(weight) < 0.5 else end - way * (1 - weight)

    return kernel
