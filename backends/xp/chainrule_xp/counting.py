"""Kernels of chainrule/ops/counting.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::_all")
def all(xp: Any) -> Any:
    return _tester(xp.all)


@ks.family("cr::_any")
def any(xp: Any) -> Any:
    return _tester(xp.any)


def _tester(test: Any) -> Any:
    def kernel(x: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
        found = test(x, axis=dim, keepdims=keepdim)
        return found.astype("uint8") if x.dtype == "uint8" else found

    return kernel


@ks.family("cr::_count_nonzero")
def count_nonzero(xp: Any) -> Any:
    def kernel(x: Any, *, dim: Any = ()) -> Any:
        return xp.sum(x != 0, axis=dim or None, dtype="int64")

    return kernel
