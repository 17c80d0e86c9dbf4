"""Convolutions, and transposed ones, with learned weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from ... import ops
from .. import functional as F
from .. import init
from ..parameter import Parameter
from ._sizes import repeated, reversed_twice
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...device import Device
    from ...dtypes import DType
    from ...tensor import Tensor

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What all convolutions have in common: sizes, weight and bias.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the result.
        kernel_size: The size of a window.
        stride: How far one window is from the next.
        padding: How far windows reach over the edge, or ``"valid"`` or ``"same"``.
        dilation: How far one element of a window is from the next.
        transposed: Whether the map runs backwards.
        output_padding: What is added to the size of a transposed result.
        groups: Into how many groups channels are split that do not see each other.
        bias: Whether there is a learned shift per channel.
        padding_mode: What stands beyond the edge, as `chainrule.nn.functional.pad` has it.
        device: Of the parameters.
        dtype: Of the parameters.

    Raises:
        ValueError: groups, padding or padding mode do not fit.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: str | tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        _check_options(in_channels, out_channels, stride, padding, groups, padding_mode)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = kernel_size, stride
        self.padding, self.dilation = padding, dilation
        self.transposed, self.output_padding = transposed, output_padding
        self.groups, self.padding_mode = groups, padding_mode
        self._reversed_padding_repeated_twice = _around(padding, kernel_size, dilation)
        first, second = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        self.weight = Parameter(
            ops.empty(first, second // groups, *kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = Parameter(ops.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform between plus and minus ``1 / sqrt(fan_in)``.

        The fan-in is the number of inputs to one output.
        """
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        nothing, ones = (0,) * len(self.output_padding), (1,) * len(self.dilation)
        if self.padding != (0,) * len(self.padding):
            text += f", padding={self.padding}"
        if self.dilation != ones:
            text += f", dilation={self.dilation}"
        if self.output_padding != nothing:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        if not hasattr(self, "padding_mode"):
            self.padding_mode = "zeros"

    def _correlate(self, function: Any, input: Tensor, weight: Tensor, bias: Any) -> Any:
        """Return the convolution, continuing the input first where zeros will not do."""
        if self.padding_mode != "zeros":
            continued = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            nothing = (0,) * len(self.kernel_size)
            return function(
                continued, weight, bias, self.stride, nothing, self.dilation, self.groups
            )
        return function(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)


def _check_options(
    in_channels: int,
    out_channels: int,
    stride: tuple[int, ...],
    padding: Any,
    groups: int,
    padding_mode: str,
) -> None:
    problem = ""
    if groups <= 0:
        problem = "groups must be a positive integer"
    elif in_channels % groups:
        problem = "in_channels must be divisible by groups"
    elif out_channels % groups:
        problem = "out_channels must be divisible by groups"
    elif isinstance(padding, str) and padding not in {"same", "valid"}:
        problem = f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}"
    elif padding == "same" and any(s != 1 for s in stride):
        problem = "padding='same' is not supported for strided convolutions"
    elif padding_mode not in PADDING_MODES:
        allowed = ", ".join(map(repr, PADDING_MODES))
        problem = f"padding_mode must be one of {{{allowed}}}, but got {padding_mode=}"
    if problem:
        raise ValueError(problem)


