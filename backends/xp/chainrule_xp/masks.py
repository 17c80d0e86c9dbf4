"""Choosing between two arrays by a mask, without a branch per element where that pays.

NumPy's ``where`` decides element by element, and a processor that guesses wrong waits: on a random
mask it is ten times slower than on one with a pattern. Masked bits need no guess. A float is taken
as the integer of its bits; a mask times that integer is the float or zero, exactly, NaN and
infinity included. A device has no branch predictor to disappoint, so others use their ``where``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Below that many elements the calls cost more than the guesses.
SMALL: Final = 4096


def keep_where(xp: Any) -> Callable[[Any, Any], Any]:
    """Return a function of a mask and values: the values where the mask holds, else zero."""
    if xp.__name__ != "numpy":
        return lambda mask, values: xp.where(mask, values, 0)
    integers = _integers(xp)

    def keep(mask: Any, values: Any) -> Any:
        dtype = values.dtype
        bits = integers.get(dtype.itemsize)
        if bits is None:
            return xp.where(mask, values, 0)
        return xp.multiply(values.view(bits), mask).view(dtype)

    return keep


def pick_where(xp: Any) -> Callable[[Any, Any, Any], Any]:
    """Return ``where``: of a mask and two arrays of one dtype, or an array and a number."""
    if xp.__name__ != "numpy":
        return xp.where  # type: ignore[no-any-return]  # a namespace is opaque
    integers = _integers(xp)

    def pick(mask: Any, chosen: Any, other: Any) -> Any:
        dtype = chosen.dtype if hasattr(chosen, "dtype") else other.dtype
        bits = integers.get(dtype.itemsize)
        if mask.size < SMALL or bits is None:
            return xp.where(mask, chosen, other)
        first, second = (xp.asarray(item, dtype=dtype).view(bits) for item in (chosen, other))
        made = xp.multiply(first ^ second, mask)
        made ^= second
        return made.view(dtype)

    return pick


def _integers(xp: Any) -> dict[int, Any]:
    """Return the integer dtype for each size of an element."""
    return {2: xp.int16, 4: xp.int32, 8: xp.int64}
