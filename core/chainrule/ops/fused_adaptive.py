"""Steps of the optimizers that scale a gradient by averages of what came before it.

Each op takes one step for all parameters of a group; see fused.py. The bodies say what is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .fused import _update, kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = [
    "_fused_adadelta_",
    "_fused_adagrad_",
    "_fused_adamax_",
    "_fused_nadam_",
    "_fused_radam_",
    "_fused_rmsprop_",
]


def _directed(param: Tensor, grad: Tensor, weight_decay: float, maximize: bool) -> Tensor:
    """Return the gradient to go against, with the pull of the weight decay."""
    gradient = -grad if maximize else grad
    return gradient + weight_decay * param if weight_decay else gradient


def _average_(average: Tensor, new: Tensor, kept: float) -> None:
    """Move *average* towards *new*, keeping a share of *kept*."""
    average.add_((new - average) * (1 - kept))


def _mean_square_(average: Tensor, new: Tensor, kept: float) -> None:
    """Move *average* towards the square of *new*, keeping a share of *kept*."""
    average.mul_(kept).add_(new * new * (1 - kept))


@_update("params", "sums")
def _fused_adagrad_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    sums: Sequence[Tensor],
    *,
    steps: Sequence[float],
    lr: float,
    lr_decay: float,
    weight_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """Divide each gradient by the root of the sum of its squares so far.

    Args:
        params: What is optimised.
        grads: A gradient each.
        sums: The sums of squares.
        steps: How many steps each parameter has been taken, this one included.
        lr: The learning rate.
        lr_decay: How fast the rate falls with the steps.
        weight_decay: How strongly parameters are drawn to zero.
        eps: Added to the root in the denominator.
        maximize: Go up instead of down.

    Source:
        Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
        optimization", 2011.
    """
    for param, grad, total, step in zip(params, grads, sums, steps, strict=True):
        gradient = _directed(param, grad, weight_decay, maximize)
        total.add_(gradient * gradient)
        rate = lr / (1 + (step - 1) * lr_decay)
        param.sub_(gradient / (total.sqrt() + eps) * rate)


@_update("params", "square_avgs", "acc_deltas")
def _fused_adadelta_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    square_avgs: Sequence[Tensor],
    acc_deltas: Sequence[Tensor],
    *,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Scale each gradient by the ratio of the root mean squares of past steps and gradients.

    Args:
        params: What is optimised.
        grads: A gradient each.
        square_avgs: The moving average of the squared gradient.
        acc_deltas: The moving average of the squared step.
        lr: What steps are multiplied by.
        rho: How much of each average is kept.
        eps: Added inside the roots.
        weight_decay: How strongly parameters are drawn to zero.
        maximize: Go up instead of down.

    Source:
        Zeiler, "ADADELTA: an adaptive learning rate method", 2012.
    """
    for param, grad, square, past in zip(params, grads, square_avgs, acc_deltas, strict=True):
        gradient = _directed(param, grad, weight_decay, maximize)
        _mean_square_(square, gradient, rho)
        delta = (past + eps).sqrt() / (square + eps).sqrt() * gradient
        _mean_square_(past, delta, rho)
        param.sub_(delta * lr)


@_update("params", "square_avgs", "grad_avgs", "momentum_buffers")
def _fused_rmsprop_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    square_avgs: Sequence[Tensor],
    grad_avgs: Sequence[Tensor],
    momentum_buffers: Sequence[Tensor],
    *,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    maximize: bool,
) -> None:
    """Divide each gradient by the root of the moving average of its square.

    Args:
        params: What is optimised.
        grads: A gradient each.
        square_avgs: The moving average of the squared gradient.
        grad_avgs: That of the gradient, whose square is taken off; empty if not centered.
        momentum_buffers: The moving sum of steps; empty without momentum.
        lr: The learning rate.
        alpha: How much of the averages is kept.
        eps: Added to the root in the denominator.
        weight_decay: How strongly parameters are drawn to zero.
        momentum: How much of the moving sum is kept.
        maximize: Go up instead of down.

    Source:
        Tieleman and Hinton, "Lecture 6.5: rmsprop", Coursera, 2012; centered as in Graves,
        "Generating sequences with recurrent neural networks", 2013.
    """
    for i, (param, grad, square) in enumerate(zip(params, grads, square_avgs, strict=True)):
        gradient = _directed(param, grad, weight_decay, maximize)
        _mean_square_(square, gradient, alpha)
        spread = square
        if grad_avgs:
            _average_(grad_avgs[i], gradient, alpha)
            mean = kept(grad_avgs[i])
            spread = square - mean * mean
        change = gradient / (spread.sqrt() + eps)
        if momentum_buffers:
            change = kept(momentum_buffers[i].mul_(momentum).add_(change))
        param.sub_(change * lr)


