"""Kernels of chainrule/ops/selection.py and clamping.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

from .masks import keep_where, pick_where

ks = KernelSet("xp")


@ks.family("cr::_where")
def where(xp: Any) -> Any:
    keep, pick = keep_where(xp), pick_where(xp)

    def kernel(mask: Any, chosen: Any, other: Any) -> Any:
        if other.__class__ is int and other == 0:
            return keep(mask, chosen)
        if chosen.__class__ is int and chosen == 0:
            return keep(xp.logical_not(mask), other)
        return pick(mask, chosen, other)

    return kernel


@ks.family("cr::masked_fill")
def masked_fill(xp: Any) -> Any:
    keep, pick = keep_where(xp), pick_where(xp)

    def kernel(x: Any, mask: Any, value: Any) -> Any:
        if hasattr(value, "dtype"):
            return pick(mask, value.astype(x.dtype), x)
        if value.__class__ is int and value == 0:
            return keep(xp.logical_not(mask), x)
        if x.dtype.kind == "u":  # where a negative number wraps around
            return pick(mask, xp.asarray(value).astype(x.dtype), x)
        return pick(mask, x.dtype.type(value), x)  # which cuts off a fraction

    return kernel


@ks.family("cr::maximum")
def maximum(xp: Any) -> Any:
    return xp.maximum


@ks.family("cr::minimum")
def minimum(xp: Any) -> Any:
    return xp.minimum


@ks.family("cr::fmax")
def fmax(xp: Any) -> Any:
    return xp.fmax


@ks.family("cr::fmin")
def fmin(xp: Any) -> Any:
    return xp.fmin


@ks.family("cr::maximum_backward")
def maximum_backward(xp: Any) -> Any:
    keep, pick = keep_where(xp), pick_where(xp)

    def kernel(grad: Any, x: Any, y: Any) -> Any:
        shared = pick(x == y, grad * 0.5, grad)
        return keep(xp.logical_not(x < y), shared)

    return kernel


@ks.family("cr::clamp_backward")
def clamp_backward(xp: Any) -> Any:
    keep = keep_where(xp)

    def kernel(grad: Any, x: Any, *, min: Any = None, max: Any = None) -> Any:
        if min is None:
            return keep(x <= max, grad)
        return keep(x >= min if max is None else (x >= min) & (x <= max), grad)

    return kernel


@ks.family("cr::_clamp")
def clamp(xp: Any) -> Any:
    def kernel(x: Any, *, min: Any = None, max: Any = None) -> Any:
        if x.dtype.kind in "iu":
            min, max = within_range(xp, x.dtype, min), within_range(xp, x.dtype, max)
        if min is not None:
            x = xp.maximum(x, min)
        return x if max is None else xp.minimum(x, max)

    return kernel


def within_range(xp: Any, dtype: Any, bound: int | None) -> int | None:
    """Return *bound*, or the nearest number that *dtype* has: nothing lies beyond that."""
    if bound is None:
        return None
    info = xp.iinfo(dtype)
    return sorted((int(info.min), int(bound), int(info.max)))[1]


@ks.family("cr::_clamp_between")
def clamp_between(xp: Any) -> Any:
    def kernel(x: Any, min: Any, max: Any) -> Any:
        if min is not None:
            x = xp.maximum(x, min)
        return x if max is None else xp.minimum(x, max)

    return kernel


@ks.family("cr::clamp_min")
def clamp_min(xp: Any) -> Any:
    return xp.maximum


@ks.family("cr::clamp_max")
def clamp_max(xp: Any) -> Any:
    return xp.minimum
