"""Losses of yes-or-no classifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import DomainError, DTypeError
from ..op import composite
from ._arguments import check_tensor
from ._operands import occurs
from .loss import (
    MEAN,
    must_not_require_grad,
    no_integers,
    reduced,
    reduction_code,
    spread_grad,
)

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits"]


@composite(nodes={"": "BinaryCrossEntropyBackward0"}, refuses=no_integers("binary_cross_entropy"))
def _binary_cross_entropy(
    self: Tensor, target: Tensor, weight: Tensor | None = None, reduction: int = MEAN
) -> Tensor:
    """Return the cross entropy of probabilities *self*, its logarithms never below -100."""
    _check_probable(self, "input")
    _check_probable(target, "target")
    loss = (target - 1) * (-self).log1p().clamp(min=-100) - target * self.log().clamp(min=-100)
    return reduced(loss if weight is None else loss * weight, reduction)


def _check_probable(tensor: Tensor, argument: str) -> None:
    if occurs(((tensor >= 0) & (tensor <= 1)).logical_not()):
        raise DomainError(
            f"all elements of {argument} should be between 0 and 1\n"
            "binary_cross_entropy: expected probabilities. For scores, use the form with logits."
        )


def _spread_weighted(
    grad: Tensor, weight: Tensor | None, shape: tuple[int, ...], reduction: int
) -> Tensor:
    spread = spread_grad(grad, shape, reduction)
    return spread if weight is None else spread * weight


def _cross_entropy_slope(self: Tensor, target: Tensor) -> Any:
    return (self - target) / (self * (1 - self)).clamp(min=1e-12)


_binary_cross_entropy.vjp(
    self=lambda grad, self, target, weight, reduction: (
        _cross_entropy_slope(self, target)
        * _spread_weighted(grad, weight, self._array.shape, reduction)
    ),
    target=lambda grad, self, weight, reduction: (
        ((-self).log1p() - self.log())
        * _spread_weighted(grad, weight, self._array.shape, reduction)
    ),
    weight=None,
)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return ``-target * log(input) - (1 - target) * log(1 - input)``, by default the mean.

    Args:
        input: ``(*)``, probabilities, floating.
        target: ``(*)``, from 0 to 1, of the same dtype.
        weight: A factor per element; broadcasts.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; ``(*)`` without reduction. Logarithms below -100 count as -100.

    Raises:
        RuntimeError: an element is no probability, or the dtypes differ.
        ValueError: the shapes differ, or there is no such reduction.

    Gradient:
        ``(input - target) / max(input * (1 - input), 1e-12) / n`` for *input*,
        ``(log(1 - input) - log(input)) / n`` for *target*.

    >>> import chainrule as cr
    >>> cr.nn.functional.binary_cross_entropy(cr.tensor([0.5, 0.75]), cr.tensor([1.0, 1.0]))
    tensor(0.4904)
    """
    check_tensor("binary_cross_entropy", input)
    check_tensor("binary_cross_entropy", target, "target", 2)
    code = reduction_code(reduction, size_average, reduce)
    must_not_require_grad("binary_cross_entropy", weight=weight)
    if input._array.shape != target._array.shape:
        msg = (
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size.\n"
            "binary_cross_entropy: expand the target yourself."
        )
        raise ValueError(msg)
    if target._key.dtype is not input._key.dtype:
        names = target._key.dtype.scalar_name, input._key.dtype.scalar_name
        msg = (
            f"Found dtype {names[0]} but expected {names[1]}\n"
            "binary_cross_entropy: convert the target first."
        )
        raise DTypeError(msg)
    weight = weight if weight is None else weight.to(input.dtype)
    return _binary_cross_entropy(input, target, weight, code)


@composite(
    promote="arithmetic",
    nodes={"": "BinaryCrossEntropyWithLogitsBackward0"},
    refuses=no_integers("log_sigmoid_cpu"),
)
def _binary_cross_entropy_with_logits(
    self: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: int = MEAN,
) -> Tensor:
    """Return the cross entropy of the sigmoid of *self*, without overflow."""
    below = _softplus_of_negative(self)
    if pos_weight is not None:
        below = below * ((pos_weight - 1) * target + 1)
    loss = (1 - target) * self + below
    return reduced(loss if weight is None else loss * weight, reduction)


def _softplus_of_negative(self: Tensor) -> Any:
    """Return log(1 + exp(-self)), without overflow."""
    return (-self.abs()).exp().log1p() + (-self).clamp(min=0)


def _logits_slope(self: Tensor, target: Tensor, pos_weight: Tensor | None) -> Any:
    if pos_weight is None:
        return self.sigmoid() - target
    positive = pos_weight * target
    return (positive + 1 - target) * self.sigmoid() - positive


def _logits_target_slope(self: Tensor, pos_weight: Tensor | None) -> Any:
    return -self if pos_weight is None else (pos_weight - 1) * _softplus_of_negative(self) - self


_binary_cross_entropy_with_logits.vjp(
    self=lambda grad, self, target, weight, pos_weight, reduction: (
        _logits_slope(self, target, pos_weight)
        * _spread_weighted(grad, weight, self._array.shape, reduction)
    ),
    target=lambda grad, self, weight, pos_weight, reduction: (
        _logits_target_slope(self, pos_weight)
        * _spread_weighted(grad, weight, self._array.shape, reduction)
    ),
    weight=None,
    pos_weight=None,
)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return the `binary_cross_entropy` of ``sigmoid(input)``, without overflow.

    Args:
        input: ``(*)``, scores, floating.
        target: ``(*)``, from 0 to 1.
        weight: A factor per element; broadcasts.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: A factor of the positive part; broadcasts.

    Returns:
        ``()``; ``(*)`` without reduction.

    Raises:
        ValueError: the shapes differ, or there is no such reduction.
        RuntimeError: *target* is not floating.

    Gradient:
        ``(sigmoid(input) - target) / n`` for *input*, ``-input / n`` for *target*.

    >>> import chainrule as cr
    >>> x = cr.tensor([0.0, 1000.0], requires_grad=True)
    >>> F = cr.nn.functional
    >>> F.binary_cross_entropy_with_logits(x, cr.tensor([1.0, 0.0]), reduction="sum").backward()
    >>> x.grad
    tensor([-0.5000,  1.0000])
    """
    check_tensor("binary_cross_entropy_with_logits", input)
    check_tensor("binary_cross_entropy_with_logits", target, "target", 2)
    code = reduction_code(reduction, size_average, reduce)
    if input._array.shape != target._array.shape:
        msg = (
            f"Target size ({target.shape}) must be the same as input size ({input.shape})\n"
            "binary_cross_entropy_with_logits: expand the target yourself."
        )
        raise ValueError(msg)
    must_not_require_grad("binary_cross_entropy_with_logits", weight=weight, pos_weight=pos_weight)
    if input._key.floating and not target._key.floating:
        names = input._key.dtype.scalar_name, target._key.dtype.scalar_name
        msg = (
            f"result type {names[0]} can't be cast to the desired output type {names[1]}\n"
            "binary_cross_entropy_with_logits: convert the target first."
        )
        raise DTypeError(msg)
    return _binary_cross_entropy_with_logits(input, target, weight, pos_weight, code)
