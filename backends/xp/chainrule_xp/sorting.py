"""Kernels of chainrule/ops/sorting.py and searching.py."""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backend import KernelSet

from .slicing import at

ks = KernelSet("xp")


def order_of(xp: Any, x: Any, dim: int, *, descending: bool) -> Any:
    """Return the stable order of *x* along *dim*; NaN counts as the largest."""
    if not descending:
        return xp.argsort(x, axis=dim, kind="stable")
    # Turned round, sorted and turned round again, equal elements stand as they stood.
    back = at(x, dim, slice(None, None, -1))
    return x.shape[dim] - 1 - xp.argsort(x[back], axis=dim, kind="stable")[back]


@ks.family("cr::_argsort")
def argsort(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int, descending: bool) -> Any:
        if x.ndim == 0:
            return xp.zeros((), "int64")
        return xp.asarray(order_of(xp, x, dim, descending=descending), order="C")

    return kernel


def sort(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int, descending: bool) -> Any:
        if x.ndim == 0:
            return xp.array(x), xp.zeros((), "int64")
        order = xp.asarray(order_of(xp, x, dim, descending=descending), order="C")
        return xp.take_along_axis(x, order, dim), order

    return kernel


ks.family("cr::_sort")(sort)
ks.family("cr::_sort_stable")(sort)


@ks.family("cr::_topk")
def topk(xp: Any) -> Any:
    def kernel(x: Any, *, k: int, dim: int, largest: bool, sorted: bool) -> Any:
        if x.ndim == 0:
            return xp.array(x), xp.zeros((), "int64")
        size = x.shape[dim]
        if k and 8 * k < size:  # few of many: find them first, sort only them
            kept = slice(size - k, None) if largest else slice(k)
            found = xp.argpartition(x, size - k if largest else k - 1, dim)[at(x, dim, kept)]
            values = xp.take_along_axis(x, found, dim)
            order = order_of(xp, values, dim, descending=largest)
            order = xp.take_along_axis(found, order, dim)
        else:
            order = order_of(xp, x, dim, descending=largest)[at(x, dim, slice(k))]
        order = xp.asarray(order, order="C")
        return xp.take_along_axis(x, order, dim), order

    return kernel


# Distinct values


@ks.family("cr::_unique")
def unique(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        values, inverse, counts = xp.unique(
            x, return_inverse=True, return_counts=True, equal_nan=False
        )
        return values, inverse.reshape(x.shape), counts

    return kernel


@ks.family("cr::_unique_dim")
def unique_dim(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int) -> Any:
        values, inverse, counts = xp.unique(
            x, return_inverse=True, return_counts=True, axis=dim, equal_nan=False
        )
        return xp.asarray(values, order="C"), inverse.reshape(-1), counts

    return kernel


@ks.family("cr::_unique_consecutive")
def unique_consecutive(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int | None) -> Any:
        line = x.reshape(-1) if dim is None else xp.moveaxis(x, dim, 0)
        count = line.shape[0]
        differs = xp.ones(count, bool)
        if count:
            width = prod(line.shape[1:])
            differs[1:] = (line[1:] != line[:-1]).reshape(count - 1, width).any(1)
        starts = differs.nonzero()[0]
        ends = xp.concatenate([starts[1:], xp.full((1,) if count else (0,), count)])
        inverse = differs.astype("int64").cumsum() - 1
        kept = line[starts]
        if dim is None:
            return kept, inverse.reshape(x.shape), ends - starts
        return xp.asarray(xp.moveaxis(kept, 0, dim), order="C"), inverse, ends - starts

    return kernel


@ks.family("cr::_searchsorted")
def searchsorted(xp: Any) -> Any:
    """Look by halving, for all elements at once: as many rounds as the length has bits."""

    def kernel(order: Any, x: Any, *, right: bool) -> Any:
        if order.ndim == 1:
            return xp.searchsorted(order, x, side="right" if right else "left")
        low = xp.zeros(x.shape, "int64")
        high = xp.full(x.shape, order.shape[-1])
        for _ in range(order.shape[-1].bit_length()):
            middle = (low + high) // 2
            found = xp.take_along_axis(order, xp.minimum(middle, order.shape[-1] - 1), -1)
            behind = ~(found > x) if right else ~(found >= x)
            behind &= low < high
            low, high = xp.where(behind, middle + 1, low), xp.where(behind, high, middle)
        return low

    return kernel


@ks.family("cr::_bincount")
def bincount(xp: Any) -> Any:
    def kernel(x: Any, weights: Any = None, *, minlength: int = 0) -> Any:
        if weights is None:
            return xp.bincount(x, minlength=minlength)
        return xp.bincount(x, weights, minlength).astype(weights.dtype)

    return kernel


@ks.family("cr::_isin")
def isin(xp: Any) -> Any:
    return lambda x, among, *, invert=False: xp.isin(x, among, invert=invert)
