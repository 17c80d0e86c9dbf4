"""Ops that compute in one go, row by row, what is several nodes by PyTorch's names.

A network written with PyTorch's names has PyTorch's graph, whatever the backend. These are for
whoever would rather have fewer nodes: `chainrule.ops.fused.rms_norm` and
`chainrule.ops.fused.softmax_cross_entropy`. A backend may bring one kernel for each direction.

As in normalization.py, a gradient that is differentiated itself is computed from the inputs alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dtypes import FLOATING
from ..errors import DTypeError
from ..op import composite
from ..typeinfo import finfo
from ._arguments import check_tensor
from ._operands import floating_only, refusal, zeros_of
from .loss import MEAN, NONE, no_integers, reduction_code
from .loss_classes import _nll_loss, chosen, class_dim, laid_out
from .normalization import last_sizes, over_leading
from .selection import where
from .shape import reshape
from .softmax import log_softmax, softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["rms_norm", "softmax_cross_entropy"]

Sizes = tuple[int, ...]


# Division by the root of the mean square


@composite(nodes={"": "FusedRmsNormBackward0"}, refuses=floating_only("rms_norm"))
def _fused_rms_norm(
    input: Tensor, normalized_shape: Sizes, weight: Tensor | None, eps: float
) -> tuple[Tensor, Tensor]:
    """Return `rms_norm`, and what each row was multiplied by (dimensions kept)."""
    normal, scale, _ = _by_root(input, normalized_shape, eps)
    return (normal if weight is None else normal * weight), scale


def _by_root(input: Any, normalized_shape: Sizes, eps: float) -> tuple[Any, Any, Sizes]:
    """Return *input* over its root mean square, the reciprocal of that, and the dimensions."""
    dims = tuple(range(-len(normalized_shape), 0))
    scale = ((input * input).mean(dims, True) + eps).rsqrt()
    return input * scale, scale, dims


@composite
def fused_rms_norm_backward(
    grad_output: Tensor,
    input: Tensor,
    normalized_shape: Sizes,
    rstd: Tensor,
    weight: Tensor | None,
    eps: float,
) -> tuple[Tensor, Tensor]:
    """Return the gradients of input and weight; *rstd* is what forward gave."""
    normal, scale, dims = _by_root(input, normalized_shape, eps)
    scaled: Any = grad_output if weight is None else grad_output * weight
    inner = (scaled - normal * (scaled * normal).mean(dims, True)) * scale
    return inner, over_leading(grad_output * normal, len(input._array.shape) - len(dims))


@_fused_rms_norm.vjp_joint("input", "weight")
def _rms_norm_rule(
    grad: Tensor,
    input: Tensor,
    normalized_shape: Sizes,
    weight: Tensor | None,
    result1: Tensor,
    eps: float,
) -> Any:
    return fused_rms_norm_backward(grad, input, normalized_shape, result1, weight, eps)


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Return `chainrule.nn.functional.rms_norm` as one node.

    Args:
        input: ``(*, *normalized_shape)``, floating.
        normalized_shape: The sizes of the last dimensions.
        weight: ``normalized_shape``, the scale, of the dtype of *input*.
        eps: Added to the mean square; None stands for the machine epsilon of the dtype.

    Returns:
        ``(*, *normalized_shape)``.

    Raises:
        RuntimeError: *input* does not end in these sizes, or the dtypes differ.

    Gradient:
        With ``r`` for the reciprocal root mean square, ``n`` for ``input * r``, and ``g`` for
        ``grad * weight``: ``(g - n * mean(g * n)) * r``, and ``sum(grad * n)`` for the weight.

    Source:
        Zhang and Sennrich, "Root mean square layer normalization", 2019.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 7.0], requires_grad=True)
    >>> y = cr.ops.fused.rms_norm(x, [2])
    >>> y
    tensor([0.2000, 1.4000], grad_fn=<FusedRmsNormBackward0>)
    """
    check_tensor("rms_norm", input)
    sizes = last_sizes("rms_norm", input, normalized_shape, weight)
    dtype = input._key.dtype
    if input._key.category != FLOATING:
        raise refusal("rms_norm", "rms_norm", dtype)
    if weight is not None and weight._key.dtype is not dtype:
        msg = (
            f"expected scalar type {dtype.scalar_name} but found {weight._key.dtype.scalar_name}\n"
            "rms_norm: expected a weight of the dtype of the input. Convert it with .to(...)."
        )
        raise DTypeError(msg)
    return _fused_rms_norm(input, sizes, weight, finfo(dtype).eps if eps is None else eps)[0]


