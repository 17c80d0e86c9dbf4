"""Kernels of chainrule/ops/indexing.py and assignment.py, and of `take` and `put`: places checked.

CuPy lets a place that is out of bounds wrap around; see `faults`. Masks are taken as they come.
"""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet
from chainrule_xp import gathering, indexing

from .gathering import check_places

ks = KernelSet("cupy")


def check_indices(shape: tuple[int, ...], indices: Any) -> None:
    """Have the device look at every index that is no mask; negative ones count from the end."""
    dim = 0
    for index in indices:
        if index is None:
            dim += 1
        elif index.dtype == bool:
            dim += index.ndim
        else:
            check_places(index, -shape[dim], shape[dim])
            dim += 1


@ks.family("cr::_index")
def index(xp: Any) -> Any:
    plain = indexing.index(xp)

    def kernel(x: Any, indices: Any) -> Any:
        check_indices(x.shape, indices)
        return plain(x, indices)

    return kernel


@ks.family("cr::_index_put")
def index_put(xp: Any) -> Any:
    plain = indexing.index_put(xp)

    def kernel(x: Any, indices: Any, values: Any, *, accumulate: bool) -> Any:
        check_indices(x.shape, indices)
        return plain(x, indices, values, accumulate=accumulate)

    return kernel


@ks.family("cr::_write_at_")
def write_at(xp: Any) -> Any:
    plain = indexing.write_at(xp)

    def kernel(
        targets: list[Any], values: list[Any], indices: list[Any], *, dims: tuple[int, ...],
        accumulate: bool,
    ) -> None:  # fmt: skip
        for dim, one in zip(dims, indices, strict=True):
            if one.dtype != bool:
                size = targets[0].shape[dim]
                check_places(one, -size, size)
        plain(targets, values, indices, dims=dims, accumulate=accumulate)

    return kernel


@ks.family("cr::_take")
def take(xp: Any) -> Any:
    plain = gathering.take(xp)

    def kernel(x: Any, index: Any) -> Any:
        check_places(index, -x.size, x.size)
        return plain(x, index)

    return kernel


@ks.family("cr::_put")
def put(xp: Any) -> Any:
    plain = gathering.put(xp)

    def kernel(x: Any, index: Any, source: Any, *, accumulate: bool) -> Any:
        check_places(index, -x.size, x.size)
        return plain(x, index, source, accumulate=accumulate)

    return kernel
