"""Kernels of chainrule/ops/normalization.py: few passes over the input, in place where possible.

Every one works on an array of three dimensions, ``(outer, channel, inner)``. What is reduced over
is the outer and the inner one (a batch), or the inner one (a group, a position).
"""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")

Sizes = tuple[int, ...]


def _per_channel(xp: Any, x: Any, y: Any) -> Any:
    """Return the sums of ``x * y`` over all but the channel."""
    return xp.einsum("ncl,ncl->c", x, y)


def _total(x: Any) -> Any:
    """Return the sums over all but the channel: the contiguous dimension first."""
    return x.sum(2).sum(0)


def _rsqrt(xp: Any, variance: Any, eps: float) -> Any:
    return 1 / xp.sqrt(variance + eps)


def _column(values: Any) -> Any:
    return values.reshape(1, -1, 1)


@ks.family("cr::_native_batch_norm")
def native_batch_norm(xp: Any) -> Any:
    def kernel(
        x: Any, weight: Any, bias: Any, mean: Any, variance: Any, *, training: bool, eps: float
    ) -> Any:
        flat = x.reshape(*x.shape[:2], prod(x.shape[2:]))
        count = max(flat.shape[0] * flat.shape[2], 1)
        if training:
            mean = _total(flat) / count
        out = flat - _column(mean)
        if training:
            variance = _per_channel(xp, out, out) / count
        rstd = _rsqrt(xp, variance, eps)
        out *= _column(rstd if weight is None else rstd * weight)
        if bias is not None:
            out += _column(bias)
        if not training:
            empty = xp.zeros((0,), x.dtype)
            return out.reshape(x.shape), empty, empty, empty
        return out.reshape(x.shape), mean, rstd, variance

    return kernel


@ks.family("cr::native_batch_norm_backward")
def native_batch_norm_backward(xp: Any) -> Any:
    def kernel(
        grad: Any,
        x: Any,
        weight: Any,
        mean: Any,
        rstd: Any,
        running_mean: Any,
        running_var: Any,
        *,
        training: bool,
        eps: float,
    ) -> Any:
        if not training:
            mean, rstd = running_mean, _rsqrt(xp, running_var, eps)
        g = grad.reshape(*x.shape[:2], prod(x.shape[2:]))
        centred = x.reshape(g.shape) - _column(mean)
        total = _total(g)
        product = _per_channel(xp, g, centred) * rstd
        scale = rstd if weight is None else rstd * weight
        out = g * _column(scale)
        if training:
            count = max(g.shape[0] * g.shape[2], 1)
            centred *= _column(scale * rstd * product / count)
            out -= centred
            out -= _column(scale * total / count)
        return out.reshape(x.shape), product, total

    return kernel


def _normalised(xp: Any, rows: Any, eps: float) -> Any:
    """Return *rows* with mean 0 and variance 1, their means and rstds as columns."""
    size = max(rows.shape[1], 1)
    mean = rows.sum(1, keepdims=True) / size
    out = rows - mean
    rstd = _rsqrt(xp, (xp.einsum("ij,ij->i", out, out) / size)[:, None], eps)
    out *= rstd
    return out, mean, rstd


def _rows_backward(xp: Any, scaled: Any, normal: Any, rstd: Any) -> Any:
    """Return the gradient of rows by `_normalised`; writes over both arrays."""
    size = max(normal.shape[1], 1)
    pull = (xp.einsum("ij,ij->i", scaled, normal) / size)[:, None]
    shift = scaled.sum(1, keepdims=True) / size
    normal *= pull
    scaled -= normal
    scaled -= shift
    scaled *= rstd
    return scaled


@ks.family("cr::_native_layer_norm")
def native_layer_norm(xp: Any) -> Any:
    def kernel(x: Any, weight: Any, bias: Any, *, normalized_shape: Sizes, eps: float) -> Any:
        lead = x.ndim - len(normalized_shape)
        kept = (*x.shape[:lead], *(1,) * len(normalized_shape))
        size = prod(normalized_shape)
        out, mean, rstd = _normalised(xp, x.reshape(prod(x.shape[:lead]), size), eps)
        if weight is not None:
            out *= weight.reshape(1, size)
        if bias is not None:
            out += bias.reshape(1, size)
        return out.reshape(x.shape), mean.reshape(kept), rstd.reshape(kept)

    return kernel


@ks.family("cr::native_layer_norm_backward")
def native_layer_norm_backward(xp: Any) -> Any:
    def kernel(
        grad: Any,
        x: Any,
        mean: Any,
        rstd: Any,
        weight: Any,
        *,
        normalized_shape: Sizes,
        eps: float,
    ) -> Any:
        size, lead = prod(normalized_shape), x.ndim - len(normalized_shape)
        shape = (prod(x.shape[:lead]), size)
        g, rstd = grad.reshape(shape), rstd.reshape(-1, 1)
        normal = x.reshape(shape) - mean.reshape(-1, 1)
        normal *= rstd
        product = xp.einsum("ij,ij->j", g, normal).reshape(normalized_shape)
        total = g.sum(0).reshape(normalized_shape)
        scaled = g * (1 if weight is None else weight.reshape(1, size))
        return _rows_backward(xp, scaled, normal, rstd).reshape(x.shape), product, total

    return kernel


@ks.family("cr::_native_group_norm")
def native_group_norm(xp: Any) -> Any:
    def kernel(
        x: Any, weight: Any, bias: Any, *, N: int, C: int, HxW: int, group: int, eps: float,
    ) -> Any:  # fmt: skip
        out, mean, rstd = _normalised(xp, x.reshape(N * group, C * HxW // group), eps)
        out = out.reshape(N, C, HxW)
        if weight is not None:
            out *= _column(weight)
        if bias is not None:
            out += _column(bias)
        return out.reshape(x.shape), mean.reshape(N, group), rstd.reshape(N, group)

    return kernel


@ks.family("cr::native_group_norm_backward")
def native_group_norm_backward(xp: Any) -> Any:
    def kernel(
        grad: Any, x: Any, weight: Any, mean: Any, rstd: Any, *, group: int, eps: float
    ) -> Any:
        parts, rows = (*x.shape[:2], prod(x.shape[2:])), x.shape[0] * group
        flat = (rows, prod(x.shape) // max(rows, 1))
        g, rstd = grad.reshape(parts), rstd.reshape(-1, 1)
        normal = x.reshape(flat) - mean.reshape(-1, 1)
        normal *= rstd
        product, total = _per_channel(xp, g, normal.reshape(parts)), _total(g)
        scaled = g * (1 if weight is None else _column(weight))
        out = _rows_backward(xp, scaled.reshape(flat), normal, rstd)
        return out.reshape(x.shape), product, total

    return kernel
