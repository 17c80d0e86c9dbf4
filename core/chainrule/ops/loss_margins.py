"""Losses that want the scores of right classes to be ahead of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import DomainError, DTypeError, ShapeError
from ..op import composite
from ._arguments import check_tensor, zeros_shaped
from ._operands import occurs
from .loss import (
    MEAN,
    NONE,
    must_not_require_grad,
    no_integers,
    reduced,
    reduction_code,
    spread_grad,
)
from .reductions import mean, sum

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss",
    "soft_margin_loss",
]  # fmt: skip


@composite(nodes={"": "SoftMarginLossBackward0"})
def _soft_margin_loss(self: Tensor, target: Tensor, reduction: int = MEAN) -> Tensor:
    """Return log(1 + exp(-target * self)), reduced."""
    score = self * target
    return reduced((-score.abs()).exp().log1p() + (-score).clamp_min(0), reduction)


_soft_margin_loss.vjp(
    self=lambda grad, self, target, reduction: (
        -target * (-target * self).sigmoid() * spread_grad(grad, _common(self, target), reduction)
    ),
    target=None,
)


def _common(self: Tensor, target: Tensor) -> tuple[int, ...]:
    return ops.broadcast_shapes(self._array.shape, target._array.shape)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return ``log(1 + exp(-target * input))``, by default the mean.

    Args:
        input: ``(*)``, scores.
        target: ``(*)``: 1 or -1.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; ``(*)`` without reduction.

    Raises:
        ValueError: there is no such reduction.

    Gradient:
        ``-target * sigmoid(-target * input) / n``.

    Differs from PyTorch:
        Large wrong scores do not overflow.

    >>> import chainrule as cr
    >>> cr.nn.functional.soft_margin_loss(cr.tensor([0.0, 1000.0]), cr.tensor([1.0, 1.0]))
    tensor(0.3466)
    """
    check_tensor("soft_margin_loss", input)
    check_tensor("soft_margin_loss", target, "target", 2)
    code = reduction_code(reduction, size_average, reduce)
    must_not_require_grad("soft_margin_loss", target=target)
    return _soft_margin_loss(input, target, code)


@composite(
    nodes={"": "MultiMarginLossBackward0"}, refuses=no_integers("multi_margin_loss_cpu_kernel")
)
def _multi_margin_loss(
    self: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    p: int = 1,
    margin: float = 1.0,
    reduction: int = MEAN,
) -> Tensor:
    """Return what wrong classes' scores lack to be *margin* below the right one's, over classes."""
    lack, others, weights = _lacks(self, target, weight, margin)
    return reduced(mean(ops.where(others, lack**p * weights, 0), -1), reduction)


def _lacking(lack: Tensor) -> Any:
    """Return *lack* where it is positive, else zero: also where it is NaN, as in PyTorch."""
    return ops.where(lack > 0, lack, 0)


def _lacks(
    self: Tensor, target: Tensor, weight: Tensor | None, margin: float
) -> tuple[Tensor, Tensor, Tensor | int]:
    """Return the shortfalls, which classes are not the right one, and its weights."""
    classes = self._array.shape[-1]
    if occurs((target < 0) | (target >= classes)):
        msg = f"target out of range\nmulti_margin_loss: expected classes from 0 to {classes - 1}."
        raise DomainError(msg)
    right = target.unsqueeze(-1)
    lack = _lacking(margin - self.gather(-1, right) + self)
    others = ops.arange(classes, device=self.device) != right
    return lack, others, 1 if weight is None else weight[right]


def _multi_margin_rule(
    grad: Tensor,
    self: Tensor,
    target: Tensor,
    weight: Tensor | None,
    p: int,
    margin: float,
    reduction: int,
) -> Any:
    lack, others, weights = _lacks(self, target, weight, margin)
    slope = (lack > 0) * weights if p == 1 else 2 * lack * weights
    shape = tuple(self._array.shape)
    spread = spread_grad(grad, shape[:-1], reduction)
    if reduction == NONE and len(shape) > 1:
        spread = spread.unsqueeze(-1)
    pushed = ops.where(others, slope * spread / max(shape[-1], 1), 0)
    pulled = -sum(pushed, -1, True)
    return ops.where(others, pushed, pulled)


