"""Losses of classifiers: the likelihood of the right class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import DimError, DTypeError, ShapeError
from ..op import composite
from ._arguments import check_tensor
from ._operands import first_of, occurs, zeros_of
from .loss import (
    MEAN,
    NONE,
    SUM,
    must_not_require_grad,
    no_integers,
    reduced,
    reduction_code,
)
from .reductions import sum
from .shape import reshape

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["cross_entropy", "nll_loss"]


# Negative log likelihood


def class_dim(shape: tuple[int, ...]) -> int:
    return 0 if len(shape) == 1 else 1


def chosen(
    target: Tensor, weight: Tensor | None, classes: int, ignore_index: int, like: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the classes to look at, 0 for those ignored, and the weight of each, 0 likewise.

    Raises:
        DimError: a target is no class.
    """
    counts = target != ignore_index
    index = ops.where(counts, target.long(), 0)
    wrong = (index < 0) | (index >= classes)
    if occurs(wrong):
        raise out_of_bounds(first_of(index, wrong), classes)
    if weight is None:
        return index, counts.to(like.dtype)
    return index, ops.where(counts, weight[index], 0)


def out_of_bounds(target: int, classes: int) -> DimError:
    """Return the error for a target that is no class."""
    return DimError(
        f"Target {target} is out of bounds.\n"
        f"nll_loss: expected classes from 0 to {classes - 1}, or ignore_index."
    )