@_update("params", "exp_avgs", "exp_infs")
def _fused_adamax_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    exp_avgs: Sequence[Tensor],
    exp_infs: Sequence[Tensor],
    *,
    steps: Sequence[float],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Divide the moving average of each gradient by its largest size, which fades.

    Args:
        params: What is optimised.
        grads: A gradient each.
        exp_avgs: The moving average of the gradient.
        exp_infs: The largest absolute value, faded.
        steps: How many steps each parameter has been taken, this one included.
        lr: The learning rate.
        beta1: How much of the average is kept.
        beta2: How much of the largest value is kept.
        eps: Added to the absolute value.
        weight_decay: How strongly parameters are drawn to zero.
        maximize: Go up instead of down.

    Source:
        Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.
    """
    for param, grad, mean, largest, step in zip(
        params, grads, exp_avgs, exp_infs, steps, strict=True
    ):
        gradient = _directed(param, grad, weight_decay, maximize)
        _average_(mean, gradient, beta1)
        largest.copy_((largest * beta2).maximum(gradient.abs() + eps))
        param.sub_(kept(mean) / kept(largest) * (lr / (1 - beta1**step)))


@_update("params", "exp_avgs", "exp_avg_sqs")
def _fused_nadam_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    exp_avgs: Sequence[Tensor],
    exp_avg_sqs: Sequence[Tensor],
    *,
    steps: Sequence[float],
    mus: Sequence[float],
    next_mus: Sequence[float],
    mu_products: Sequence[float],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    """Take a step of Adam that looks ahead along the moving average, as Nesterov's momentum does.

    Args:
        params: What is optimised.
        grads: A gradient each.
        exp_avgs: The moving average of the gradient.
        exp_avg_sqs: The moving average of its square.
        steps: How many steps each parameter has been taken, this one included.
        mus: The momentum of this step, each.
        next_mus: That of the next.
        mu_products: The product of the momenta up to this one.
        lr: The learning rate.
        beta1: How much of the first average is kept.
        beta2: How much of the second is kept.
        eps: Added to the root in the denominator.
        weight_decay: How strongly parameters are drawn to zero.
        decoupled: Shrink the parameters themselves rather than add to the gradient.
        maximize: Go up instead of down.

    Source:
        Dozat, "Incorporating Nesterov momentum into Adam", 2016.
    """
    for i, (param, grad, mean, square) in enumerate(
        zip(params, grads, exp_avgs, exp_avg_sqs, strict=True)
    ):
        if decoupled and weight_decay:
            param.mul_(1 - lr * weight_decay)
        gradient = _directed(param, grad, 0 if decoupled else weight_decay, maximize)
        _average_(mean, gradient, beta1)
        _mean_square_(square, gradient, beta2)
        root = (square / (1 - beta2 ** steps[i])).sqrt() + eps
        now = lr * (1 - mus[i]) / (1 - mu_products[i])
        ahead = lr * next_mus[i] / (1 - mu_products[i] * next_mus[i])
        param.sub_(gradient / root * now).sub_(kept(mean) / root * ahead)


@_update("params", "exp_avgs", "exp_avg_sqs")
def _fused_radam_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    exp_avgs: Sequence[Tensor],
    exp_avg_sqs: Sequence[Tensor],
    *,
    steps: Sequence[float],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    """Take a step of Adam, rectified while the average of squares rests on few gradients.

    Args:
        params: What is optimised.
        grads: A gradient each.
        exp_avgs: The moving average of the gradient.
        exp_avg_sqs: The moving average of its square.
        steps: How many steps each parameter has been taken, this one included.
        lr: The learning rate.
        beta1: How much of the first average is kept.
        beta2: How much of the second is kept.
        eps: Added to the root in the denominator.
        weight_decay: How strongly parameters are drawn to zero.
        decoupled: Shrink the parameters themselves rather than add to the gradient.
        maximize: Go up instead of down.

    Source:
        Liu and others, "On the variance of the adaptive learning rate and beyond", 2020.
    """
    for param, grad, mean, square, step in zip(
        params, grads, exp_avgs, exp_avg_sqs, steps, strict=True
    ):
        if decoupled and weight_decay:
            param.mul_(1 - lr * weight_decay)
        gradient = _directed(param, grad, 0 if decoupled else weight_decay, maximize)
        _average_(mean, gradient, beta1)
        _mean_square_(square, gradient, beta2)
        change = mean / (1 - beta1**step)
        left = 1 - beta2**step
        factor = _rectification(beta2, step, left)
        if factor is not None:
            change = change * (factor * left**0.5) / (square.sqrt() + eps)
        param.sub_(change * lr)


def _rectification(beta2: float, step: float, left: float) -> float | None:
    """Return what the variance of the adaptive rate is corrected by; None if it is unbounded."""
    limit = 2 / (1 - beta2) - 1
    length = limit - 2 * step * beta2**step / left
    if length <= 5:
        return None
    ratio = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
    return float(ratio**0.5)
