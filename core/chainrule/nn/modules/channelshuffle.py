"""Channels in another order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import functional as F
from .module import Module

if TYPE_CHECKING:
    from ...tensor import Tensor

__all__ = ["ChannelShuffle"]


class ChannelShuffle(Module):
    """Return the channels of ``(N, C, *)`` in another order, so that groups mix.

    Args:
        groups: How many groups the channels are in.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
