"""Losses that compare distributions: divergences and likelihoods."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .. import ops
from .._warn import warn
from ..errors import DTypeError
from ..grad_mode import no_grad
from ..value import Value
from ._arguments import check_tensor
from ._operands import occurs
from .loss import CODES, SUM, reduced, reduction_code

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = ["gaussian_nll_loss", "kl_div", "poisson_nll_loss"]


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Return ``target * (log(target) - input)``, the terms of the Kullback-Leibler divergence.

    Args:
        input: ``(*)``, logarithms of probabilities.
        target: ``(*)``, probabilities; their logarithms if *log_target*.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"batchmean"`` (the divergence), ``"mean"``, ``"sum"`` or ``"none"``.
        log_target: Whether *target* holds logarithms.

    Returns:
        ``()``; ``(*)`` without reduction. A probability of zero adds nothing.

    Raises:
        RuntimeError: one of them is not floating.
        ValueError: there is no such reduction.

    Gradient:
        ``-target`` for *input*, ``log(target) + 1 - input`` for *target*, divided as reduced.

    >>> import chainrule as cr
    >>> p, q = cr.tensor([[0.5, 0.5]]), cr.tensor([[0.25, 0.75]])
    >>> cr.nn.functional.kl_div(q.log(), p, reduction="batchmean")
    tensor(0.1438)
    """
    check_tensor("kl_div", input)
    check_tensor("kl_div", target, "target", 2)
    if reduction == "mean" and size_average is None and reduce is None:
        warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition.'mean' will be changed to behave the same as 'batchmean' in the next major "
            "release.",
            UserWarning,
            stacklevel=2,
        )
    batchmean = reduction == "batchmean" and size_average is None and reduce is None
    code = SUM if batchmean else reduction_code(reduction, size_average, reduce)
    if not (input._key.floating and target._key.floating):
        msg = (
            "kl_div: Integral inputs not supported.\n"
            "kl_div: expected floating tensors. Convert with .float()."
        )
        raise DTypeError(msg)
    if log_target:
        loss = target.exp() * (target - input)
    else:
        loss = ops.xlogy(target, target) - target * input
    total = reduced(loss, code)
    return total / input._array.shape[0] if batchmean and input._array.shape else total


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative log likelihood of the counts *target* under Poisson distributions.

    Args:
        input: ``(*)``, the logarithms of the rates; the rates if not *log_input*.
        target: ``(*)``, counts.
        log_input: Whether *input* holds logarithms.
        full: Add Stirling's approximation of ``log(target!)`` where *target* exceeds one.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        eps: Added to rates before their logarithm is taken.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; ``(*)`` without reduction.

    Raises:
        ValueError: there is no such reduction.

    Gradient:
        ``exp(input) - target`` for *input*; ``1 - target / (input + eps)`` if not *log_input*.

    >>> import chainrule as cr
    >>> cr.nn.functional.poisson_nll_loss(cr.tensor([0.0, 1.0]), cr.tensor([1.0, 2.0]))
    tensor(0.8591)
    """
    check_tensor("poisson_nll_loss", input)
    check_tensor("poisson_nll_loss", target, "target", 2)
    code = reduction_code(reduction, size_average, reduce)
    rate, log_rate = (input.exp(), input) if log_input else (input, (input + eps).log())
    loss = rate - target * log_rate
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return reduced(loss, code)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | Number,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative log likelihood of *target* under normal distributions.

    Args:
        input: ``(N, *)``, the means.
        target: ``(N, *)``.
        var: The variances: a number, ``(N, *)``, or with a last dimension of size 1 or none.
        full: Add the constant ``log(2π) / 2``.
        eps: What variances are raised to, without their gradient noticing.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; ``(N, *)`` without reduction.

    Raises:
        ValueError: *var* has a negative element or does not fit, or there is no such reduction.

    Gradient:
        ``(input - target) / var`` for *input*.

    >>> import chainrule as cr
    >>> cr.nn.functional.gaussian_nll_loss(cr.tensor([1.0]), cr.tensor([3.0]), cr.tensor([4.0]))
    tensor(1.1931)
    """
    check_tensor("gaussian_nll_loss", input)
    check_tensor("gaussian_nll_loss", target, "target", 2)
    if not isinstance(var, Value):
        var = ops.full_like(input.detach(), var)
    if occurs(var < 0):
        msg = "var has negative entry/entries\ngaussian_nll_loss: expected var >= 0."
        raise ValueError(msg)
    var = _fitting(var, input)
    if reduction not in CODES:
        msg = f"{reduction} is not valid\nreduction: expected 'none', 'mean' or 'sum'."
        raise ValueError(msg)
    var = var.clone()
    with no_grad():
        var.clamp_(min=eps)
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(loss, CODES[reduction])


def _fitting(var: Tensor, input: Tensor) -> Tensor:
    """Return the variances so that they broadcast against *input*, one each or one per row."""
    shape, found = tuple(input._array.shape), tuple(var._array.shape)
    if found == shape or (shape[:-1] == found[:-1] and found[-1:] == (1,)):
        return var
    if shape[:-1] == found:
        return var.unsqueeze(-1)
    if len(shape) == len(found):  # one dimension may have one variance for all
        others = [v for n, v in zip(shape, found, strict=True) if n != v]
        if others == [1]:
            return var
    msg = (
        "var is of incorrect size\n"
        f"gaussian_nll_loss: expected {shape}, {(*shape[:-1], 1)} or {shape[:-1]}, got {found}."
    )
    raise ValueError(msg)
