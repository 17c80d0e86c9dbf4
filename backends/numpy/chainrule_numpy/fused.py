"""The steps of optimizers: few NumPy calls per parameter, all into memory that is there.

On a small array a NumPy call costs far more than its arithmetic. So everything is written in place
or into one scratch array per parameter, and the numbers of a step are 0-d arrays of the
parameter's dtype, which NumPy takes faster than Python's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import add, divide, maximum, multiply, ndarray, negative, sqrt, subtract

from chainrule.backend import KernelSet

ks = KernelSet("numpy")

_ONE = np.ones((), np.float32)


@ks.forward("cr::_count_steps_")
def count_steps_(steps: list[Any]) -> tuple[float, ...]:
    for step in steps:
        add(step, _ONE, out=step)
    return tuple([step.item() for step in steps])


@ks.forward("cr::_fused_adam_")
def adam_(
    params: list[Any],
    grads: list[Any],
    exp_avgs: list[Any],
    exp_avg_sqs: list[Any],
    max_exp_avg_sqs: list[Any],
    *,
    steps: list[float],
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    eps: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    made_for: tuple[Any, float] | None = None
    for i, (param, grad, mean, square) in enumerate(
        zip(params, grads, exp_avgs, exp_avg_sqs, strict=True)
    ):
        if (param.dtype, steps[i]) != made_for:
            made_for = param.dtype, steps[i]
            root = (1 - beta2 ** steps[i]) ** 0.5
            # One division less: m / (sqrt(s) / root + eps) is m / (sqrt(s) + eps * root) * root.
            size = lr / (1 - beta1 ** steps[i]) * root
            numbers = (1 - beta1, beta2, 1 - beta2, eps * root, size)
            new1, old2, new2, small, step = (np.array(n, param.dtype) for n in numbers)
        if maximize:
            grad = negative(grad)  # noqa: PLW2901 - the caller's array must stay as it is
        if weight_decay:
            if decoupled:
                multiply(param, 1 - lr * weight_decay, out=param)
            else:
                grad = grad + weight_decay * param  # noqa: PLW2901 - likewise
        scratch = subtract(grad, mean)
        if scratch.__class__ is not ndarray:  # NumPy gives a scalar for 0-d arrays
            scratch = np.array(scratch)
        multiply(scratch, new1, out=scratch)
        add(mean, scratch, out=mean)
        multiply(square, old2, out=square)
        multiply(grad, grad, out=scratch)
        multiply(scratch, new2, out=scratch)
        add(square, scratch, out=square)
        if max_exp_avg_sqs:
            square = maximum(max_exp_avg_sqs[i], square, out=max_exp_avg_sqs[i])  # noqa: PLW2901 - the root is taken of the largest
        sqrt(square, out=scratch)
        add(scratch, small, out=scratch)
        divide(mean, scratch, out=scratch)
        multiply(scratch, step, out=scratch)
        subtract(param, scratch, out=param)


@ks.forward("cr::_fused_sgd_")
def sgd_(
    params: list[Any],
    grads: list[Any],
    momentum_buffers: list[Any],
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    first: bool,
) -> None:
    for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
        scratch = np.empty_like(param)
        if maximize:
            grad = negative(grad)  # noqa: PLW2901 - the caller's array must stay as it is
        if weight_decay:
            grad = grad + multiply(param, weight_decay, out=scratch)  # noqa: PLW2901 - likewise
        if momentum_buffers:
            buffer = momentum_buffers[i]
            if first:
                np.copyto(buffer, grad)
            else:
                multiply(buffer, momentum, out=buffer)
                add(buffer, grad if not dampening else grad * (1 - dampening), out=buffer)
            grad = grad + multiply(buffer, momentum, out=scratch) if nesterov else buffer  # noqa: PLW2901 - likewise
        multiply(grad, lr, out=scratch)
        subtract(param, scratch, out=param)
