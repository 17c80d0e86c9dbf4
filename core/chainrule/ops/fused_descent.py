"""Steps of the optimizers that average, count signs, factor or orthogonalise.

Each op takes one step for all parameters of a group; see fused.py. The bodies say what is computed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..typeinfo import finfo
from .comparison import eq
from .fused import _update, kept
from .fused_adaptive import _average_, _directed
from .norms import vector_norm
from .selection import where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["_fused_adafactor_", "_fused_asgd_", "_fused_muon_", "_fused_rprop_"]


@_update("params", "axs")
def _fused_asgd_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    axs: Sequence[Tensor],
    *,
    etas: Sequence[float],
    mus: Sequence[float],
    lambd: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Take a step of gradient descent and move the average of the parameters along.

    Args:
        params: What is optimised.
        grads: A gradient each.
        axs: The average of the parameter.
        etas: The learning rate of each, at this step.
        mus: How far each average moves towards its parameter.
        lambd: How strongly parameters shrink.
        weight_decay: How strongly parameters are drawn to zero.
        maximize: Go up instead of down.

    Source:
        Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992, with
        the schedule of Bottou, "Stochastic gradient descent tricks", 2012.
    """
    for param, grad, average, eta, mu in zip(params, grads, axs, etas, mus, strict=True):
        gradient = _directed(param, grad, weight_decay, maximize)
        param.mul_(1 - lambd * eta).sub_(gradient * eta)
        if mu == 1:
            average.copy_(param)
        else:
            average.add_((param - average) * mu)


@_update("params", "prevs", "step_sizes")
def _fused_rprop_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    prevs: Sequence[Tensor],
    step_sizes: Sequence[Tensor],
    *,
    shrink: float,
    grow: float,
    smallest: float,
    largest: float,
    maximize: bool,
) -> None:
    """Step against the sign of each gradient, further while the sign stays.

    Args:
        params: What is optimised.
        grads: A gradient each.
        prevs: The gradient of the step before; zero where the sign has just changed.
        step_sizes: How far each element goes.
        shrink: What the size is multiplied by where the sign changed.
        grow: What it is multiplied by where the sign stayed.
        smallest: The least size.
        largest: The greatest size.
        maximize: Go up instead of down.

    Source:
        Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning: the
        RPROP algorithm", 1993, in the variant without a step back.
    """
    for param, grad, before, size in zip(params, grads, prevs, step_sizes, strict=True):
        gradient = -grad if maximize else grad
        agreement = (gradient * kept(before)).sign()
        turned = eq(agreement, -1)
        factor = where(turned, shrink, where(eq(agreement, 1), grow, 1.0))
        size.mul_(factor.to(size.dtype)).clamp_(smallest, largest)
        left = gradient.masked_fill(turned, 0)
        param.sub_(left.sign() * kept(size))
        before.copy_(left)


@_update("params", "variances", "row_vars", "col_vars")
def _fused_adafactor_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    variances: Sequence[Tensor],
    row_vars: Sequence[Tensor],
    col_vars: Sequence[Tensor],
    *,
    steps: Sequence[float],
    lr: float,
    beta2_decay: float,
    eps1: float | None,
    eps2: float,
    d: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Scale each gradient by an average of squares, kept for a matrix as one row and one column.

    The parameters are all matrices (or stacks of them), with *row_vars* and *col_vars* and no
    *variances*; or none is.

    Args:
        params: What is optimised.
        grads: A gradient each.
        variances: The moving average of the squared gradient; empty for matrices.
        row_vars: That of its mean over each row, ``(*, rows, 1)``.
        col_vars: That of its mean over each column, ``(*, 1, columns)``.
        steps: How many steps each parameter has been taken, this one included.
        lr: The learning rate, relative to the size of the parameter.
        beta2_decay: The exponent of the step in how far averages move.
        eps1: The least root mean square of a gradient; None for the dtype's resolution.
        eps2: The least root mean square of a parameter.
        d: The root mean square above which a step is clipped.
        weight_decay: How strongly parameters are drawn to zero.
        maximize: Go up instead of down.

    Source:
        Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018.
    """
    for i, (param, grad, step) in enumerate(zip(params, grads, steps, strict=True)):
        gradient = -grad if maximize else grad
        least = finfo(param.dtype).eps if eps1 is None else eps1
        moved = step**beta2_decay
        size = max(eps2, vector_norm(param).item() / math.sqrt(param.numel()))
        rate = size * min(lr, 1 / math.sqrt(step))
        if weight_decay:
            param.mul_(1 - lr * weight_decay)
        square = gradient * gradient
        if row_vars:
            row, column = row_vars[i], col_vars[i]
            _average_(row, square.mean(-1, keepdim=True), 1 - moved)
            _average_(column, square.mean(-2, keepdim=True), 1 - moved)
            estimate = row @ column / row.mean(-2, keepdim=True).clamp(min=least)
        else:
            _average_(variances[i], square, 1 - moved)
            estimate = variances[i]
        update = gradient * estimate.clamp(min=least * least).rsqrt()
        clip = max(1.0, vector_norm(update).item() / (math.sqrt(update.numel()) * d))
        param.sub_(update * (rate / clip))


@_update("params", "momentum_buffers")
def _fused_muon_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    momentum_buffers: Sequence[Tensor],
    *,
    rates: Sequence[float],
    lr: float,
    weight_decay: float,
    momentum: float,
    nesterov: bool,
    ns_coefficients: tuple[float, float, float],
    eps: float,
    ns_steps: int,
) -> None:
    """Step along the nearest orthogonal matrix of the moving average of the gradient.

    Args:
        params: Matrices.
        grads: A gradient each.
        momentum_buffers: The moving average of the gradient.
        rates: The learning rate of each, adjusted to its shape.
        lr: The learning rate, for the weight decay.
        weight_decay: How strongly parameters shrink.
        momentum: How much of the average is kept.
        nesterov: Look ahead along the average.
        ns_coefficients: Of X, of X Xᵀ X and of its next power, in an iteration.
        eps: The least norm to divide by.
        ns_steps: How many iterations.

    Source:
        Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024.
    """
    for param, grad, average, rate in zip(params, grads, momentum_buffers, rates, strict=True):
        _average_(average, grad, momentum)
        update = grad + (average - grad) * momentum if nesterov else average
        update = _orthogonal(update, ns_coefficients, eps, ns_steps)
        param.mul_(1 - lr * weight_decay).sub_(update * rate)


def _orthogonal(
    matrix: Tensor, coefficients: tuple[float, float, float], eps: float, steps: int
) -> Tensor:
    """Return nearly the orthogonal factor of *matrix*: its singular values become about one.

    Each step of the Newton-Schulz iteration applies ``a·s + b·s³ + c·s⁵`` to every singular value.
    """
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x: Any = matrix.T if tall else matrix
    x = x / vector_norm(x).clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    turned: Tensor = x.T if tall else x
    return turned
