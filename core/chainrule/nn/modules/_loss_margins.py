"""Losses of margins, of several labels, and of distributions, as modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import functional as F
from ._loss_base import Loss, WeightedLoss

if TYPE_CHECKING:
    from ...tensor import Tensor

__all__ = [
    "GaussianNLLLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss",
    "PoissonNLLLoss", "SoftMarginLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]  # fmt: skip


class SoftMarginLoss(Loss):
    """Return ``log(1 + exp(-target · input))``, for targets 1 and -1, averaged."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(WeightedLoss):
    """Return by how much other classes come within *margin* of the target class, averaged.

    Args:
        p: The power of what is missing, 1 or 2.
        margin: The lead that the target class should have.
        weight: A weight per class.
        size_average: Deprecated, as is *reduce*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: *p* is neither, or *weight* is no vector.
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in {1, 2}:
            msg = "only p == 1 and p == 2 supported"
            raise ValueError(msg)
        if weight is not None and weight.dim() != 1:
            msg = (
                "MultiMarginLoss: expected weight to be None or 1D tensor, "
                f"got {weight.dim()}D instead"
            )
            raise ValueError(msg)
        self.p, self.margin = p, margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, reduction=self.reduction
        )


class MultiLabelMarginLoss(Loss):
    """Return by how much other classes come within 1 of each target class, averaged."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(WeightedLoss):
    """Return the binary cross entropy of scores, averaged over classes, averaged."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)


class PoissonNLLLoss(Loss):
    """Return minus the log-likelihood of counts under a Poisson distribution, averaged.

    Args:
        log_input: The input is the logarithm of the rate.
        full: Add the term that depends on the target alone, by Stirling's formula.
        size_average: Deprecated, as is *reduce*.
        eps: Keeps the logarithm of a rate finite.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(Loss):
    """Return minus the log-likelihood of *target* under normal distributions, averaged.

    Args:
        full: Add the constant term.
        eps: What a variance is at least.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )


class TripletMarginLoss(Loss):
    """Return by how much the positive is not closer to the anchor than the negative by *margin*.

    Args:
        margin: The difference of distances that is asked for.
        p: The norm that distances are measured by.
        eps: Added to the differences.
        swap: Measure the negative from the positive where that is closer.
        size_average: Deprecated, as is *reduce*.
        reduce: See *size_average*.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: *margin* is not positive.
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        _check_margin(self, margin)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(Loss):
    """Return `TripletMarginLoss` with any distance.

    Args:
        distance_function: Of two tensors; None stands for the Euclidean distance.
        margin: The difference of distances that is asked for.
        swap: Measure the negative from the positive where that is closer.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: *margin* is not positive.
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        _check_margin(self, margin)
        self.distance_function, self.margin, self.swap = distance_function, margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


def _check_margin(loss: Loss, margin: float) -> None:
    if margin <= 0:
        name = type(loss).__name__
        msg = f"{name}: expected margin to be greater than 0, got {margin} instead"
        raise ValueError(msg)
