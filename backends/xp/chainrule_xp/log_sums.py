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


def _complex_logaddexp(xp: Any, x: Any, y: Any) -> Any:
    """Return log(exp(x) + exp(y)) for complex numbers: the one of larger real part is taken out."""
    first = x.real >= y.real
    large, small = xp.where(first, x, y), xp.where(first, y, x)
    alike = xp.isinf(large.real) & (small.real == large.real)  # ∞ - ∞ would be NaN
    usual = large + xp.log1p(xp.exp(small - xp.where(alike, 0, large)))
    nothing = alike & (large.real < 0)  # log(0 + 0), whatever the angles
    sums = xp.log(xp.exp(small) + xp.exp(large)) if alike.any() else usual
    return xp.where(nothing, small, xp.where(alike, sums, usual))


def _complex_logcumsumexp(xp: Any, x: Any, axis: int) -> Any:
    """Return the running sum one by one: the order decides by how many turns an angle is off."""
    out = xp.moveaxis(xp.array(x, copy=True), axis, 0)
    for i in range(1, out.shape[0]):
        out[i] = _complex_logaddexp(xp, out[i], out[i - 1])
    return xp.moveaxis(out, 0, axis)


@ks.family("cr::_logcumsumexp")
def logcumsumexp(xp: Any) -> Any:
    def kernel(x: Any, *, dim: int) -> Any:
        if not x.ndim:
            return x.copy()
        if x.dtype.kind == "c":
            return _complex_logcumsumexp(xp, x, dim)
        return scan(xp, xp.logaddexp, x, dim)

    return kernel
