"""Kernels of chainrule/ops/loss.py: what NumPy does better than the family."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backend import Array, KernelSet
from chainrule_xp.loss import reduced

ks = KernelSet("numpy")

NONE, MEAN = 0, 1


@ks.forward("cr::_mse_loss")
def mse_loss(x: Array, y: Array, *, reduction: int = MEAN) -> Any:
    away = x - y
    if reduction == NONE:
        return away * away
    if away.itemsize == 2:
        away = away.astype(np.float32)  # squares and their sum overflow early
        total = np.vdot(away, away)
        return x.dtype.type(total / away.size if reduction == MEAN else total)
    total = np.vdot(away, away)  # a dot product: no array of squares is made
    return total / away.size if reduction == MEAN else total


@ks.backward("cr::_mse_loss")
def mse_loss_backward(grad: Array, x: Array, y: Array, *, reduction: int = MEAN) -> Any:
    away = x - y
    away *= grad * (2 / max(away.size, 1) if reduction == MEAN else 2)
    return away


def _bent(away: Array, limit: float, reduction: int) -> Any:
    """Return m * (d - m / 2), reduced, for distances d and the smaller of each and *limit*, m."""
    away = np.abs(away)
    near = np.minimum(away, limit)
    away -= 0.5 * near
    if reduction == NONE or away.itemsize == 2:
        return reduced(np, near * away, reduction)
    total = np.vdot(near, away)
    return total / away.size if reduction == MEAN else total


@ks.forward("cr::_smooth_l1_loss")
def smooth_l1_loss(x: Array, y: Array, *, reduction: int = MEAN, beta: float = 1.0) -> Any:
    return _bent(x - y, beta, reduction) / beta


@ks.forward("cr::_huber_loss")
def huber_loss(x: Array, y: Array, *, reduction: int = MEAN, delta: float = 1.0) -> Any:
    return _bent(x - y, delta, reduction)
