"""Losses that compare numbers: squared and absolute errors.

Each computes one value per element and reduces it: ``"none"``, ``"mean"`` or ``"sum"``, which the
nodes save as PyTorch's numbers 0, 1 and 2.
"""

from __future__ import annotations

from math import prod as product
from typing import TYPE_CHECKING, Any, Final

from .._warn import warn
from ..errors import AutogradError, DomainError
from ..grad_mode import mode
from ..op import composite
from ..shapes import broadcast_shapes
from ._arguments import check_tensor
from .activation import hardtanh
from .reductions import mean, sum
from .shape import expand

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]

NONE, MEAN, SUM = 0, 1, 2
CODES: Final = {"mean": MEAN, "sum": SUM, "none": NONE}


# What the losses share


def reduction_code(
    reduction: str, size_average: bool | None = None, reduce: bool | None = None
) -> int:
    """Return the number of a reduction, also from the two flags that came before its name.

    Raises:
        ValueError: there is no such reduction.
    """
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warn(
            "size_average and reduce args will be deprecated, please use "
            f"reduction='{reduction}' instead.",
            UserWarning,
            stacklevel=3,
        )
    code = CODES.get(reduction)
    if code is None:
        msg = (
            f"{reduction} is not a valid value for reduction\n"
            f"reduction: expected 'none', 'mean' or 'sum', got {reduction!r}."
        )
        raise ValueError(msg)
    return code


def reduced(loss: Tensor, reduction: int) -> Tensor:
    """Return the mean or the sum of the losses, or all of them."""
    return mean(loss) if reduction == MEAN else sum(loss) if reduction == SUM else loss


def spread_grad(grad: Tensor, shape: tuple[int, ...], reduction: int) -> Tensor:
    """Return the gradient of the single losses, up to broadcasting, for that of the reduced one."""
    return grad / max(product(shape), 1) if reduction == MEAN else grad


def no_integers(kernel: str) -> dict[str, str]:
    """Return what a loss of real numbers does not take, with PyTorch's name of its kernel."""
    return dict.fromkeys(("bool", "integer", "complex"), kernel)


def must_not_require_grad(function: str, **arguments: Tensor | None) -> None:
    """Check that nobody waits for a gradient by an argument that has none.

    Raises:
        RuntimeError: one of them requires grad, and operations are recorded.
    """
    if not mode.enabled:
        return
    for name, tensor in arguments.items():
        if tensor is not None and tensor._requires_grad:
            msg = (
                f"The function '{function}' is not differentiable with respect to argument "
                f"'{name}'. This input cannot have requires_grad True.\n"
                f"{function}: pass {name}.detach()."
            )
            raise AutogradError(msg)


