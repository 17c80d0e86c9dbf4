"""What losses have in common as modules: how they are reduced, and a weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._reduction import from_flags
from .module import Module

if TYPE_CHECKING:
    from ...tensor import Tensor


class Loss(Module):
    """A loss and how it is reduced: ``"mean"``, ``"sum"`` or ``"none"``.

    Args:
        size_average: Deprecated, as is *reduce*.
        reduce: See *size_average*.
        reduction: What becomes of the losses of the elements.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.reduction = from_flags(size_average, reduce, reduction)


class WeightedLoss(Loss):
    """A loss with a weight per class or element, which is a buffer."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
