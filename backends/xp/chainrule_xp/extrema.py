"""Kernels of chainrule/ops/extrema.py. A *dim* of () stands for all dimensions."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::_max_all")
def max_all(xp: Any) -> Any:
    return xp.max


@ks.family("cr::_min_all")
def min_all(xp: Any) -> Any:
    return xp.min


@ks.family("cr::_max_dim")
def max_dim(xp: Any) -> Any:
    return _selector(xp.max, xp.argmax)


@ks.family("cr::_min_dim")
def min_dim(xp: Any) -> Any:
    return _selector(xp.min, xp.argmin)


def _selector(extreme: Any, position: Any) -> Any:
    """Return the kernel of an extreme along one dimension, with its index."""

    def kernel(x: Any, *, dim: int, keepdim: bool = False) -> Any:
        axis = dim if x.ndim else None
        return extreme(x, axis=axis, keepdims=keepdim), position(x, axis=axis, keepdims=keepdim)

    return kernel


@ks.family("cr::_amax")
def amax(xp: Any) -> Any:
    return _over(xp.max)


@ks.family("cr::_amin")
def amin(xp: Any) -> Any:
    return _over(xp.min)


def _over(extreme: Any) -> Any:
    def kernel(x: Any, *, dim: Any = (), keepdim: bool = False) -> Any:
        return extreme(x, axis=dim or None, keepdims=keepdim)

    return kernel


@ks.family("cr::_aminmax")
def aminmax(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
        axis = dim if x.ndim else None
        return xp.min(x, axis=axis, keepdims=keepdim), xp.max(x, axis=axis, keepdims=keepdim)

    return kernel


@ks.family("cr::_argmax")
def argmax(xp: Any) -> Any:
    return _finder(xp.argmax)


@ks.family("cr::_argmin")
def argmin(xp: Any) -> Any:
    return _finder(xp.argmin)


def _finder(position: Any) -> Any:
    def kernel(x: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
        return position(x, axis=dim if x.ndim else None, keepdims=keepdim)

    return kernel
