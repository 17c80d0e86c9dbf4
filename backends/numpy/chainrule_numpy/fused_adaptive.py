"""The steps of the adaptive optimizers: everything is written in place or into scratch memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import absolute, add, divide, maximum, multiply, negative, sqrt, subtract

from chainrule.backend import KernelSet

ks = KernelSet("numpy")

Arrays = list[Any]


def _directed(params: Arrays, grads: Arrays, weight_decay: float, maximize: bool) -> Arrays:
    """Return the gradients to go against, with the pull of the weight decay."""
    if maximize:
        grads = [negative(grad) for grad in grads]
    if weight_decay:
        grads = [add(grad, weight_decay * p) for grad, p in zip(grads, params, strict=True)]
    return grads


def _average(average: Any, new: Any, kept: float, scratch: Any) -> None:
    """Move *average* towards *new*, keeping a share of *kept*."""
    subtract(new, average, out=scratch)
    multiply(scratch, 1 - kept, out=scratch)
    add(average, scratch, out=average)


def _mean_square(average: Any, new: Any, kept: float, scratch: Any) -> None:
    """Move *average* towards the square of *new*, keeping a share of *kept*."""
    multiply(average, kept, out=average)
    multiply(new, new, out=scratch)
    multiply(scratch, 1 - kept, out=scratch)
    add(average, scratch, out=average)


def _go(param: Any, change: Any, rate: float) -> None:
    """Subtract *rate* times *change*, which is overwritten, from *param*."""
    multiply(change, rate, out=change)
    subtract(param, change, out=param)


@ks.forward("cr::_fused_adagrad_")
def adagrad_(
    params: Arrays,
    grads: Arrays,
    sums: Arrays,
    *,
    steps: list[float],
    lr: float,
    lr_decay: float,
    weight_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    grads = _directed(params, grads, weight_decay, maximize)
    for param, grad, total, step in zip(params, grads, sums, steps, strict=True):
        scratch = np.empty_like(param)
        multiply(grad, grad, out=scratch)
        add(total, scratch, out=total)
        sqrt(total, out=scratch)
        add(scratch, eps, out=scratch)
        divide(grad, scratch, out=scratch)
        _go(param, scratch, lr / (1 + (step - 1) * lr_decay))


@ks.forward("cr::_fused_adadelta_")
def adadelta_(
    params: Arrays,
    grads: Arrays,
    square_avgs: Arrays,
    acc_deltas: Arrays,
    *,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    grads = _directed(params, grads, weight_decay, maximize)
    for param, grad, square, past in zip(params, grads, square_avgs, acc_deltas, strict=True):
        scratch, delta = np.empty_like(param), np.empty_like(param)
        _mean_square(square, grad, rho, scratch)
        add(past, eps, out=delta)
        sqrt(delta, out=delta)
        add(square, eps, out=scratch)
        sqrt(scratch, out=scratch)
        divide(delta, scratch, out=delta)
        multiply(delta, grad, out=delta)
        _mean_square(past, delta, rho, scratch)
        _go(param, delta, lr)


@ks.forward("cr::_fused_rmsprop_")
def rmsprop_(
    params: Arrays,
    grads: Arrays,
    square_avgs: Arrays,
    grad_avgs: Arrays,
    momentum_buffers: Arrays,
    *,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    maximize: bool,
) -> None:
    grads = _directed(params, grads, weight_decay, maximize)
    for i, (param, grad, square) in enumerate(zip(params, grads, square_avgs, strict=True)):
        scratch = np.empty_like(param)
        _mean_square(square, grad, alpha, scratch)
        spread = square
        if grad_avgs:
            _average(grad_avgs[i], grad, alpha, scratch)
            multiply(grad_avgs[i], grad_avgs[i], out=scratch)
            spread = subtract(square, scratch, out=scratch)
        sqrt(spread, out=scratch)
        add(scratch, eps, out=scratch)
        divide(grad, scratch, out=scratch)
        if momentum_buffers:
            buffer = momentum_buffers[i]
            multiply(buffer, momentum, out=buffer)
            add(buffer, scratch, out=buffer)
            np.copyto(scratch, buffer)
        _go(param, scratch, lr)


@ks.forward("cr::_fused_adamax_")
def adamax_(
    params: Arrays,
    grads: Arrays,
    exp_avgs: Arrays,
    exp_infs: Arrays,
    *,
    steps: list[float],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    grads = _directed(params, grads, weight_decay, maximize)
    for param, grad, mean, largest, step in zip(
        params, grads, exp_avgs, exp_infs, steps, strict=True
    ):
        scratch = np.empty_like(param)
        _average(mean, grad, beta1, scratch)
        absolute(grad, out=scratch)
        add(scratch, eps, out=scratch)
        multiply(largest, beta2, out=largest)
        maximum(largest, scratch, out=largest)
        divide(mean, largest, out=scratch)
        _go(param, scratch, lr / (1 - beta1**step))


@ks.forward("cr::_fused_nadam_")
def nadam_(
    params: Arrays,
    grads: Arrays,
    exp_avgs: Arrays,
    exp_avg_sqs: Arrays,
    *,
    steps: list[float],
    mus: list[float],
    next_mus: list[float],
    mu_products: list[float],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    _shrink(params, lr * weight_decay if decoupled else 0)
    grads = _directed(params, grads, 0 if decoupled else weight_decay, maximize)
    for i, (param, grad, mean, square) in enumerate(
        zip(params, grads, exp_avgs, exp_avg_sqs, strict=True)
    ):
        scratch, root = np.empty_like(param), np.empty_like(param)
        _average(mean, grad, beta1, scratch)
        _mean_square(square, grad, beta2, scratch)
        divide(square, 1 - beta2 ** steps[i], out=root)
        sqrt(root, out=root)
        add(root, eps, out=root)
        divide(grad, root, out=scratch)
        _go(param, scratch, lr * (1 - mus[i]) / (1 - mu_products[i]))
        divide(mean, root, out=scratch)
        _go(param, scratch, lr * next_mus[i] / (1 - mu_products[i] * next_mus[i]))


def _shrink(params: Arrays, share: float) -> None:
    """Take a share off all parameters."""
    if share:
        for param in params:
            multiply(param, 1 - share, out=param)


@ks.forward("cr::_fused_radam_")
def radam_(
    params: Arrays,
    grads: Arrays,
    exp_avgs: Arrays,
    exp_avg_sqs: Arrays,
    *,
    steps: list[float],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    _shrink(params, lr * weight_decay if decoupled else 0)
    grads = _directed(params, grads, 0 if decoupled else weight_decay, maximize)
    limit = 2 / (1 - beta2) - 1
    for param, grad, mean, square, step in zip(
        params, grads, exp_avgs, exp_avg_sqs, steps, strict=True
    ):
        scratch = np.empty_like(param)
        _average(mean, grad, beta1, scratch)
        _mean_square(square, grad, beta2, scratch)
        rate, left = lr / (1 - beta1**step), 1 - beta2**step
        length = limit - 2 * step * beta2**step / left
        if length > 5:
            ratio = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
            sqrt(square, out=scratch)
            add(scratch, eps, out=scratch)
            divide(mean, scratch, out=scratch)
            rate *= (ratio * left) ** 0.5
        else:
            np.copyto(scratch, mean)
        _go(param, scratch, rate)
