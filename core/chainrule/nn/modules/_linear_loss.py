"""A linear layer and the cross entropy of its scores as one module."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from .. import functional as F
from ._loss_base import WeightedLoss
from .linear import Linear

if TYPE_CHECKING:
    from ...dtypes import DType
    from ...tensor import Tensor


@dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch would cut the scores into chunks: taken and ignored, they are computed at once.

    >>> LinearCrossEntropyOptions(batch_chunk_size=64).batch_chunk_size
    64
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: DType | None = None


class LinearCrossEntropyLoss(WeightedLoss):
    """Return `cross_entropy` of the scores of a linear layer, which the module holds.

    Args:
        in_features: The number of features of a sample.
        num_classes: The number of classes.
        out_features: The sizes of further dimensions of the target.
        bias: Whether the layer has one.
        device: Where the weights are made.
        dtype: Of the weights.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: A weight per class.
        ignore_index: A target that counts for nothing; by default -100.
        label_smoothing: How much of the target is spread evenly over all classes.
        options: Taken and ignored.

    >>> import chainrule as cr
    >>> loss = LinearCrossEntropyLoss(5, 10)
    >>> loss(cr.ones(2, 5), cr.tensor([1, 2])).shape
    torch.Size([])
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: DType | None = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.num_classes, self.out_features = num_classes, tuple(out_features)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing
        self.options = options
        width = prod(self.out_features, start=num_classes)
        self.linear = Linear(in_features, width, bias=bias, device=device, dtype=dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        shape, bias = (self.num_classes, *self.out_features), self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*shape, -1),
            target,
            linear_bias=None if bias is None else bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )
