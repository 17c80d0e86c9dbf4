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


@ks.family("cr::transpose")
def transpose(xp: Any) -> Any:
    def kernel(x: Any, *, dim0: int, dim1: int) -> Any:
        return xp.swapaxes(x, dim0, dim1) if x.ndim else x[()]

    return kernel


@ks.family("cr::_permute")
def permute(xp: Any) -> Any:
    def kernel(x: Any, *, dims: tuple[int, ...]) -> Any:
        return xp.transpose(x, dims)

    return kernel


@ks.family("cr::squeeze")
def squeeze(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int | None = None) -> Any:
        if dim is not None and x.shape[dim] != 1:
            return x[...]
        return xp.squeeze(x, axis=dim)

    return kernel