_multi_margin_loss.vjp(
    self=_multi_margin_rule,
    target=None,
    weight=None,
)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean over classes of ``max(0, margin - right + other) ** p``.

    Args:
        input: ``(N, C)`` or ``(C)``, scores.
        target: ``(N)`` or ``()``, the right classes, int64.
        p: 1 or 2.
        margin: By how much the right class should be ahead.
        weight: ``(C)``, a factor per right class.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; ``(N)`` without reduction.

    Raises:
        ValueError: *p* is neither 1 nor 2, or there is no such reduction.
        RuntimeError: shapes or dtypes do not fit, or a target is no class.

    Gradient:
        Up at other classes that lack distance, down by their sum at the right one.

    >>> import chainrule as cr
    >>> cr.nn.functional.multi_margin_loss(cr.tensor([[0.5, 1.0, 0.0]]), cr.tensor([1]))
    tensor(0.1667)
    """
    check_tensor("multi_margin_loss", input)
    check_tensor("multi_margin_loss", target, "target", 2)
    code = reduction_code(reduction, size_average, reduce)
    if p not in {1, 2}:
        msg = f"only p == 1 and p == 2 supported\nmulti_margin_loss: got p={p}."
        raise ValueError(msg)
    if not input._array.shape:
        input = input.unsqueeze(0)  # one class
    shape, found = list(input._array.shape), list(target._array.shape)
    if not 1 <= len(shape) <= 2 or shape[-1] == 0:
        msg = (
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{shape}\n"
            "multi_margin_loss: expected scores of shape (N, C) or (C)."
        )
        raise ShapeError(msg)
    batch = shape[:-1] or [1]
    if found != batch and not (found == [] and len(shape) == 1):
        msg = (
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input "
            f"samples (batch size). Expected target size {batch}, but got {found}. Input has shape "
            f"{shape}."
        )
        raise ShapeError(msg)
    if target._key.dtype.name != "int64":
        raise _not_long("multi_margin_loss", target)
    if weight is not None and list(weight._array.shape) != shape[-1:]:
        msg = (
            f"inconsistent weight size, expected {shape[-1]} but got {list(weight._array.shape)}\n"
            "multi_margin_loss: expected one weight per class."
        )
        raise ShapeError(msg)
    must_not_require_grad("multi_margin_loss", weight=weight)
    loss = _multi_margin_loss(input, target.reshape(shape[:-1]), weight, p, margin, code)
    return loss.reshape(found) if code == NONE and found != shape[:-1] else loss


def _not_long(function: str, target: Tensor) -> DTypeError:
    return DTypeError(
        f"expected scalar type Long but found {target._key.dtype.scalar_name}\n"
        f"{function}: classes are int64. Convert with .long()."
    )


@composite(
    nodes={"": "MultilabelMarginLossBackward0"},
    outputs=("output", "is_target"),
    refuses=no_integers("multilabel_margin_loss_forward_out_frame"),
)
def _multilabel_margin_loss(
    self: Tensor, target: Tensor, reduction: int = MEAN
) -> tuple[Tensor, Tensor]:
    """Return what other classes' scores lack to be 1 below those of the targets, over classes."""
    listed = _listed(target)
    is_target = _is_target(self, target, listed)
    lack = _pair_lacks(self, target, listed, is_target)
    return reduced(sum(lack, (-2, -1)) / self._array.shape[-1], reduction), is_target


def _listed(target: Tensor) -> Any:
    """Return which places of the lists of targets stand before the first -1."""
    return (target < 0).cumsum(-1) == 0


def _is_target(self: Tensor, target: Tensor, listed: Tensor) -> Any:
    """Return 1 at the classes that are listed, 0 at others."""
    index = ops.where(listed, target, 0)
    return (
        zeros_shaped(self, tuple(self._array.shape))
        .scatter_add(-1, index, listed.to(self.dtype))
        .sign()
    )


