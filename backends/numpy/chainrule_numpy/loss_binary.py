"""Kernels of chainrule/ops/loss_binary.py: with the probabilities checked on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backend import Array, KernelSet
from chainrule.errors import DomainError
from chainrule_xp.loss import MEAN, reduced

ks = KernelSet("numpy")

_smallest: Any = np.minimum.reduce
_largest: Any = np.maximum.reduce


def _check_probable(array: Array, argument: str) -> None:
    low = _smallest(array, axis=None, initial=0)
    high = _largest(array, axis=None, initial=1)
    if not (low >= 0 and high <= 1):  # NaN is no probability either
        raise DomainError(
            f"all elements of {argument} should be between 0 and 1\n"
            "binary_cross_entropy: expected probabilities. For scores, use the form with logits."
        )


@ks.forward("cr::_binary_cross_entropy")
def binary_cross_entropy(
    x: Array, target: Array, weight: Array | None = None, *, reduction: int = MEAN
) -> Any:
    _check_probable(x, "input")
    _check_probable(target, "target")
    negative = np.maximum(np.log1p(-x), -100)
    loss = (target - 1) * negative - target * np.maximum(np.log(x), -100)
    return reduced(np, loss if weight is None else loss * weight, reduction)
