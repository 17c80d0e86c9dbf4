"""Kernels of chainrule/ops/log_sums.py: what NumPy does better than the family."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backend import Array, KernelSet
from chainrule_xp.log_sums import logcumsumexp as logcumsumexp_of_family
from chainrule_xp.log_sums import logsumexp as logsumexp_of_family

ks = KernelSet("numpy")

_family = logsumexp_of_family(np)
_running_of_family = logcumsumexp_of_family(np)
_add: Any = np.add.reduce
_largest: Any = np.maximum.reduce


@ks.forward("cr::_logsumexp")
def logsumexp(x: Array, *, dim: Any = (), keepdim: bool = False) -> Any:
    if x.size == 0 or x.ndim == 0 or x.dtype.kind == "c":
        return _family(x, dim=dim, keepdim=keepdim)
    axis = dim or None
    peak = _largest(x, axis=axis, keepdims=True)
    if not np.isfinite(peak).all():
        return _family(x, dim=dim, keepdim=keepdim)
    powers = x - peak
    np.exp(powers, out=powers)
    log = np.log(_add(powers, axis=axis, keepdims=True))
    log += peak
    return log if keepdim else log.squeeze(axis)


@ks.forward("cr::_logcumsumexp")
def logcumsumexp(x: Array, *, dim: int) -> Any:
    if x.dtype.kind == "c":  # NumPy adds the exponentials of real numbers only
        return _running_of_family(x, dim=dim)
    return np.logaddexp.accumulate(x, dim) if x.ndim else x.copy()
