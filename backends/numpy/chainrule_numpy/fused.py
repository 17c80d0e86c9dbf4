"""The steps of optimizers: few NumPy calls per parameter, all into memory that is there.

On a small array a NumPy call costs far more than its arithmetic. So everything is written in place
or into scratch memory, the numbers of a step are 0-d arrays of the parameter's dtype, which NumPy
takes faster than Python's, and the state of small parameters lies side by side and is updated as
one array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import add, divide, maximum, multiply, negative, sqrt, subtract

from chainrule.backend import KernelSet

from . import _joined
from ._joined import flattened, plain, whole

ks = KernelSet("numpy")

_ONE = np.ones((), np.float32)


@ks.forward("cr::_zeros_beside_")
def zeros_beside_(params: list[Any]) -> list[Any]:
    if sum(param.size for param in params) > _joined.LIMIT:
        return [np.zeros_like(param) for param in params]
    return _joined.zeros([param.shape for param in params], params[0].dtype)


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
    if maximize:
        grads = [negative(grad) for grad in grads]
    if weight_decay:
        if decoupled:
            for param in params:
                multiply(param, 1 - lr * weight_decay, out=param)
        else:
            grads = [add(grad, weight_decay * param) for grad, param in zip(grads, params)]  # noqa: B905 - of one length by definition
    kinds = [exp_avgs, exp_avg_sqs, *([max_exp_avg_sqs] if max_exp_avg_sqs else [])]
    memories = [memory for memory in map(whole, kinds) if memory is not None]
    if len(memories) == len(kinds) and min(steps) == max(steps):
        numbers = _numbers(params[0].dtype, steps[0], lr, beta1, beta2, eps)
        averages = [plain(memory) for memory in memories]
        _direction(flattened(grads), averages, memories[0].scratch, numbers)
        for param, change in zip(params, memories[0].scratch_parts, strict=True):
            subtract(param, change, out=param)
        return
    for i, param in enumerate(params):
        if i == 0 or steps[i] != steps[i - 1]:
            numbers = _numbers(param.dtype, steps[i], lr, beta1, beta2, eps)
        averages = [arrays[i] for arrays in kinds]
        change = np.empty_like(averages[0])
        _direction(grads[i], averages, change, numbers)
        subtract(param, change, out=param)


def _numbers(
    dtype: Any, step: float, lr: float, beta1: float, beta2: float, eps: float
) -> list[Any]:
    """Return the numbers of one step as 0-d arrays, in the order in which they are used."""
    root = (1 - beta2**step) ** 0.5
    # One division less: m / (sqrt(s) / root + eps) is m / (sqrt(s) + eps * root) * root.
    size = lr / (1 - beta1**step) * root
    return [np.array(n, dtype) for n in (1 - beta1, beta2, 1 - beta2, eps * root, size)]


def _direction(grad: Any, averages: list[Any], change: Any, numbers: list[Any]) -> None:
    """Update the moving averages, and write what is to be subtracted into *change*."""
    mean, square, *largest = averages
    new1, old2, new2, small, size = numbers
    subtract(grad, mean, out=change)
    multiply(change, new1, out=change)
    add(mean, change, out=mean)
    multiply(square, old2, out=square)
    multiply(grad, grad, out=change)
    multiply(change, new2, out=change)
    add(square, change, out=square)
    if largest:
        square = maximum(largest[0], square, out=largest[0])
    sqrt(square, out=change)
    add(change, small, out=change)
    divide(mean, change, out=change)
    multiply(change, size, out=change)


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
