"""What the special functions share: their factory, polynomials, and exp and log in two parts.

A special function is written once, for a flat float64 array, over a NumPy-like namespace ``xp``.
It evaluates every branch everywhere and picks with ``where``: it never indexes by a mask, so it
never waits for a device. An argument is clamped before a branch that it does not belong to, so no
branch overflows or divides by zero there.

A result that is to be right to its last bits is kept as a leading number and a small rest, and is
rounded once, when the two are added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from chainrule.backend import Array, Kernel

from .special_tables import EXP, LOG

#: Elements that NumPy works on at a time: the temporaries of one block stay in the cache.
BLOCK: Final = 1 << 15

LOG2_E: Final = 1.4426950408889634
# log(2) in two parts. The first ends in 20 zero bits: its products with the exponents of float64
# are exact.
LOG_2_HIGH: Final = float.fromhex("0x1.62e42fefp-1")
LOG_2_LOW: Final = float.fromhex("0x1.473de6af278edp-34")
SQRT_HALF: Final = 0.7071067811865476


def elementwise(function: Callable[..., Array]) -> Callable[[Any], Kernel]:
    """Return the family factory of *function*, which maps a flat float64 array to one.

    The kernel that the factory makes takes any shape and any floating dtype and keeps both; the
    result is computed in float64 and rounded once, to inf where the dtype is too narrow for it.
    Keywords pass through to *function*.
    """

    def factory(xp: Any) -> Kernel:
        def at_once(x: Array, **static: Any) -> Array:
            flat = x.reshape(-1).astype(xp.float64, copy=False)
            return function(xp, flat, **static).astype(x.dtype, copy=False).reshape(x.shape)

        def in_blocks(x: Array, **static: Any) -> Array:
            if x.size <= BLOCK:
                return at_once(x, **static)
            flat = x.reshape(-1)
            out = xp.empty(flat.shape, flat.dtype)
            for start in range(0, flat.size, BLOCK):
                block = slice(start, start + BLOCK)
                out[block] = function(xp, flat[block].astype(xp.float64, copy=False), **static)
            return out.reshape(x.shape)

        # Blocks pay where a loop is cheap and caches are small: on the host, not on a device.
        return in_blocks if xp.__name__ == "numpy" else at_once

    # Not functools.wraps: the factory's signature is its own.
    factory.__name__ = factory.__qualname__ = function.__name__
    factory.__module__, factory.__doc__ = function.__module__, function.__doc__
    return factory


def polynomial(t: Array, coefficients: Sequence[float]) -> Array:
    """Return the polynomial in *t*, lowest power first, by Horner's rule."""
    total = coefficients[-1] * t
    for coefficient in coefficients[-2:0:-1]:
        total += coefficient
        total *= t
    total += coefficients[0]
    return total


def halves(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return ``(s, x - s)`` where *s* has 24 bits, so that its square is exact."""
    s = x.astype(xp.float32).astype(xp.float64)
    return s, x - s


def exp_parts(xp: Any, high: Array, low: Any) -> tuple[Array, Array]:
    """Return ``(w, n)`` with ``exp(high + low) = (1 + w) 2^n`` and ``|w| < 0.42``.

    Args:
        xp: The array namespace.
        high: The exponent: finite, and below 800 in absolute value.
        low: A small correction to it, an array or a number.

    Returns:
        The fraction, right to about ``2^-54``, and the power of two as int32.

    Source:
        W. J. Cody and W. Waite (1980), Software Manual for the Elementary Functions, chapter 6:
        the reduction by a multiple of log(2) in two parts.
    """
    power = xp.rint(high * LOG2_E)
    first, second = high - power * LOG_2_HIGH, low - power * LOG_2_LOW
    r = first + second
    return first + (second + r * r * polynomial(r, EXP)), power.astype(xp.int32)


def log_parts(xp: Any, x: Array) -> tuple[Array, Array]:
    """Return ``(high, low)`` with ``log(x) = high + low`` to about ``2^-56``, for finite ``x > 0``.

    Source:
        The reduction to ``f = m - 1`` and ``s = f / (2 + f)`` is that of ``e_log.c``, Sun
        Microsystems (1993), fdlibm 5.3; the sum in two parts is T. J. Dekker's (1971), Numer.
        Math. 18, 224.
    """
    m, n = xp.frexp(x)
    below = m < SQRT_HALF
    f = xp.where(below, 2.0 * m, m) - 1.0
    n = n - below
    s = f / (2.0 + f)
    square = s * s
    first = n * LOG_2_HIGH
    sum_ = first + f
    rest = ((first - sum_) + f) + (n * LOG_2_LOW - s * (f - square * polynomial(square, LOG)))
    high = sum_ + rest
    return high, (sum_ - high) + rest
