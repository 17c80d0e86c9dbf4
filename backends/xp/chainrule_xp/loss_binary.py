"""Kernels of chainrule/ops/loss_binary.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

from .loss import MEAN, reduced

ks = KernelSet("xp")


@ks.family("cr::_binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(xp: Any) -> Any:
    def kernel(
        x: Any, target: Any, weight: Any = None, pos_weight: Any = None, *, reduction: int = MEAN
    ) -> Any:
        below = xp.log1p(xp.exp(-xp.abs(x))) + xp.maximum(-x, 0)
        if pos_weight is not None:
            below = below * ((pos_weight - 1) * target + 1)
        loss = (1 - target) * x + below
        return reduced(xp, loss if weight is None else loss * weight, reduction)

    return kernel
