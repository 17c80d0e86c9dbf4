"""Convolution over time alone, of signals that lie as (time, batch, channels)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ShapeError
from ..op import composite
from ._arguments import zeros_shaped
from .complex import conj
from .linalg_checks import fail
from .padding import constant_pad_nd
from .reductions import sum
from .slicing import unfold

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["conv_tbc"]


@composite(dtype="same", nodes={"": "ConvTbcBackward0"}, saves=("bias", "pad"))
def conv_tbc(self: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """Return the sums of products of *weight* with the windows of a signal.

    Args:
        self: ``(T, B, C)``, time first.
        weight: ``(W, C, D)``.
        bias: ``(D,)``, added to every sum.
        pad: How many zeros stand before and after the signal.

    Returns:
        ``(T + 2 pad - W + 1, B, D)``.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    Gradient:
        Convolutions too: of ``grad`` with *weight* from its end, and of *self* with ``grad``.

    >>> import chainrule as cr
    >>> cr.conv_tbc(cr.ones(4, 1, 2), cr.ones(3, 2, 1), cr.zeros(1)).flatten()
    tensor([6., 6.])
    """
    width, channels, depth = weight._array.shape
    signal: Any = constant_pad_nd(self, (0, 0, 0, 0, pad, pad))
    steps, batch = signal.shape[0] - width + 1, signal.shape[1]
    if not steps:
        return zeros_shaped(self, (0, batch, depth))  # type: ignore[no-any-return]  # a tensor
    windows = unfold(signal, 0, width, 1).reshape(steps, batch, channels * width)
    factors: Any = weight.permute(1, 0, 2).reshape(channels * width, depth)
    return windows @ factors + bias  # type: ignore[no-any-return]  # an op's result


@conv_tbc.checks
def _check_conv_tbc(self: Tensor, weight: Tensor, bias: Tensor, pad: int) -> None:
    ranks = [len(tensor._array.shape) for tensor in (self, weight, bias)]
    for rank, wanted, sentence in zip(
        ranks,
        (3, 3, 1),
        (
            "Input must have 3 dims: time, batch, in_channel",
            "Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.",
            "Bias must be 1-D",
        ),
        strict=True,
    ):
        if rank != wanted:
            fail(ShapeError, sentence, f"conv_tbc: expected {wanted} dimensions, got {rank}.")
    _, channels, depth = weight._array.shape
    if self._array.shape[2] != channels:
        sentence = "Input dim 2 (input channels) is not == dim 1 in the weight tensor"
        fail(ShapeError, sentence, f"conv_tbc: got {self._array.shape[2]} and {channels}.")
    if bias._array.shape[0] != depth:
        sentence = "Bias size must equal dim 2 in the weight tensor (output channels)."
        fail(ShapeError, sentence, f"conv_tbc: got {bias._array.shape[0]} and {depth}.")
    steps = self._array.shape[0] + 2 * pad - weight._array.shape[0] + 1
    if steps < 0:
        shape = [steps, self._array.shape[1], depth]
        sentence = f"Trying to create tensor with negative dimension {steps}: {shape}"
        fail(ShapeError, sentence, "conv_tbc: the signal is shorter than the weight.")


def _signal_rule(grad: Tensor, weight: Tensor, pad: int) -> Any:
    width, channels, _ = weight._array.shape
    backwards: Any = conj(weight).flip(0).transpose(1, 2)
    return conv_tbc(grad, backwards, zeros_shaped(grad, (channels,)), width - 1 - pad)


def _weight_rule(grad: Tensor, self: Tensor, pad: int) -> Any:
    depth = grad._array.shape[2]
    signal: Any = conj(self)
    return conv_tbc(signal.transpose(1, 2), grad, zeros_shaped(grad, (depth,)), pad)


conv_tbc.vjp(
    self=_signal_rule,
    weight=_weight_rule,
    bias=lambda grad: sum(grad, (0, 1)),
)
