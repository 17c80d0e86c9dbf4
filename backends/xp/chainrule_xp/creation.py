"""Kernels of chainrule/ops/creation_ranges.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

from .streams_float import fused_multiply_add

ks = KernelSet("xp")


@ks.family("cr::_between")
def between(xp: Any) -> Any:
    """Count from the nearer end, each step rounded once, as PyTorch does."""

    def spaced(places: Any, start: float, end: float, number: Any) -> Any:
        count = places.shape[0]
        first, last = number(start), number(end)
        step = (last - first) / number(max(count - 1, 1))
        left, right = places.astype(number), (count - 1 - places).astype(number)
        if number is xp.float16:  # every operation is rounded
            rising, falling = first + step * left, last - step * right
        else:
            rising = fused_multiply_add(xp, left, float(step), float(first))
            falling = fused_multiply_add(xp, right, -float(step), float(last))
        return xp.where(places < count // 2, rising, falling)

    def kernel(places: Any, *, start: Any, end: Any, dtype: Any, base: Any = None) -> Any:
        if dtype.is_complex:
            number = xp.float64 if dtype.name == "complex128" else xp.float32
            start, end = complex(start), complex(end)
            values = spaced(places, start.real, end.real, number).astype(dtype.name)
            values.imag = spaced(places, start.imag, end.imag, number)
        else:
            names = {"float16": xp.float16, "float32": xp.float32}
            number = xp.float64 if base is not None else names.get(dtype.name, xp.float64)
            values = spaced(places, start, end, number)
        if base is not None:
            values = xp.power(base, values)
        return values.astype(dtype.name)

    return kernel