def _of_one_shape(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return both expanded to one shape, with PyTorch's warning if they were not of one."""
    if input._array.shape == target._array.shape:
        return input, target
    warn(
        f"Using a target size ({target.shape}) that is different to the input size "
        f"({input.shape}). This will likely lead to incorrect results due to broadcasting. Please "
        "ensure they have the same size.",
        UserWarning,
        stacklevel=3,
    )
    shape = broadcast_shapes(input._array.shape, target._array.shape)
    first, second = (t if t._array.shape == shape else expand(t, shape) for t in (input, target))
    return first, second


def _check_weight(input: Tensor, weight: Tensor) -> None:
    if weight._array.shape != input._array.shape:
        msg = (
            "Weights and input must have the same size.\n"
            f"weight: expected shape {tuple(input._array.shape)}, got "
            f"{tuple(weight._array.shape)}."
        )
        raise ValueError(msg)


def _weighted(loss: Tensor, weight: Tensor, reduction: int) -> Tensor:
    """Return *loss* times *weight*, reduced; the mean is over the weights."""
    weighted = loss * weight
    return sum(weighted) / sum(weight) if reduction == MEAN else reduced(weighted, reduction)


# Squared error


@composite(promote="arithmetic", nodes={"": "MseLossBackward0"}, refuses=no_integers("mse_cpu"))
def _mse_loss(self: Tensor, target: Tensor, reduction: int = MEAN) -> Tensor:
    """Return the squared differences of two tensors of one shape, reduced."""
    away = self - target
    return reduced(away * away, reduction)


@composite
def _mse_loss_backward(
    grad_output: Tensor, self: Tensor, target: Tensor, reduction: int = MEAN
) -> Tensor:
    """Return the gradient of `_mse_loss` by *self*; that by *target* is its negative."""
    gradient: Tensor = (self - target) * (
        2 * spread_grad(grad_output, self._array.shape, reduction)
    )
    return gradient


_mse_loss.vjp(
    self=lambda grad, self, target, reduction: _mse_loss_backward(grad, self, target, reduction),
    target=lambda grad, self, target, reduction: _mse_loss_backward(grad, target, self, reduction),
)
_mse_loss_backward.vjp(
    grad_output=lambda grad, self, target, reduction: _mse_loss_backward(
        grad, self, target, reduction
    ),
    self=lambda grad, grad_output, self_shape, reduction: (
        grad * (2 * spread_grad(grad_output, self_shape, reduction))
    ),
    target=lambda grad, grad_output, self_shape, reduction: (
        -grad * (2 * spread_grad(grad_output, self_shape, reduction))
    ),
)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the squared differences of *input* and *target*, by default their mean.

    Args:
        input: ``(*)``, floating.
        target: ``(*)``; another shape is broadcast, with a warning.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: ``(*)``, a factor per element; the mean is then divided by their sum.

    Returns:
        ``()``; ``(*)`` without reduction.

    Raises:
        ValueError: there is no such reduction, or *weight* has another shape.

    Gradient:
        ``2 * (input - target) / n`` for *input*, its negative for *target*.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> loss = cr.nn.functional.mse_loss(x, cr.tensor([0.0, 4.0]))
    >>> loss.backward()
    >>> loss, x.grad
    (tensor(2.5000, grad_fn=<MseLossBackward0>), tensor([ 1., -2.]))
    """
    check_tensor("mse_loss", input)
    check_tensor("mse_loss", target, "target", 2)
    code = reduction_code(reduction, size_average, reduce)
    input, target = _of_one_shape(input, target)
    if weight is not None:
        _check_weight(input, weight)
        return _weighted((input - target) ** 2, weight, code)
    return _mse_loss(input, target) if code == MEAN else _mse_loss(input, target, code)


# Absolute error, and what is squared near zero


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the absolute differences of *input* and *target*, by default their mean.

    Args:
        input: ``(*)``.
        target: ``(*)``; another shape is broadcast, with a warning.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: ``(*)``, a factor per element; the mean is then divided by their sum.

    Returns:
        ``()``; ``(*)`` without reduction.

    Raises:
        ValueError: there is no such reduction, or *weight* has another shape.

    Gradient:
        ``sgn(input - target) / n`` for *input*, its negative for *target*; zero where both are
        equal.

    >>> import chainrule as cr
    >>> cr.nn.functional.l1_loss(cr.tensor([1.0, 2.0]), cr.tensor([0.0, 4.0]))
    tensor(1.5000)
    """
    check_tensor("l1_loss", input)
    check_tensor("l1_loss", target, "target", 2)
    code = reduction_code(reduction, size_average, reduce)
    input, target = _of_one_shape(input, target)
    loss = (input - target).abs()
    if weight is None:
        return reduced(loss, code)
    _check_weight(input, weight)
    return _weighted(loss, weight, code)


@composite(
    promote="arithmetic",
    nodes={"": "SmoothL1LossBackward0"},
    refuses=no_integers("smooth_l1_cpu"),
)
def _smooth_l1_loss(
    self: Tensor, target: Tensor, reduction: int = MEAN, beta: float = 1.0
) -> Tensor:
    """Return the smooth absolute differences of two tensors of one shape, reduced."""
    away = (self - target).abs()
    near = away.clamp(max=beta)
    return reduced(near * (away - near / 2) / beta, reduction)


def _smooth_l1_rule(grad: Tensor, self: Tensor, target: Tensor, reduction: int, beta: float) -> Any:
    slope = hardtanh(self - target, -beta, beta)  # no curvature where it begins to be linear
    return slope * (spread_grad(grad, self._array.shape, reduction) / beta)


_smooth_l1_loss.vjp(
    self=_smooth_l1_rule,
    target=lambda grad, self, target, reduction, beta: (
        -_smooth_l1_rule(grad, self, target, reduction, beta)
    ),
)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Return the absolute differences, squared where they are smaller than *beta*.

    Args:
        input: ``(*)``, floating.
        target: ``(*)``; another shape is broadcast, with a warning.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: Differences d below it give ``d ** 2 / (2 * beta)``, others ``d - beta / 2``; 0 makes
            it the `l1_loss`.

    Returns:
        ``()``; ``(*)`` without reduction.

    Raises:
        RuntimeError: *beta* is negative.
        ValueError: there is no such reduction.

    Gradient:
        ``clamp((input - target) / beta, -1, 1) / n`` for *input*, its negative for *target*.

    >>> import chainrule as cr
    >>> F = cr.nn.functional
    >>> F.smooth_l1_loss(cr.tensor([1.0, 4.0]), cr.tensor([1.5, 0.0]), reduction="none")
    tensor([0.1250, 3.5000])
    """
    check_tensor("smooth_l1_loss", input)
    check_tensor("smooth_l1_loss", target, "target", 2)
    code = reduction_code(reduction, size_average, reduce)
    input, target = _of_one_shape(input, target)
    if beta == 0:
        return reduced((input - target).abs(), code)
    if beta < 0:
        msg = (
            "smooth_l1_loss does not support negative values for beta.\n"
            f"smooth_l1_loss: expected beta >= 0, got {beta}."
        )
        raise DomainError(msg)
    return _smooth_l1_loss(input, target, code, beta)


@composite(promote="arithmetic", nodes={"": "HuberLossBackward0"}, refuses=no_integers("huber_cpu"))
def _huber_loss(self: Tensor, target: Tensor, reduction: int = MEAN, delta: float = 1.0) -> Tensor:
    """Return Huber's loss of two tensors of one shape, reduced."""
    away = (self - target).abs()
    near = away.clamp(max=delta)
    return reduced(near * (away - near / 2), reduction)


def _huber_rule(grad: Tensor, self: Tensor, target: Tensor, reduction: int, delta: float) -> Any:
    slope = hardtanh(self - target, -delta, delta)  # likewise
    return slope * spread_grad(grad, self._array.shape, reduction)


_huber_loss.vjp(
    self=_huber_rule,
    target=lambda grad, self, target, reduction, delta: (
        -_huber_rule(grad, self, target, reduction, delta)
    ),
)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Return half the squared differences; beyond *delta* they grow linearly.

    Args:
        input: ``(*)``, floating.
        target: ``(*)``; another shape is broadcast, with a warning.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: Differences d below it give ``d ** 2 / 2``, others ``delta * (d - delta / 2)``.
        weight: ``(*)``, a factor per element.

    Returns:
        ``()``; ``(*)`` without reduction.

    Raises:
        RuntimeError: *delta* is not positive.
        ValueError: there is no such reduction, or *weight* has another shape.

    Gradient:
        ``clamp(input - target, -delta, delta) / n`` for *input*, its negative for *target*.

    Source:
        P. J. Huber (1964), Robust estimation of a location parameter.

    >>> import chainrule as cr
    >>> F = cr.nn.functional
    >>> F.huber_loss(cr.tensor([1.0, 4.0]), cr.tensor([1.5, 0.0]), reduction="none")
    tensor([0.1250, 3.5000])
    """
    check_tensor("huber_loss", input)
    check_tensor("huber_loss", target, "target", 2)
    code = reduction_code(reduction)
    input, target = _of_one_shape(input, target)
    if delta <= 0:
        msg = (
            "huber_loss does not support non-positive values for delta.\n"
            f"huber_loss: expected delta > 0, got {delta}."
        )
        raise DomainError(msg)
    if weight is None:
        return _huber_loss(input, target, code, delta)
    _check_weight(input, weight)
    return reduced(_huber_loss(input, target, NONE, delta) * weight, code)
