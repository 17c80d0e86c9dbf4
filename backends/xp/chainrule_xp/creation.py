"""Kernels of chainrule/ops/creation_ranges.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

from .streams_float import fused_multiply_add

ks = KernelSet("xp")


@ks.family("cr::_between")
def between(xp: Any) -> Any:
    """Count from the nearer end, each step rounded once, as PyTorch does."""

    def kernel(places: Any, *, start: Any, end: Any, dtype: Any, base: Any = None) -> Any:
        count = places.shape[0]
        if dtype.is_complex:
            values = start + (end - start) / max(count - 1, 1) * places
        else:
            number = xp.float32 if dtype.name == "float32" else xp.float64
            first, last = number(start), number(end)
            step = float((last - first) / number(max(count - 1, 1)))
            left, right = places.astype(number), (count - 1 - places).astype(number)
            rising = fused_multiply_add(xp, left, step, float(first))
            falling = fused_multiply_add(xp, right, -step, float(last))
            values = xp.where(places < count // 2, rising, falling)
        if base is not None:
            values = xp.power(base, values)
        return values.astype(dtype.name)

    return kernel