# Likelihood of the right class


@composite(
    nodes={"": "FusedSoftmaxCrossEntropyBackward0"},
    outputs=("output", "total_weight"),
    refuses=no_integers("softmax_cross_entropy"),
)
def _fused_softmax_cross_entropy(
    self: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: int = MEAN,
    ignore_index: int = -100,
) -> tuple[Tensor, Tensor]:
    """Return the reduced losses of scores *self*, and the sum of the weights."""
    log_p = log_softmax(self, class_dim(self._array.shape))
    return _nll_loss(log_p, target, weight, reduction, ignore_index)


@composite
def fused_softmax_cross_entropy_backward(
    grad_output: Tensor,
    self: Tensor,
    target: Tensor,
    weight: Tensor | None,
    total_weight: Tensor,
    reduction: int = MEAN,
    ignore_index: int = -100,
) -> Tensor:
    """Return the gradient of the scores for that of the loss."""
    dim = class_dim(self._array.shape)
    index, weights = chosen(target, weight, self._array.shape[dim], ignore_index, self)
    scale = grad_output / total_weight if reduction == MEAN else grad_output
    share = where(weights == 0, 0, weights * scale).unsqueeze(dim)
    at_targets: Tensor = zeros_of(self).scatter(dim, index.unsqueeze(dim), share)
    result: Tensor = softmax(self, dim) * share - at_targets
    return result


_fused_softmax_cross_entropy.vjp(
    self=lambda grad, self, target, weight, total_weight, reduction, ignore_index: (
        fused_softmax_cross_entropy_backward(
            grad, self, target, weight, total_weight, reduction, ignore_index
        )
    ),
    target=None,
    weight=None,
)


def softmax_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Return `chainrule.nn.functional.cross_entropy` against classes as one node.

    The logarithms of the probabilities, an array as large as *input*, are never kept: backward
    computes from the scores.

    Args:
        input: ``(C)``, ``(N, C)`` or ``(N, C, *)``, scores, floating.
        target: Classes, ``()``, ``(N)`` or ``(N, *)``, int64 or uint8.
        weight: ``(C)``, a factor per class; the mean is then divided by the sum of those used.
        ignore_index: The class that adds nothing, not even to the divisor.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        ``()``; the shape of *target* without reduction. NaN as the mean of nothing.

    Raises:
        IndexError: a target is no class.
        ValueError: *input* and *target* are not of one batch size, or there is no such reduction.
        RuntimeError: other shapes or dtypes do not fit.

    Gradient:
        ``(softmax(input) - target) * weight / total``, with the targets as probabilities.

    >>> import chainrule as cr
    >>> scores = cr.tensor([[2.0, 0.0], [0.0, 1.0]], requires_grad=True)
    >>> loss = cr.ops.fused.softmax_cross_entropy(scores, cr.tensor([0, 1]))
    >>> loss
    tensor(0.2201, grad_fn=<FusedSoftmaxCrossEntropyBackward0>)
    >>> loss.backward()
    >>> scores.grad
    tensor([[-0.0596,  0.0596],
            [ 0.1345, -0.1345]])
    """
    check_tensor("softmax_cross_entropy", input)
    check_tensor("softmax_cross_entropy", target, "target", 2)
    code = reduction_code(reduction)
    rows, classes, shape = laid_out("softmax_cross_entropy", input, target, weight)
    loss = _fused_softmax_cross_entropy(rows, classes, weight, code, ignore_index)[0]
    return loss if shape is None or code != NONE else reshape(loss, shape)
