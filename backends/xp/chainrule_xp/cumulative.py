"""Kernels of chainrule/ops/cumulative.py.

Array libraries for devices accumulate sums and products only. The others are scanned by doubling:
after step s each place holds the result of the last 2^s elements up to it, so that n elements take
log2(n) steps over the whole array.

Source:
    W. D. Hillis and G. L. Steele (1986), Data parallel algorithms.
"""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


def scan(xp: Any, combine: Any, x: Any, axis: int) -> Any:
    """Return the running result of the associative function *combine* along *axis*."""
    out = xp.moveaxis(xp.array(x, copy=True), axis, 0)
    shift = 1
    while shift < out.shape[0]:
        out[shift:] = combine(out[:-shift], out[shift:])
        shift *= 2
    return xp.moveaxis(out, 0, axis)


def running_extreme(xp: Any, x: Any, dim: int, accumulate: Any, latest: Any) -> Any:
    """Return running extremes and the index of the latest element that equals each.

    Args:
        xp: The array namespace.
        x: The array.
        dim: The axis to run along.
        accumulate: Gives the running extreme of an array along an axis.
        latest: Gives the running maximum of indices along an axis.
    """
    if x.ndim == 0:
        return x.copy(), xp.zeros((), dtype="int64")
    values = accumulate(x, dim)
    here = xp.arange(x.shape[dim]).reshape((-1,) + (1,) * (x.ndim - 1 - dim))
    hit = x == values
    if x.dtype.kind == "f":
        hit = hit | xp.isnan(x)
    return values, latest(xp.where(hit, here, 0), dim)


@ks.family("cr::_cumsum")
def cumsum(xp: Any) -> Any:
    return _accumulator(xp.cumsum)


@ks.family("cr::_cumprod")
def cumprod(xp: Any) -> Any:
    return _accumulator(xp.cumprod)


def _accumulator(accumulate: Any) -> Any:
    def kernel(x: Any, *, dim: int, dtype: Any = None) -> Any:
        name = x.dtype if dtype is None else dtype.name
        return accumulate(x, axis=dim, dtype=name) if x.ndim else x.astype(name)

    return kernel


@ks.family("cr::_cummax")
def cummax(xp: Any) -> Any:
    return _running(xp, xp.maximum)


@ks.family("cr::_cummin")
def cummin(xp: Any) -> Any:
    return _running(xp, xp.minimum)


def _running(xp: Any, extreme: Any) -> Any:
    def kernel(x: Any, *, dim: int) -> Any:
        return running_extreme(
            xp, x, dim,
            lambda a, axis: scan(xp, extreme, a, axis),
            lambda a, axis: scan(xp, xp.maximum, a, axis),
        )  # fmt: skip

    return kernel