def _around(padding: Any, kernel_size: tuple[int, ...], dilation: tuple[int, ...]) -> list[int]:
    """Return the padding as `chainrule.nn.functional.pad` takes it."""
    if padding == "valid":
        return [0] * (2 * len(kernel_size))
    if padding == "same":
        totals = [d * (k - 1) for k, d in zip(kernel_size, dilation, strict=True)]
        return [side for n in reversed(totals) for side in (n // 2, n - n // 2)]
    return reversed_twice(padding)


class _Conv(_ConvNd):
    """A convolution over as many dimensions as the class says."""

    _spatial: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: str | int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros",
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        count = self._spatial
        super().__init__(
            in_channels,
            out_channels,
            repeated(kernel_size, count),
            repeated(stride, count),
            padding if isinstance(padding, str) else repeated(padding, count),
            repeated(dilation, count),
            False,
            (0,) * count,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        function = getattr(F, f"conv{self._spatial}d")
        result: Tensor = self._correlate(function, input, weight, bias)
        return result


class Conv1d(_Conv):
    """Return the convolution of ``(N, C, L)`` or ``(C, L)`` with a learned weight.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the result.
        kernel_size: The length of a window.
        stride: How far one window is from the next.
        padding: How far windows reach over the edge, or ``"valid"`` or ``"same"``.
        dilation: How far one element of a window is from the next.
        groups: Into how many groups channels are split that do not see each other.
        bias: Whether there is a learned shift per channel.
        padding_mode: What stands beyond the edge.
        device: Of the parameters.
        dtype: Of the parameters.

    >>> import chainrule as cr
    >>> Conv1d(2, 3, 3)(cr.zeros(1, 2, 5)).shape
    torch.Size([1, 3, 3])
    """

    _spatial = 1


class Conv2d(_Conv):
    """Return the convolution of ``(N, C, H, W)`` or ``(C, H, W)`` with a learned weight.

    Arguments are those of `Conv1d`; sizes are one number, or two.

    >>> import chainrule as cr
    >>> Conv2d(1, 2, kernel_size=3, padding="same")
    Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=same)
    >>> Conv2d(1, 2, 3)(cr.zeros(4, 1, 8, 8)).shape
    torch.Size([4, 2, 6, 6])
    """

    _spatial = 2


class Conv3d(_Conv):
    """Return the convolution of ``(N, C, D, H, W)`` or ``(C, D, H, W)`` with a learned weight.

    Arguments are those of `Conv1d`; sizes are one number, or three.
    """

    _spatial = 3


class _ConvTransposeNd(_ConvNd):
    """A transposed convolution over as many dimensions as the class says."""

    _spatial: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sequence[int] = 1,
        padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros",
        device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:
        if padding_mode != "zeros":
            msg = f'Only "zeros" padding mode is supported for {type(self).__name__}'
            raise ValueError(msg)
        count = self._spatial
        kernel, steps = repeated(kernel_size, count), repeated(stride, count)
        around, spread = repeated(padding, count), repeated(dilation, count)
        more = repeated(output_padding, count)
        super().__init__(
            in_channels, out_channels, kernel, steps, around, spread, True, more,
            groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return *input* spread over windows; *output_size* chooses among the possible sizes."""
        more = self._output_padding(input, output_size)
        function = getattr(F, f"conv_transpose{self._spatial}d")
        result: Tensor = function(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups,
            self.dilation,
        )  # fmt: skip
        return result

    def _output_padding(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """Return what has to be added on one side to get *output_size*."""
        if output_size is None:
            return self.output_padding
        count = self._spatial
        wanted = list(output_size)
        ndim = input.dim()
        if len(wanted) == ndim:
            wanted = wanted[ndim - count :]
        if len(wanted) != count:
            msg = (
                f"ConvTranspose{count}D: for {ndim}D input, output_size must have {count} or "
                f"{ndim} elements (got {len(output_size)})"
            )
            raise ValueError(msg)
        sizes = input.shape[ndim - count :]
        around: Any = self.padding
        parts = zip(sizes, self.stride, around, self.dilation, self.kernel_size, strict=True)
        smallest = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in parts]
        largest = [n + s - 1 for n, s in zip(smallest, self.stride, strict=True)]
        if not all(a <= n <= b for a, n, b in zip(smallest, wanted, largest, strict=True)):
            msg = (
                f"requested an output size of {output_size}, but valid sizes range from {smallest} "
                f"to {largest} (for an input of {sizes})"
            )
            raise ValueError(msg)
        return tuple(n - a for n, a in zip(wanted, smallest, strict=True))


class ConvTranspose1d(_ConvTransposeNd):
    """Return ``(N, C, L)`` or ``(C, L)`` spread over windows: a convolution run backwards.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the result.
        kernel_size: The length of a window.
        stride: How far one window is from the next.
        padding: How many elements are cut off on both sides.
        output_padding: How many are added on one side.
        groups: Into how many groups channels are split that do not see each other.
        bias: Whether there is a learned shift per channel.
        dilation: How far one element of a window is from the next.
        padding_mode: ``"zeros"``.
        device: Of the parameters.
        dtype: Of the parameters.

    >>> import chainrule as cr
    >>> ConvTranspose1d(2, 3, 3, stride=2)(cr.zeros(1, 2, 5)).shape
    torch.Size([1, 3, 11])
    """

    _spatial = 1


class ConvTranspose2d(_ConvTransposeNd):
    """Return ``(N, C, H, W)`` or ``(C, H, W)`` spread over windows; see `ConvTranspose1d`."""

    _spatial = 2


class ConvTranspose3d(_ConvTransposeNd):
    """Return ``(N, C, D, H, W)`` or ``(C, D, H, W)`` spread over windows; see `ConvTranspose1d`."""

    _spatial = 3
