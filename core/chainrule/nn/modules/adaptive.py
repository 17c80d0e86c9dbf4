"""A softmax over many classes that spends little on rare ones.

Source: Grave, Joulin, Cissé, Grangier and Jégou, "Efficient softmax approximation for GPUs", 2017.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ... import ops
from .. import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...device import Device
    from ...dtypes import DType
    from ...tensor import Tensor

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    """The log-probabilities of the targets, and their mean negated."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Return the log-probabilities of targets: frequent classes directly, rare ones by cluster.

    Args:
        in_features: Features of the input.
        n_classes: How many classes there are, the most frequent first.
        cutoffs: Where clusters begin.
        div_value: By how much the features of each next cluster are fewer.
        head_bias: Whether the classes of the head have a shift.
        device: Of the parameters.
        dtype: Of the parameters.

    Raises:
        ValueError: *cutoffs* do not rise from 1 to below *n_classes*.

    >>> import chainrule as cr
    >>> layer = AdaptiveLogSoftmaxWithLoss(4, 10, [3, 6], div_value=2.0)
    >>> layer.log_prob(cr.zeros(1, 4)).exp().sum()
    tensor(1.0000, grad_fn=<SumBackward0>)
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        options: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__()
        limits = list(cutoffs)
        if not limits:
            msg = "cutoffs should be a sequence of length larger than 0"
            raise ValueError(msg)
        rising = limits == sorted(set(limits)) and all(int(n) == n for n in limits)
        if not rising or limits[0] <= 0 or limits[-1] > n_classes - 1:
            msg = (
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing "
                "order, where each value is between 1 and n_classes-1"
            )
            raise ValueError(msg)
        self.in_features, self.n_classes = in_features, n_classes
        self.cutoffs = [*limits, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **options)
        self.tail = ModuleList()
        for number in range(self.n_clusters):
            hidden = int(in_features // (div_value ** (number + 1)))
            size = self.cutoffs[number + 1] - self.cutoffs[number]
            self.tail.append(
                Sequential(
                    Linear(in_features, hidden, bias=False, **options),
                    Linear(hidden, size, bias=False, **options),
                )
            )

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        parts: list[Any] = [self.head, *(layer for pair in self.tail for layer in pair)]
        for part in parts:
            part.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        """Return the log-probabilities of *target_*, and the loss."""
        rows_, target = _batched(input_, target_)
        used, output = 0, rows_.new_zeros(target.shape[0])
        heads = target.new_empty(target.shape[0])
        limits = [0, *self.cutoffs]
        for number in range(len(limits) - 1):
            low, high = limits[number], limits[number + 1]
            rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
            if rows.numel() == 0:
                continue
            if number == 0:
                heads.index_copy_(0, rows, target[rows])
            else:
                scores = self.tail[number - 1](rows_.index_select(0, rows))
                heads.index_fill_(0, rows, self.shortlist_size + number - 1)
                within = (target[rows] - low).unsqueeze(1)
                found = F.log_softmax(scores, dim=1).gather(1, within)
                output = output.index_copy(0, rows, found.squeeze(1))
            used += rows.numel()
        if used != target.shape[0]:
            msg = (
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
            raise RuntimeError(msg)
        chances = F.log_softmax(self.head(rows_), dim=1)
        output = output + chances.gather(1, heads.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output if target_.dim() else output.squeeze(0), loss)

    def _get_full_log_prob(self, input: Tensor, head_output: Any) -> Tensor:
        """Return the log-probabilities of all classes."""
        chances = F.log_softmax(head_output, dim=1)
        parts: list[Any] = [chances[:, : self.shortlist_size]]
        for number, cluster in enumerate(self.tail):
            within = F.log_softmax(cluster(input), dim=1)
            parts.append(within + chances[:, self.shortlist_size + number].unsqueeze(1))
        return ops.cat(parts, 1)

    def log_prob(self, input: Tensor) -> Tensor:
        """Return the log-probabilities of all classes, ``(N, n_classes)``."""
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """Return the most probable class of each row, ``(N)``."""
        head = self.head(input)
        best: Any = head.argmax(dim=1)
        rare = best >= self.shortlist_size
        if not bool(rare.any()):
            return best  # type: ignore[no-any-return]  # a Tensor
        full: Any = self._get_full_log_prob(input, head)
        return ops.where(rare, full.argmax(dim=1), best)  # type: ignore[no-any-return]  # a Tensor


def _batched(input: Any, target: Any) -> tuple[Any, Any]:
    """Return both with a batch dimension."""
    if target.dim() == 1:
        if input.shape[0] != target.shape[0]:
            msg = "Input and target should have the same size in the batch dimension."
            raise RuntimeError(msg)
        if input.dim() != 2:
            msg = (
                "1D target tensor expects 2D input tensors, but found inputs with size "
                f"{input.shape}"
            )
            raise RuntimeError(msg)
        return input, target
    if target.dim() == 0:
        if input.dim() != 1:
            msg = (
                "0D target tensor expects 1D input tensors, but found inputs with size "
                f"{input.shape}"
            )
            raise RuntimeError(msg)
        return input.unsqueeze(0), target.unsqueeze(0)
    msg = "0D or 1D target tensor expected, multi-target not supported"
    raise RuntimeError(msg)
