"""Steps of optimizers that read on the device what differs from step to step.

The ops of fused.py take the learning rate and the count of steps as Python numbers. A CUDA graph
keeps those as they were when it was captured; these read them from memory every time it is
replayed, and the host waits for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .fused import _update, adam_step, descend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["_fused_adam_on_device_", "_fused_sgd_on_device_"]


@_update("params", "exp_avgs", "exp_avg_sqs", "max_exp_avg_sqs", "steps")
def _fused_adam_on_device_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    exp_avgs: Sequence[Tensor],
    exp_avg_sqs: Sequence[Tensor],
    max_exp_avg_sqs: Sequence[Tensor],
    steps: Sequence[Tensor],
    rates: Sequence[Tensor],
    *,
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    eps: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    """Count one step, and take it: Adam for every parameter, as `_fused_adam_` does.

    Args:
        params: What is optimised.
        grads: A gradient each.
        exp_avgs: The moving average of the gradient.
        exp_avg_sqs: The moving average of its square.
        max_exp_avg_sqs: The largest such average yet (AMSGrad); empty for plain Adam.
        steps: How many steps each parameter has been taken, before this one; ``()`` each.
        rates: The learning rate, ``()``; empty where it is a number.
        lr: That number.
        beta1: How much of the first average is kept.
        beta2: How much of the second is kept.
        weight_decay: How strongly parameters are drawn to zero.
        eps: Added to the root in the denominator.
        decoupled: Shrink the parameters themselves (AdamW) rather than add to the gradient.
        maximize: Go up instead of down.
    """
    adam_step(
        params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs,
        steps=[step.add_(1).double() for step in steps],  # float32 would cancel in 1 - beta2^step
        lr=rates[0] if rates else lr,
        beta1=beta1, beta2=beta2, weight_decay=weight_decay, eps=eps, decoupled=decoupled,
        maximize=maximize,
    )  # fmt: skip


@_update("params", "momentum_buffers")
def _fused_sgd_on_device_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    momentum_buffers: Sequence[Tensor],
    rates: Sequence[Tensor],
    *,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    first: bool,
) -> None:
    """Take one step of gradient descent for every parameter, as `_fused_sgd_` does.

    Args:
        params: What is optimised.
        grads: A gradient each.
        momentum_buffers: The moving sum of gradients; empty without momentum.
        rates: The learning rate, ``()``.
        momentum: How much of the moving sum is kept.
        dampening: How much of a new gradient is left out of the sum.
        weight_decay: How strongly parameters are drawn to zero.
        nesterov: Look ahead: step with the gradient and the sum.
        maximize: Go up instead of down.
        first: The buffers hold nothing yet and become the gradient.
    """
    descend(
        params, grads, momentum_buffers, lr=rates[0], momentum=momentum, dampening=dampening,
        weight_decay=weight_decay, nesterov=nesterov, maximize=maximize, first=first,
    )  # fmt: skip
