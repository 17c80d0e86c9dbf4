"""Kernels of chainrule/ops/power.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet
from chainrule.errors import DomainError

from .arithmetic import dtype_of

ks = KernelSet("xp")

_NUMBERS = frozenset({bool, int, float, complex})


@ks.family("cr::pow")
def pow(xp: Any) -> Any:
    quick = {
        0: xp.ones_like,
        1: xp.positive,
        2: xp.square,
        3: lambda x: x * x * x,
        0.5: xp.sqrt,
        -0.5: lambda x: 1 / xp.sqrt(x),
        -1: xp.reciprocal,
        -2: lambda x: 1 / xp.square(x),
    }
    of_integers = integer_power(xp)

    def kernel(x: Any, exponent: Any) -> Any:
        if exponent.__class__ in _NUMBERS and exponent in quick and x.dtype.kind not in "iu":
            return quick[exponent](x)
        if dtype_of(x, exponent).kind in "iu":
            return of_integers(x, exponent)
        return xp.power(x, exponent)

    return kernel


def integer_power(xp: Any) -> Any:
    """Return the kernel for integers: a negative exponent leaves only 1 and -1 different from 0."""

    def kernel(x: Any, exponent: Any) -> Any:
        if not hasattr(exponent, "dtype"):
            if exponent < 0:
                msg = (
                    "Integers to negative integer powers are not allowed.\n"
                    f"pow: expected an exponent from 0 on, got {exponent}. Convert to floats first."
                )
                raise DomainError(msg)
            return xp.power(x, exponent)
        negative = exponent < 0
        if not xp.any(negative).item():
            return xp.power(x, exponent)
        dtype = exponent.dtype
        inverse = xp.equal(x, 1) + xp.equal(x, -1) * (1 - 2 * (exponent % 2))
        power = xp.power(x, xp.where(negative, 0, exponent))
        return xp.where(negative, inverse.astype(dtype), power)

    return kernel


@ks.family("cr::sqrt")
def sqrt(xp: Any) -> Any:
    return xp.sqrt


@ks.family("cr::rsqrt")
def rsqrt(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return 1 / xp.sqrt(x)

    return kernel


@ks.family("cr::reciprocal")
def reciprocal(xp: Any) -> Any:
    return xp.reciprocal
