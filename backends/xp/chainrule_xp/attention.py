"""Kernels of chainrule/ops/attention.py: the weights live as long as a kernel runs."""

from __future__ import annotations

import math
from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


def _scores(
    xp: Any, query: Any, key: Any, is_causal: bool, attn_mask: Any, scale: float | None
) -> tuple[Any, float]:
    """Return how well every key meets every query, and the scale."""
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = xp.matmul(query * query.dtype.type(factor), key.swapaxes(-1, -2))
    if attn_mask is not None:
        scores += attn_mask
    if is_causal:
        rows, columns = scores.shape[-2:]
        later = xp.arange(columns)[None, :] > xp.arange(rows)[:, None]
        scores += xp.where(later, -xp.inf, 0).astype(scores.dtype)
    return scores, factor


@ks.family("cr::_flash_attention")
def flash_attention(xp: Any) -> Any:
    def kernel(
        query: Any,
        key: Any,
        value: Any,
        attn_mask: Any,
        *,
        dropout_p: float,
        is_causal: bool,
        scale: float | None,
    ) -> Any:
        weights, _ = _scores(xp, query, key, is_causal, attn_mask, scale)
        masked = is_causal or attn_mask is not None
        largest = weights.max(-1, keepdims=True)
        if masked:  # where nothing may be looked at, everything is -inf
            largest = xp.where(largest == -xp.inf, 0, largest)
        weights -= largest
        xp.exp(weights, out=weights)
        total = weights.sum(-1, keepdims=True)
        if masked:
            empty = total == 0
            total = xp.where(empty, 1, total)
            largest = xp.where(empty, 0, largest)
        output = xp.matmul(weights, value)
        output /= total
        sums = xp.log(total)
        sums += largest
        return output, sums[..., 0]

    return kernel


@ks.family("cr::flash_attention_backward")
def flash_attention_backward(xp: Any) -> Any:
    def kernel(
        grad: Any,
        query: Any,
        key: Any,
        value: Any,
        output: Any,
        logsumexp: Any,
        attn_mask: Any,
        *,
        is_causal: bool,
        scale: float | None,
    ) -> Any:
        weights, factor = _scores(xp, query, key, is_causal, attn_mask, scale)
        weights -= logsumexp[..., None]
        xp.exp(weights, out=weights)
        by_value = xp.matmul(weights.swapaxes(-1, -2), grad)
        change = xp.matmul(grad, value.swapaxes(-1, -2))
        change -= (grad * output).sum(-1, keepdims=True)
        change *= weights
        change *= change.dtype.type(factor)
        return xp.matmul(change, key), xp.matmul(change.swapaxes(-1, -2), query), by_value

    return kernel
