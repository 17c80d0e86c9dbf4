"""Kernels of chainrule/ops/loss_classes.py: with the classes checked while they are looked at."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.backend import Array, KernelSet
from chainrule.errors import DimError

ks = KernelSet("numpy")

NONE, MEAN, SUM = 0, 1, 2


def _chosen(
    target: Array, weight: Array | None, shape: tuple[int, ...], ignore_index: int, dtype: Any
) -> tuple[Any, Array | None]:
    """Return the index of the elements at the targets, and their weights; None where all are 1."""
    dim = 1 if len(shape) > 1 else 0
    counts = None
    # As an unsigned number a negative class is a huge one, so one look finds both mistakes.
    unsigned = target.view(np.uint64) if target.dtype == np.int64 else target
    if unsigned.size and np.maximum.reduce(unsigned, axis=None) >= shape[dim]:
        counts = target != ignore_index
        target = np.where(counts, target, 0)
        wrong = target[(target < 0) | (target >= shape[dim])]
        if wrong.size:
            raise DimError(
                f"Target {wrong[0]} is out of bounds.\n"
                f"nll_loss: expected classes from 0 to {shape[dim] - 1}, or ignore_index."
            )
    elif 0 <= ignore_index < shape[dim]:
        counts = target != ignore_index
    index = np.indices(target.shape, sparse=True) if target.ndim != 1 else (np.arange(target.size),)
    place = (*index[:1], target, *index[1:]) if dim else (target,)
    if weight is None:
        return place, None if counts is None else counts.astype(dtype)
    return place, weight[target] if counts is None else np.where(counts, weight[target], 0)


@ks.forward("cr::_nll_loss")
def nll_loss(
    x: Array,
    target: Array,
    weight: Array | None = None,
    *,
    reduction: int = MEAN,
    ignore_index: int = -100,
    spatial: bool | None = None,
) -> tuple[Any, Any]:
    place, weights = _chosen(target, weight, x.shape, ignore_index, x.dtype)
    loss = -x[place]
    if weights is not None:
        loss = np.where(weights == 0, weights, loss * weights)
    total = x.dtype.type(target.size) if weights is None else weights.sum()
    if reduction == NONE:
        return loss, total
    summed = loss.sum()
    return (summed / total if reduction == MEAN else summed), total


@ks.backward("cr::_nll_loss")
def nll_loss_backward(
    grad: Array,
    x: Array,
    target: Array,
    weight: Array | None,
    total_weight: Array,
    *,
    reduction: int = MEAN,
    ignore_index: int = -100,
) -> Any:
    place, weights = _chosen(target, weight, x.shape, ignore_index, x.dtype)
    scale = -grad / total_weight if reduction == MEAN else -grad
    out = np.zeros(x.shape, x.dtype)
    out[place] = scale if weights is None else np.where(weights == 0, weights, scale * weights)
    return out
