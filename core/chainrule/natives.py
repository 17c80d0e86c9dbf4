"""Functions of the top level whose arguments are not those of their namesakes in `nn.functional`.

PyTorch binds these to its C++ functions, which take the number of a reduction in place of its
name, statistics after weights, and switches for libraries that nothing here has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import ops
from .errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tensor import Tensor

__all__ = [
    "adaptive_max_pool1d", "batch_norm", "binary_cross_entropy_with_logits",
    "cosine_embedding_loss", "ctc_loss", "group_norm", "hinge_embedding_loss", "instance_norm",
    "kl_div", "layer_norm", "margin_ranking_loss", "poisson_nll_loss", "triplet_margin_loss",
]  # fmt: skip

#: What becomes of the losses of many elements, by number.
_REDUCTIONS: Final = ("none", "mean", "sum")


def _reduction(function: str, number: int) -> str:
    if number in range(len(_REDUCTIONS)):
        return _REDUCTIONS[number]
    raise ArgumentError(
        f"{function}(): argument 'reduction' must be int, not {type(number).__name__}\n"
        f"chainrule.{function}: expected 0, 1 or 2, for none, mean or sum, got {number!r}. "
        f"nn.functional.{function} takes their names."
    )


# Pooling and normalization


def adaptive_max_pool1d(input: Tensor, output_size: int) -> tuple[Tensor, Tensor]:
    """Return what `nn.functional.adaptive_max_pool1d` gives, and where it stood.

    >>> import chainrule as cr
    >>> cr.adaptive_max_pool1d(cr.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    (tensor([[3., 2.]]), tensor([[1, 2]]))
    """
    pair: Any = ops.adaptive_max_pool1d(input, output_size, return_indices=True)
    return tuple(pair)


def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Return `nn.functional.batch_norm`, whose statistics stand before weight and bias.

    >>> import chainrule as cr
    >>> x = cr.tensor([[1.0], [3.0]])
    >>> cr.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    return ops.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """Return `nn.functional.instance_norm`, whose statistics stand before weight and bias."""
    return ops.instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Tensor:
    """Return `nn.functional.layer_norm`; *cudnn_enable* is taken and ignored."""
    return ops.layer_norm(input, normalized_shape, weight, bias, eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:
    """Return `nn.functional.group_norm`; *cudnn_enabled* is taken and ignored."""
    return ops.group_norm(input, num_groups, weight, bias, eps)


# Losses: 0, 1 and 2 stand for no reduction, the mean and the sum


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: int = 1,
) -> Tensor:
    """Return `nn.functional.binary_cross_entropy_with_logits`.

    >>> import chainrule as cr
    >>> cr.binary_cross_entropy_with_logits(cr.zeros(2), cr.ones(2), reduction=2)
    tensor(1.3863)
    """
    name = _reduction("binary_cross_entropy_with_logits", reduction)
    return ops.binary_cross_entropy_with_logits(
        input, target, weight, reduction=name, pos_weight=pos_weight
    )


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """Return `nn.functional.cosine_embedding_loss`."""
    name = _reduction("cosine_embedding_loss", reduction)
    return ops.cosine_embedding_loss(input1, input2, target, margin, reduction=name)


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 1,
    zero_infinity: bool = False,
) -> Tensor:
    """Return `nn.functional.ctc_loss`."""
    name = _reduction("ctc_loss", reduction)
    return ops.ctc_loss(
        log_probs, targets, input_lengths, target_lengths, blank, name, zero_infinity
    )


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 1
) -> Tensor:
    """Return `nn.functional.hinge_embedding_loss`."""
    name = _reduction("hinge_embedding_loss", reduction)
    return ops.hinge_embedding_loss(input, target, margin, reduction=name)


def kl_div(
    input: Tensor, target: Tensor, reduction: int = 1, *, log_target: bool = False
) -> Tensor:
    """Return `nn.functional.kl_div`, without its advice on the mean.

    >>> import chainrule as cr
    >>> cr.kl_div(cr.zeros(2, 2), cr.ones(2, 2) * 2).item() == cr.tensor(4.0).log().item()
    True
    """
    name = _reduction("kl_div", reduction)
    loss: Any = ops.kl_div(input, target, reduction="none", log_target=log_target)
    return getattr(loss, name)() if reduction else loss  # type: ignore[no-any-return]  # an op's result


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """Return `nn.functional.margin_ranking_loss`."""
    name = _reduction("margin_ranking_loss", reduction)
    return ops.margin_ranking_loss(input1, input2, target, margin, reduction=name)


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """Return `nn.functional.poisson_nll_loss`."""
    name = _reduction("poisson_nll_loss", reduction)
    return ops.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=name)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: int = 1,
) -> Tensor:
    """Return `nn.functional.triplet_margin_loss`."""
    name = _reduction("triplet_margin_loss", reduction)
    return ops.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=name)
