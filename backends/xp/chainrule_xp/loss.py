"""Kernels of chainrule/ops/loss.py. A *reduction* is 0 for none, 1 for the mean, 2 for the sum."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

from .reductions import mean_over

ks = KernelSet("xp")

NONE, MEAN, SUM = 0, 1, 2


def reduced(xp: Any, loss: Any, reduction: int) -> Any:
    """Return the mean or the sum of the losses, or all of them."""
    return mean_over(xp, loss) if reduction == MEAN else xp.sum(loss) if reduction == SUM else loss


@ks.family("cr::_mse_loss")
def mse_loss(xp: Any) -> Any:
    def kernel(x: Any, y: Any, *, reduction: int = MEAN) -> Any:
        away = x - y
        return reduced(xp, away * away, reduction)

    return kernel


@ks.family("cr::_mse_loss_backward")
def mse_loss_backward(xp: Any) -> Any:
    def kernel(grad: Any, x: Any, y: Any, *, reduction: int = MEAN) -> Any:
        return (x - y) * (grad * (2 / max(x.size, 1) if reduction == MEAN else 2))

    return kernel


@ks.family("cr::_smooth_l1_loss")
def smooth_l1_loss(xp: Any) -> Any:
    def kernel(x: Any, y: Any, *, reduction: int = MEAN, beta: float = 1.0) -> Any:
        away = xp.abs(x - y)
        near = xp.minimum(away, beta)  # d * (d - d / 2) below beta, beta * (d - beta / 2) above
        return reduced(xp, near * (away - 0.5 * near), reduction) / beta

    return kernel


@ks.family("cr::_huber_loss")
def huber_loss(xp: Any) -> Any:
    def kernel(x: Any, y: Any, *, reduction: int = MEAN, delta: float = 1.0) -> Any:
        away = xp.abs(x - y)
        near = xp.minimum(away, delta)
        return reduced(xp, near * (away - 0.5 * near), reduction)

    return kernel