@composite(
    nodes={"spatial": "NllLoss2DBackward0", "": "NllLossBackward0"},
    outputs=("output", "total_weight"),
    refuses=no_integers("nll_loss_out_frame"),
)
def _nll_loss(
    self: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: int = MEAN,
    ignore_index: int = -100,
    spatial: bool | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the weighted negative elements at the targets, reduced, and the sum of the weights.

    *spatial* says that there are dimensions behind that of the classes; the node is called for it.
    """
    dim = class_dim(self._array.shape)
    index, weights = chosen(target, weight, self._array.shape[dim], ignore_index, self)
    picked = self.gather(dim, index.unsqueeze(dim)).squeeze(dim)
    loss = -ops.where(weights == 0, 0, picked * weights)
    total = sum(weights)
    if reduction == NONE:
        return loss, total
    return (sum(loss) / total if reduction == MEAN else sum(loss)), total


@composite
def _nll_loss_backward(
    grad_output: Tensor,
    self: Tensor,
    target: Tensor,
    weight: Tensor | None,
    total_weight: Tensor,
    reduction: int = MEAN,
    ignore_index: int = -100,
) -> Tensor:
    """Return the gradient of `_nll_loss`: nonzero at the targets alone."""
    shape = tuple(self._array.shape)
    dim = class_dim(shape)
    index, weights = chosen(target, weight, shape[dim], ignore_index, self)
    scale = grad_output / total_weight if reduction == MEAN else grad_output
    at_targets = -ops.where(weights == 0, 0, weights * scale)
    grad: Tensor = zeros_of(self)
    return grad.scatter(dim, index.unsqueeze(dim), at_targets.unsqueeze(dim))


_nll_loss.vjp(
    self=lambda grad, self, target, weight, total_weight, reduction, ignore_index: (
        _nll_loss_backward(grad, self, target, weight, total_weight, reduction, ignore_index)
    ),
    target=None,
    weight=None,
)
_nll_loss_backward.vjp(
    grad_output=lambda grad, target, weight, reduction, ignore_index: _nll_loss(
        grad, target, weight, reduction, ignore_index
    )[0],
    self=lambda grad: zeros_of(grad),
    target=None,
    weight=None,
    total_weight=None,
)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative elements of *input* at the classes *target*, by default their mean.

    With logarithms of probabilities as *input* this is the negative log likelihood.

    Args:
        input: ``(C)``, ``(N, C)`` or ``(N, C, *)``, floating.
        target: ``()``, ``(N)`` or ``(N, *)``, classes, int64 or uint8.
        weight: ``(C)``, a factor per class; the mean is then divided by the sum of those used.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        ignore_index: The target that adds nothing, not even to the divisor.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; the shape of *target* without reduction. NaN as the mean of nothing.

    Raises:
        IndexError: a target is no class.
        ValueError: *input* and *target* are not of one batch size, or there is no such reduction.
        RuntimeError: other shapes or dtypes do not fit.

    Gradient:
        ``-weight / total`` at the targets, zero elsewhere.

    >>> import chainrule as cr
    >>> log_p = cr.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
    >>> cr.nn.functional.nll_loss(log_p, cr.tensor([0, 1]))
    tensor(0.4904)
    """
    check_tensor("nll_loss", input)
    check_tensor("nll_loss", target, "target", 2)
    code = reduction_code(reduction, size_average, reduce)
    rows, classes, shape = laid_out("nll_loss", input, target, weight)
    spatial = True if len(rows._array.shape) == 4 else None
    loss = _nll_loss(rows, classes, weight, code, ignore_index, spatial)[0]
    return loss if shape is None or code != NONE else reshape(loss, shape)


def laid_out(
    function: str, input: Tensor, target: Tensor, weight: Tensor | None
) -> tuple[Tensor, Tensor, tuple[int, ...] | None]:
    """Return scores and classes of one, two or four dimensions, after checking that all fits.

    Raises:
        ValueError: *input* and *target* are not of one batch size.
        RuntimeError: other shapes or dtypes do not fit.

    Returns:
        ``(C)``, ``(N, C)`` or ``(N, C, H, W)``; the classes; and the shape that the single losses
        are to get back, where there were other dimensions.
    """
    shape, of_target = tuple(input._array.shape), tuple(target._array.shape)
    _check_batch(shape, of_target)
    if weight is not None:
        must_not_require_grad(f"{function}_forward", weight=weight)
    expected = (shape[0], *shape[2:])
    as_they_are = len(shape) in {1, 2, 4}
    if len(shape) <= 2:
        _check_flat(shape, of_target)
    elif len(shape) == 4:
        _check_spatial(shape, of_target)
    elif of_target != expected:
        msg = (
            f"Expected target size {list(expected)}, got {list(of_target)}\n"
            f"{function}: expected a class for each place of an input of shape {shape}."
        )
        raise ShapeError(msg)
    _check_classes(input, target, weight)
    if len(shape) == 1:
        target = reshape(target, ())
    if as_they_are:
        return input, target, None
    count = target.numel() // shape[0] if shape[0] else 0
    rows = reshape(input, (*shape[:2], 1, count))
    return rows, reshape(target, (shape[0], 1, count)), expected


def _check_batch(shape: tuple[int, ...], target: tuple[int, ...]) -> None:
    if not shape:
        msg = (
            "Expected 1 or more dimensions (got 0)\n"
            "nll_loss: expected an input with a dimension of classes."
        )
        raise ValueError(msg)
    batch = target[0] if target else 0
    if len(shape) != 1 and shape[0] != batch:
        msg = (
            f"Expected input batch_size ({shape[0]}) to match target batch_size ({batch}).\n"
            f"nll_loss: got an input of shape {shape} and targets of shape {target}."
        )
        raise ValueError(msg)
    if len(shape) == 1 and len(target) == 1 and target[0] != 1:
        msg = (
            f"For 1D input, 1D target must have size 1, but got target size: {target[0]}\n"
            "nll_loss: expected one class for one row of scores."
        )
        raise ValueError(msg)


def _check_flat(shape: tuple[int, ...], target: tuple[int, ...]) -> None:
    if len(target) > 1:
        msg = (
            "0D or 1D target tensor expected, multi-target not supported\n"
            f"nll_loss: got an input of shape {shape} and targets of shape {target}."
        )
        raise ShapeError(msg)


def _check_spatial(shape: tuple[int, ...], target: tuple[int, ...]) -> None:
    problem = ""
    if len(target) != 3:
        problem = (
            "only batches of spatial targets supported (3D tensors) but got targets of dimension: "
            f"{len(target)}"
        )
    elif target != (shape[0], *shape[2:]):
        problem = f"size mismatch (got input: {list(shape)} , target: {list(target)}"
    if problem:
        expected = (shape[0], *shape[2:])
        msg = f"{problem}\nnll_loss: expected targets of shape {expected}, got {target}."
        raise ShapeError(msg)


def _check_classes(input: Tensor, target: Tensor, weight: Tensor | None) -> None:
    """Check the dtype of the classes, and that there is one weight for each."""
    if target._key.dtype.name not in {"int64", "uint8"}:
        msg = (
            f"expected target dtype to be Long or Byte, but got {target._key.dtype.scalar_name}\n"
            "nll_loss: expected classes as integers. Convert with .long()."
        )
        raise DTypeError(msg)
    if weight is None:
        return
    classes = input._array.shape[class_dim(input._array.shape)]
    if tuple(weight._array.shape) != (classes,):
        found = list(weight._array.shape)
        if len(input._array.shape) > 2:
            problem = "weight tensor should be defined either for all or no classes"
        else:
            problem = (
                f"weight tensor should be defined either for all {classes} classes or no classes "
                f"but got weight tensor of shape: {found}"
            )
        raise ShapeError(
            f"{problem}\nnll_loss: expected weight of shape ({classes},), got {found}."
        )
    if weight._key.dtype is not input._key.dtype:
        names = input._key.dtype.scalar_name, weight._key.dtype.scalar_name
        msg = (
            f"expected scalar type {names[0]} but found {names[1]}\n"
            "nll_loss: convert the weight first."
        )
        raise DTypeError(msg)


# Cross entropy


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the cross entropy between the softmax of *input* and *target*, by default its mean.

    Args:
        input: ``(C)``, ``(N, C)`` or ``(N, C, *)``, scores, floating.
        target: Classes, ``()``, ``(N)`` or ``(N, *)``, int64 or uint8; or probabilities of the
            classes, of the shape of *input*, floating.
        weight: ``(C)``, a factor per class.
        size_average: Deprecated, as is *reduce*: use *reduction*.
        ignore_index: The class that adds nothing, not even to the divisor.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: The share, from 0 to 1, of every target that is spread over all classes.

    Returns:
        ``()``; the shape of *input* without the classes, if not reduced.

    Raises:
        IndexError: a target is no class.
        ValueError: *input* and *target* are not of one batch size, or there is no such reduction.
        RuntimeError: other shapes or dtypes do not fit, or *label_smoothing* exceeds 1.

    Gradient:
        ``(softmax(input) - target) / n``, with the targets as probabilities.

    >>> import chainrule as cr
    >>> scores = cr.tensor([[2.0, 0.0], [0.0, 1.0]], requires_grad=True)
    >>> cr.nn.functional.cross_entropy(scores, cr.tensor([0, 1])).backward()
    >>> scores.grad
    tensor([[-0.0596,  0.0596],
            [ 0.1345, -0.1345]])
    """
    check_tensor("cross_entropy", input)
    check_tensor("cross_entropy", target, "target", 2)
    code = reduction_code(reduction, size_average, reduce)
    if label_smoothing > 1:
        msg = f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}"
        raise ShapeError(msg)
    if input._array.shape == target._array.shape:
        _check_probabilities(input, target, weight, ignore_index)
        return _cross_entropy_of_probabilities(input, target, weight, code, label_smoothing)
    log_p = ops.log_softmax(input, class_dim(input._array.shape))
    likely = nll_loss(log_p, target, weight, None, ignore_index, None, _NAMES[code])
    if label_smoothing <= 0:
        return likely
    smooth = _smooth_loss(log_p, target, weight, ignore_index, code)
    classes = input._array.shape[class_dim(input._array.shape)]
    loss: Tensor = (1 - label_smoothing) * likely + smooth * (label_smoothing / classes)
    return loss


_NAMES = {NONE: "none", MEAN: "mean", SUM: "sum"}


def _smooth_loss(
    log_p: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, code: int
) -> Any:
    """Return the loss against all classes alike."""
    dim = class_dim(log_p._array.shape)
    weighted = log_p if weight is None else log_p * _along_classes(weight, log_p)
    ignored = target == ignore_index
    if len(log_p._array.shape) == 1:
        ignored = reshape(ignored, ())
    loss = (-sum(weighted, dim)).masked_fill(ignored, 0)
    if code != MEAN:
        return reduced(loss, code)
    counted = ignored.logical_not()
    if weight is not None:
        counted = weight[ops.where(ignored, 0, target.long())] * counted
    return sum(loss) / sum(counted)


def _along_classes(weight: Tensor, like: Tensor) -> Tensor:
    """Return *weight* so that it broadcasts along the classes of *like*."""
    ndim = len(like._array.shape)
    return weight if ndim == 1 else reshape(weight, (1, -1, *[1] * (ndim - 2)))


def _check_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int
) -> None:
    if not target._key.floating:
        msg = (
            "Expected floating point type for target with class probabilities, got "
            f"{target._key.dtype.scalar_name}\n"
            "cross_entropy: targets of the shape of the input are probabilities; classes have one "
            "dimension less."
        )
        raise DTypeError(msg)
    if ignore_index >= 0:
        msg = (
            "ignore_index is not supported for floating point target\n"
            "cross_entropy: set the weight of the class to zero instead."
        )
        raise ShapeError(msg)
    classes = input._array.shape[class_dim(input._array.shape)]
    if weight is not None and tuple(weight._array.shape) != (classes,):
        found = list(weight._array.shape)
        msg = (
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or "
            f"no classes but got weight tensor of shape: {found}\n"
            f"cross_entropy: expected weight of shape ({classes},)."
        )
        raise ShapeError(msg)


def _cross_entropy_of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, code: int, label_smoothing: float
) -> Tensor:
    dim = class_dim(input._array.shape)
    classes = input._array.shape[dim]
    log_p = ops.log_softmax(input, dim)
    if label_smoothing > 0:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    terms = log_p * target
    if weight is not None:
        terms = terms * _along_classes(weight, input)
    total: Tensor = -sum(terms, dim if code == NONE else None)
    if code != MEAN:
        return total
    average: Tensor = total / (input.numel() / classes if classes else 0)
    return average
