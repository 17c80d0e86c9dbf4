"""Batch normalisation folded into the layer before it, for evaluation."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from ... import ops
from ..parameter import Parameter

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]

T = TypeVar("T")


def fuse_conv_bn_eval(conv: T, bn: Any, transpose: bool = False) -> T:
    """Return a copy of the convolution *conv* that normalises too, as *bn* does in evaluation.

    Args:
        conv: The convolution.
        bn: The batch normalisation after it, with running statistics.
        transpose: The convolution is a transposed one.

    Raises:
        AssertionError: one of the two is in training mode, or *bn* has no running statistics.
    """
    fused: Any = _copied(conv, bn, "Fusion only for eval!")
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias,
        transpose,
    )  # fmt: skip
    return fused  # type: ignore[no-any-return]  # a copy of conv


def fuse_conv_bn_weights(
    conv_w: Any,
    conv_b: Any,
    bn_rm: Any,
    bn_rv: Any,
    bn_eps: float,
    bn_w: Any,
    bn_b: Any,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Return weight and bias of a convolution that normalises too.

    Args:
        conv_w: The weight.
        conv_b: The bias, or None.
        bn_rm: The running mean.
        bn_rv: The running variance.
        bn_eps: Added to the variance.
        bn_w: The scale, or None.
        bn_b: The shift, or None.
        transpose: The convolution is a transposed one: its channels lie in the second dimension.
    """
    conv_b = ops.zeros_like(bn_rm) if conv_b is None else conv_b
    bn_w = ops.ones_like(bn_rm) if bn_w is None else bn_w
    bn_b = ops.zeros_like(bn_rm) if bn_b is None else bn_b
    scale = bn_w * ops.rsqrt(bn_rv + bn_eps)
    channels = [1] * conv_w.dim()
    channels[1 if transpose else 0] = -1
    weight = (conv_w * scale.reshape(channels)).to(conv_w.dtype)
    bias = ((conv_b - bn_rm) * scale + bn_b).to(conv_b.dtype)
    return (
        Parameter(weight.detach(), conv_w.requires_grad),
        Parameter(bias.detach(), conv_b.requires_grad),
    )


def fuse_linear_bn_eval(linear: T, bn: Any) -> T:
    """Return a copy of the layer *linear* that normalises too, as *bn* does in evaluation.

    Raises:
        AssertionError: one of the two is in training mode, or the features differ.
    """
    fused: Any = _copied(linear, bn, "Fusion only for eval!")
    if bn.num_features not in {fused.out_features, 1}:
        msg = "To fuse, linear.out_features == bn.num_features or bn.num_features == 1"
        raise AssertionError(msg)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused  # type: ignore[no-any-return]  # a copy of linear


def fuse_linear_bn_weights(
    linear_w: Any,
    linear_b: Any,
    bn_rm: Any,
    bn_rv: Any,
    bn_eps: float,
    bn_w: Any,
    bn_b: Any,
) -> tuple[Parameter, Parameter]:
    """Return weight and bias of a linear layer that normalises too; see `fuse_conv_bn_weights`."""
    linear_b = ops.zeros_like(bn_rm) if linear_b is None else linear_b
    scale = bn_w * ops.rsqrt(bn_rv + bn_eps)
    weight = (linear_w * scale.unsqueeze(-1)).to(linear_w.dtype)
    bias = ((linear_b - bn_rm) * scale + bn_b).to(linear_b.dtype)
    return (
        Parameter(weight.detach(), linear_w.requires_grad),
        Parameter(bias.detach(), linear_b.requires_grad),
    )


def _copied(layer: Any, bn: Any, why: str) -> Any:
    """Return a copy of *layer* after checking that both are in evaluation."""
    if layer.training or bn.training:
        raise AssertionError(why)
    if bn.running_mean is None or bn.running_var is None:
        msg = "Only support fusing BN with computed running_mean and running_var"
        raise AssertionError(msg)
    return copy.deepcopy(layer)