def _pair_lacks(self: Tensor, target: Tensor, listed: Tensor, is_target: Tensor) -> Any:
    """Return ``[..., k, c]``: what class c lacks to be 1 below the k-th target."""
    scores = self.gather(-1, ops.where(listed, target, 0)).unsqueeze(-1)
    lack = _lacking(1 - scores + self.unsqueeze(-2))
    counts = listed.unsqueeze(-1) & (is_target == 0).unsqueeze(-2)
    return ops.where(counts, lack, 0)


def _multilabel_margin_rule(
    grad: Tensor, self: Tensor, target: Tensor, is_target: Tensor, reduction: int
) -> Any:
    shape = tuple(self._array.shape)
    listed = _listed(target)
    lacking = (_pair_lacks(self, target, listed, is_target) > 0).to(self.dtype)
    pulled = -sum(lacking, -1)
    at_targets = zeros_shaped(self, shape).scatter_add(-1, ops.where(listed, target, 0), pulled)
    spread = spread_grad(grad, shape[:-1], reduction)
    if reduction == NONE and len(shape) > 1:
        spread = spread.unsqueeze(-1)
    return (sum(lacking, -2) + at_targets) * (spread / shape[-1])


_multilabel_margin_loss.vjp(
    self=_multilabel_margin_rule,
    target=None,
)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return ``max(0, 1 - right + other)`` summed over right and other classes, over the classes.

    Args:
        input: ``(N, C)`` or ``(C)``, scores.
        target: Likewise, int64: the right classes, ended by -1.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; ``(N)`` without reduction.

    Raises:
        RuntimeError: a target is no class, or shapes or dtypes do not fit.
        ValueError: there is no such reduction.

    Gradient:
        Up at other classes that lack distance, down by as much at the right ones.

    >>> import chainrule as cr
    >>> x, y = cr.tensor([0.1, 0.2, 0.4, 0.8]), cr.tensor([3, 0, -1, 1])
    >>> cr.nn.functional.multilabel_margin_loss(x, y)
    tensor(0.8500)
    """
    check_tensor("multilabel_margin_loss", input)
    check_tensor("multilabel_margin_loss", target, "target", 2)
    code = reduction_code(reduction, size_average, reduce)
    if input._array.shape != target._array.shape:
        msg = (
            f"inconsistent target size: {list(target._array.shape)} for input of size: "
            f"{list(input._array.shape)}\n"
            "multilabel_margin_loss: expected lists of classes, ended by -1."
        )
        raise ShapeError(msg)
    if not input._array.shape:
        input, target = input.unsqueeze(0), target.unsqueeze(0)  # one class
    if target._key.dtype.name != "int64":
        raise _not_long("multilabel_margin_loss", target)
    if occurs((target < -1) | (target >= input._array.shape[-1])):
        msg = (
            "argument #2 'target' is out of range\n"
            "multilabel_margin_loss: expected classes, ended by -1."
        )
        raise ShapeError(msg)
    return _multilabel_margin_loss(input, target, code)[0]


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean over classes of the cross entropy of ``sigmoid(input)``.

    Args:
        input: ``(N, C)``, scores.
        target: ``(N, C)``, 1 for the right classes, 0 for others.
        weight: ``(C)``, a factor per class.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; ``(N)`` without reduction.

    Raises:
        ValueError: there is no such reduction.

    >>> import chainrule as cr
    >>> F = cr.nn.functional
    >>> F.multilabel_soft_margin_loss(cr.tensor([[0.0, 0.0]]), cr.tensor([[1.0, 0.0]]))
    tensor(0.6931)
    """
    check_tensor("multilabel_soft_margin_loss", input)
    check_tensor("multilabel_soft_margin_loss", target, "target", 2)
    if reduction not in {"none", "mean", "sum"}:
        msg = f"{reduction} is not valid\nreduction: expected 'none', 'mean' or 'sum'."
        raise ValueError(msg)
    code = reduction_code(reduction, size_average, reduce)
    loss = -(target * ops.logsigmoid(input) + (1 - target) * ops.logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    last = len(input._array.shape) - 1
    return reduced(sum(loss, last) / input._array.shape[last], code)
