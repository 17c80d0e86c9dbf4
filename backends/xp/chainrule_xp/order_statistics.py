"""Kernels of chainrule/ops/order_statistics.py: everything by one stable sort, NaN last."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

from .cumulative import scan

ks = KernelSet("xp")


def _at_rank(xp: Any, x: Any, rank: Any, dim: int, keepdim: bool) -> Any:
    """Return the elements of *rank* (one, or one per slice) along *dim*, and where they stand."""
    if x.ndim == 0:
        return x.copy(), xp.zeros((), dtype="int64")
    order = xp.argsort(x, axis=dim, kind="stable")
    if isinstance(rank, int):
        indices = xp.take(order, xp.asarray([rank]), axis=dim)
    else:
        indices = xp.take_along_axis(order, rank, axis=dim)
    values = xp.take_along_axis(x, indices, axis=dim)
    return (values, indices) if keepdim else (xp.squeeze(values, dim), xp.squeeze(indices, dim))


def _middle(xp: Any, x: Any, dim: int, *, ignore_nan: bool) -> Any:
    """Return the rank of the lower median along *dim*; that of the first NaN, if one counts."""
    count = x.shape[dim] if x.ndim else 1
    if x.dtype.kind != "f" or x.ndim == 0:
        return (count - 1) // 2
    numbers = xp.sum(~xp.isnan(x), axis=dim, keepdims=True)
    if ignore_nan:
        return xp.maximum(numbers - 1, 0) // 2
    return xp.where(numbers == count, (count - 1) // 2, numbers)


@ks.family("cr::_median_dim")
def median_dim(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int, keepdim: bool = False) -> Any:
        return _at_rank(xp, x, _middle(xp, x, dim, ignore_nan=False), dim, keepdim)

    return kernel


@ks.family("cr::_nanmedian_dim")
def nanmedian_dim(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int, keepdim: bool = False) -> Any:
        return _at_rank(xp, x, _middle(xp, x, dim, ignore_nan=True), dim, keepdim)

    return kernel


@ks.family("cr::_median_all")
def median_all(xp: Any) -> Any:
    return _median_of_all(xp, ignore_nan=False)


@ks.family("cr::_nanmedian_all")
def nanmedian_all(xp: Any) -> Any:
    return _median_of_all(xp, ignore_nan=True)


def _median_of_all(xp: Any, *, ignore_nan: bool) -> Any:
    def kernel(x: Any) -> Any:
        if x.size == 0:
            return xp.full((), xp.nan if x.dtype.kind == "f" else xp.iinfo(x.dtype).min, x.dtype)
        flat = x.reshape(-1)
        rank = _middle(xp, flat, 0, ignore_nan=ignore_nan)
        return _at_rank(xp, flat, rank, 0, keepdim=False)[0]

    return kernel


@ks.family("cr::_kthvalue")
def kthvalue(xp: Any) -> Any:
    def kernel(x: Any, *, k: int, dim: int, keepdim: bool = False) -> Any:
        return _at_rank(xp, x, k - 1, dim, keepdim)

    return kernel


@ks.family("cr::_mode")
def mode(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int, keepdim: bool = False) -> Any:
        if x.ndim == 0:
            return x.copy(), xp.zeros((), dtype="int64")
        rows = xp.moveaxis(x, dim, -1)
        ordered = xp.sort(rows, axis=-1)
        # In sorted order equal elements are runs. The longest one's end is the wanted rank.
        place = xp.broadcast_to(xp.arange(rows.shape[-1]), rows.shape)
        before, after = ordered[..., :-1], ordered[..., 1:]
        changes = (before != after) & (before == before)  # noqa: PLR0124 - NaN, last, are one run
        starts = xp.concatenate([xp.ones_like(place[..., :1], dtype=bool), changes], axis=-1)
        start = scan(xp, xp.maximum, xp.where(starts, place, 0), -1)
        rank = xp.argmax(place - start, axis=-1, keepdims=True)
        return _at_rank(xp, x, xp.moveaxis(rank, -1, dim), dim, keepdim)

    return kernel
