"""Kernels of chainrule/ops/shape.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::_view")
def view(xp: Any) -> Any:
    def kernel(x: Any, *, size: tuple[int, ...]) -> Any:
        return x.reshape(size)

    return kernel


@ks.family("cr::_expand")
def expand(xp: Any) -> Any:
    def kernel(x: Any, *, size: tuple[int, ...]) -> Any:
        return xp.broadcast_to(x, size)

    return kernel


@ks.family("cr::unsqueeze")
def unsqueeze(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int) -> Any:
        return xp.expand_dims(x, dim)

    return kernel


@ks.family("cr::t")
def t(xp: Any) -> Any:
    return xp.transpose
