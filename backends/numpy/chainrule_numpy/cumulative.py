"""Kernels of chainrule/ops/cumulative.py: NumPy accumulates with any ufunc."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backend import Array, KernelSet
from chainrule_xp.cumulative import running_extreme

ks = KernelSet("numpy")


@ks.forward("cr::_cummax")
def cummax(x: Array, *, dim: int) -> Any:
    return running_extreme(np, x, dim, np.maximum.accumulate, np.maximum.accumulate)


@ks.forward("cr::_cummin")
def cummin(x: Array, *, dim: int) -> Any:
    return running_extreme(np, x, dim, np.minimum.accumulate, np.maximum.accumulate)
