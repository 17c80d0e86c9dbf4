"""Floating-point steps that round where PyTorch's do, from operations that every library has.

PyTorch's kernels are compiled with fused multiply-add: ``a b + c`` is rounded once. An array
library offers products and sums only, each rounded, so one rounding has to be composed of several
exact steps. A float32 product is exact in float64, which makes float32 easy and float64 longer.

All of it is plain IEEE arithmetic: NumPy, CuPy and a CUDA kernel with ``__fmaf_rn`` give the same
bits.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from typing import Any, Final

from chainrule.backend import Array

#: Elements that NumPy works on at a time: the temporaries of one block stay in the cache.
BLOCK: Final = 1 << 15
#: Veltkamp's constant: multiplying by it splits a float64 into two halves of 26 bits.
SPLITTER: Final = 2.0**27 + 1.0
#: The bits of a float64 that float32 has no room for, and their value halfway between two float32.
BEYOND_FLOAT32: Final = (1 << 29) - 1
HALFWAY: Final = 1 << 28


def rounded_to_float32(*values: float) -> tuple[float, ...]:
    """Return *values* rounded to float32.

    >>> rounded_to_float32(0.1)
    (0.10000000149011612,)
    """
    layout = f"{len(values)}f"
    return struct.unpack(layout, struct.pack(layout, *values))


# The coefficients of cephes' single-precision logf, sinf and cosf, highest power first.
LOG: Final = rounded_to_float32(
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
SINE: Final = rounded_to_float32(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
COSINE: Final = rounded_to_float32(
    2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2
)
# log(2) and pi/2, split so that multiples of the leading parts are exact.
LOG_2_HIGH, LOG_2_LOW = rounded_to_float32(0.693359375, -2.12194440e-4)
HALF_PI_HIGH: Final = 2.0 * (0.78515625 + 2.4187564849853515625e-4)
HALF_PI_LOW: Final = 2.0 * rounded_to_float32(3.77489497744594108e-8)[0]
FOUR_OVER_PI, TWO_PI = rounded_to_float32(1.27323954473516, 6.283185307179586)
SQRT_HALF_BITS: Final = 0x3F3504F3


def quiet(xp: Any) -> contextlib.AbstractContextManager[Any]:
    """Return a context in which NumPy, the one library that would, does not warn of overflow."""
    return xp.errstate(all="ignore") if hasattr(xp, "errstate") else contextlib.nullcontext()


def blocks(xp: Any, size: int) -> Iterator[slice]:
    """Yield slices that cover *size* elements: blocks in host memory, one slice on a device."""
    length = BLOCK if xp.__name__ == "numpy" else max(size, 1)
    for start in range(0, size, length):
        yield slice(start, min(start + length, size))


def perhaps_any(xp: Any, condition: Array) -> bool:
    """Return whether any is true; a device is not waited for, and the answer is that it may be."""
    return xp.__name__ != "numpy" or bool(condition.any())


# ---- one rounding for a multiplication and an addition


def fused_multiply_add(xp: Any, a: Array, b: float, c: float) -> Array:
    """Return ``a * b + c``, rounded once.

    Args:
        xp: The array namespace.
        a: An array of dtype ``float32`` or ``float64``, which decides where the result is rounded.
        b: A number, taken as rounded to that dtype.
        c: Likewise.

    Returns:
        An array of the shape and dtype of *a*.

    Source:
        S. Boldo and G. Melquiond (2008), Emulation of a FMA and correctly rounded sums: proved
        algorithms using rounding to odd, IEEE Transactions on Computers 57(4).

    >>> import numpy
    >>> third = numpy.array([1.0 / 3.0])
    >>> fused_multiply_add(numpy, third, 3.0, -1.0)
    array([-5.55111512e-17])
    """
    if c == 0.0 or b == 1.0:  # one of the two steps is exact
        return a * b + c
    fused = _fused_float32 if a.dtype == xp.float32 else _fused_float64
    result = xp.empty_like(a)
    with quiet(xp):
        for block in blocks(xp, len(a)):
            result[block] = fused(xp, a[block], b, c)
    return result


def _fused_float32(xp: Any, a: Array, b: float, c: float) -> Array:
    b, c = rounded_to_float32(b, c)
    product = a.astype(xp.float64) * b
    total = product + c
    # Rounding twice, to float64 and then to float32, errs only if the first comes out halfway.
    if perhaps_any(xp, (total.view(xp.int64) & BEYOND_FLOAT32) == HALFWAY):
        total = _sum_rounded_to_odd(xp, product, c)
    return total.astype(xp.float32)


def _fused_float64(xp: Any, a: Array, b: float, c: float) -> Array:
    product, product_rest = _exact_product(a, b)
    low, low_rest = _exact_sum(product_rest, c)
    high, high_rest = _exact_sum(product, low)
    fused = high + _sum_rounded_to_odd(xp, low_rest, high_rest)
    return xp.where(xp.isfinite(fused), fused, a * b + c)


def _exact_sum(a: Array, b: Array | float) -> tuple[Array, Array]:
    """Return the rounded sum and what rounding took away (Knuth's two-sum)."""
    total = a + b
    taken = total - a
    return total, (a - (total - taken)) + (b - taken)


def _exact_product(a: Array, b: float) -> tuple[Array, Array]:
    """Return the rounded product and what rounding took away (Dekker's two-product)."""
    product = a * b
    a_high = a * SPLITTER - (a * SPLITTER - a)
    b_high = b * SPLITTER - (b * SPLITTER - b)
    a_low, b_low = a - a_high, b - b_high
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _sum_rounded_to_odd(xp: Any, a: Array, b: Array | float) -> Array:
    """Return ``a + b``, or of the two float64 around it the one whose last bit is set."""
    total, rest = _exact_sum(a, b)
    even = (total.view(xp.int64) & 1) == 0
    return xp.where(even & (rest != 0), xp.nextafter(total, xp.copysign(xp.inf, rest)), total)


# ---- the normal distribution in float32


def box_muller(xp: Any, distance: Array, turn: Array) -> tuple[Array, Array]:
    """Return two arrays of independent standard normal numbers, in float32.

    ``sqrt(-2 log(1 - distance))`` is how far from the origin a point of the plane falls, and
    ``turn`` is its direction; its two coordinates are the result, the cosine's first.

    Args:
        xp: The array namespace.
        distance: Uniform numbers in ``[0, 1)``, multiples of ``2^-24``, ``float32``.
        turn: Likewise, of the same shape.

    Returns:
        Two arrays of that shape, ``float32``.

    Source:
        G. E. P. Box and M. E. Muller (1958), A note on the generation of random normal deviates,
        Annals of Mathematical Statistics 29(2). Logarithm, sine and cosine are the polynomials of
        S. L. Moshier's cephes library (logf, sinf, cosf), which PyTorch's vector code evaluates.
    """
    radius = xp.sqrt(log_float32(xp, 1.0 - distance) * -2.0)
    sine, cosine = sine_and_cosine_float32(xp, turn * TWO_PI)
    return radius * cosine, radius * sine


def log_float32(xp: Any, x: Array) -> Array:
    """Return the logarithm of *x*, ``float32`` in ``(0, 1]``."""
    bits = x.view(xp.int32)
    exponent = (bits - SQRT_HALF_BITS) >> 23
    t = (bits - (exponent << 23)).view(xp.float32) - 1.0  # sqrt(1/2) <= t + 1 < sqrt(2)
    square, power = t * t, exponent.astype(xp.float32)
    rest = (_horner(xp, t, LOG) * t).astype(xp.float64)
    rest *= square
    rest += power * LOG_2_LOW
    return (t + (rest.astype(xp.float32) - square * 0.5)) + power * LOG_2_HIGH


def sine_and_cosine_float32(xp: Any, angle: Array) -> tuple[Array, Array]:
    """Return sine and cosine of *angle*, ``float32`` in ``[0, 2 pi]``."""
    quarters = ((angle * FOUR_OVER_PI).astype(xp.int32) + 1) >> 1  # the nearest
    turned = quarters.astype(xp.float64)
    wide = angle.astype(xp.float64)
    wide -= turned * HALF_PI_HIGH
    wide -= turned * HALF_PI_LOW
    t = wide.astype(xp.float32)
    square = t * t
    sine = (_horner(xp, square, SINE) * square).astype(xp.float64)
    sine *= t
    sine += t
    cosine = (_horner(xp, square, COSINE) * square).astype(xp.float64)
    cosine *= square
    cosine -= square * 0.5
    return _turned(xp, sine.astype(xp.float32), cosine.astype(xp.float32) + 1.0, quarters)


def _turned(xp: Any, sine: Array, cosine: Array, quarters: Array) -> tuple[Array, Array]:
    """Return sine and cosine of an angle larger by *quarters* of a turn."""
    # On the bits, because `where` takes longer than a polynomial.
    sine, cosine = sine.view(xp.int32), cosine.view(xp.int32)
    exchanged = (sine ^ cosine) & -(quarters & 1)
    sine = sine ^ exchanged ^ ((quarters & 2) << 30)
    cosine = cosine ^ exchanged ^ (((quarters + 1) & 2) << 30)
    return sine.view(xp.float32), cosine.view(xp.float32)


def _horner(xp: Any, t: Array, coefficients: tuple[float, ...]) -> Array:
    """Return the polynomial in *t*, highest power first, each step rounded once to float32."""
    # Note [Rounding twice]: a step is summed in float64 and then cast, which may round a tie the
    # wrong way. Over all 2^24 arguments that a uniform number can give here, none does.
    wide = t.astype(xp.float64)
    total = wide * coefficients[0]
    total += coefficients[1]
    for coefficient in coefficients[2:]:
        total = total.astype(xp.float32).astype(xp.float64)
        total *= wide
        total += coefficient
    return total.astype(xp.float32)
