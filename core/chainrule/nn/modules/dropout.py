"""Dropout: values are left out at random while training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import functional as F
from .module import Module

if TYPE_CHECKING:
    from ...tensor import Tensor

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _DropoutNd(Module):
    """The probability with which something is left out, and whether the input is written to."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            msg = f"dropout probability has to be between 0 and 1, but got {p}"
            raise ValueError(msg)
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Return the input; in training each element is zero with probability *p*, else scaled up.

    Args:
        p: The probability of zero. What is kept is divided by ``1 - p``, so the mean stays.
        inplace: Write into the input.

    Raises:
        ValueError: *p* is no probability.

    >>> import chainrule as cr
    >>> Dropout(0.5).eval()(cr.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """Return the input ``(N, C, L)``; in training each channel is zero with probability *p*."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """Return the input ``(N, C, H, W)``; in training each channel is zero with probability *p*."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """Return the input ``(N, C, D, H, W)``; in training a channel is zero with probability *p*."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Return the input; in training elements are set far left with probability *p*.

    What is kept is scaled and shifted so that mean and variance stay: for use with `SELU`.

    Source:
        Klambauer and others, "Self-normalizing neural networks", 2017.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """Return the input ``(N, C, *)`` after `AlphaDropout` of whole channels."""

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training)
