"""Kernels of chainrule/ops/log_sums.py. A *dim* of () stands for all dimensions."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

from .cumulative import scan

ks = KernelSet("xp")


@ks.family("cr::_logsumexp")
def logsumexp(xp: Any) -> Any:
    def kernel(x: Any, *, dim: Any = (), keepdim: bool = False) -> Any:
        axis = dim or None
        if x.size == 0:
            return xp.log(xp.sum(xp.exp(x), axis=axis, keepdims=keepdim))
        peak = xp.max(x.real, axis=axis, keepdims=True)
        peak = xp.where(xp.isinf(peak), peak.dtype.type(0), peak)  # ∞ - ∞ would be NaN
        log = xp.log(xp.sum(xp.exp(x - peak), axis=axis, keepdims=True)) + peak
        return log if keepdim else xp.squeeze(log, axis=axis)

    return kernel


@ks.family("cr::_logcumsumexp")
def logcumsumexp(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int) -> Any:
        return scan(xp, xp.logaddexp, x, dim) if x.ndim else x.copy()

    return kernel
