"""Pooling: what stands for a window is its largest element, its mean, or its norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import functional as F
from ._sizes import repeated
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d",
    "FractionalMaxPool2d", "FractionalMaxPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d",
    "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]  # fmt: skip


class _MaxPoolNd(Module):
    """The largest element of every window.

    Args:
        kernel_size: The size of a window.
        stride: How far one window is from the next; that size if None.
        padding: How far windows reach over the edge.
        dilation: How far one element of a window is from the next.
        return_indices: Whether to give the places of the elements as well.
        ceil_mode: Whether the last window may hang over.
    """

    _function: Any

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and their places if they are asked for."""
        return type(self)._function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """Return the largest element of every window of ``(N, C, L)`` or ``(C, L)``.

    Args:
        kernel_size: The size of a window.
        stride: How far one window is from the next; that size if None.
        padding: How far windows reach over the edge.
        dilation: How far one element of a window is from the next.
        return_indices: Whether to give the places of the elements as well.
        ceil_mode: Whether the last window may hang over.

    >>> import chainrule as cr
    >>> MaxPool1d(2)(cr.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """

    _function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPoolNd):
    """Return the largest element of every window over height and width; see `MaxPool1d`."""

    _function = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPoolNd):
    """Return the largest element of every window over three dimensions; see `MaxPool1d`."""

    _function = staticmethod(F.max_pool3d)


class _MaxUnpoolNd(Module):
    """Zeros with the input where pooling took it from."""

    _function: Any
    _spatial: int

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
    ) -> None:
        super().__init__()
        self.kernel_size = repeated(kernel_size, self._spatial)
        self.stride = repeated(kernel_size if stride is None else stride, self._spatial)
        self.padding = repeated(padding, self._spatial)

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        result: Tensor = type(self)._function(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )
        return result

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Return zeros with the input where `MaxPool1d` took it from.

    Args:
        kernel_size: As pooling was given.
        stride: As pooling was given.
        padding: As pooling was given.
    """

    _function = staticmethod(F.max_unpool1d)
    _spatial = 1


class MaxUnpool2d(_MaxUnpoolNd):
    """Return zeros with the input where `MaxPool2d` took it from; see `MaxUnpool1d`."""

    _function = staticmethod(F.max_unpool2d)
    _spatial = 2


class MaxUnpool3d(_MaxUnpoolNd):
    """Return zeros with the input where `MaxPool3d` took it from; see `MaxUnpool1d`."""

    _function = staticmethod(F.max_unpool3d)
    _spatial = 3


class _AvgPoolNd(Module):
    """The mean of every window."""

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """Return the mean of every window of ``(N, C, L)`` or ``(C, L)``.

    Args:
        kernel_size: The size of a window.
        stride: How far one window is from the next; that size if None.
        padding: How far windows reach over the edge.
        ceil_mode: Whether the last window may hang over.
        count_include_pad: Whether the zeros beyond the edge count as elements.

    >>> import chainrule as cr
    >>> AvgPool1d(2)(cr.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = repeated(kernel_size, 1)
        self.stride = repeated(kernel_size if stride is None else stride, 1)
        self.padding = repeated(padding, 1)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        result: Tensor = F.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )
        return result


class _AvgPool(_AvgPoolNd):
    """The mean of every window over two or three dimensions."""

    _function: Any

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        result: Tensor = type(self)._function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )
        return result


class AvgPool2d(_AvgPool):
    """Return the mean of every window over height and width.

    Args:
        kernel_size: The size of a window.
        stride: How far one window is from the next; that size if None.
        padding: How far windows reach over the edge.
        ceil_mode: Whether the last window may hang over.
        count_include_pad: Whether the zeros beyond the edge count as elements.
        divisor_override: What to divide the sum of a window by instead of its size.
    """

    _function = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPool):
    """Return the mean of every window over depth, height and width; see `AvgPool2d`."""

    _function = staticmethod(F.avg_pool3d)


class _FractionalMaxPool(Module):
    """The largest elements of windows that are placed at random."""

    _function: Any
    _spatial: int

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        output_size: int | Sequence[int] | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        name, count = type(self).__name__, self._spatial
        self.kernel_size = repeated(kernel_size, count)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else repeated(output_size, count)
        self.output_ratio = None if output_ratio is None else repeated(output_ratio, count)
        if output_size is None and output_ratio is None:
            msg = f"{name} requires specifying either an output size, or a pooling ratio"
            raise ValueError(msg)
        if output_size is not None and output_ratio is not None:
            msg = "only one of output_size and output_ratio may be specified"
            raise ValueError(msg)
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            msg = f"output_ratio must be between 0 and 1 (got {output_ratio})"
            raise ValueError(msg)

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and their places if they are asked for."""
        return type(self)._function(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class FractionalMaxPool2d(_FractionalMaxPool):
    """Return the largest elements of windows over height and width, placed at random.

    Args:
        kernel_size: The size of a window.
        output_size: How many windows there are.
        output_ratio: Or, how many in proportion to the size of the input.
        return_indices: Whether to give the places of the elements as well.
        _random_samples: What to place them by.

    Raises:
        ValueError: not exactly one of size and ratio is given, or the ratio is none.
    """

    _function = staticmethod(F.fractional_max_pool2d)
    _spatial = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """Return the largest elements of windows over three dimensions; see `FractionalMaxPool2d`."""

    _function = staticmethod(F.fractional_max_pool3d)
    _spatial = 3


class _LPPoolNd(Module):
    """The norm of every window."""

    _function: Any

    def __init__(
        self,
        norm_type: float,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        result: Tensor = type(self)._function(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )
        return result

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """Return the norm of every window of ``(N, C, L)``.

    Args:
        norm_type: The order of the norm.
        kernel_size: The size of a window.
        stride: How far one window is from the next; that size if None.
        ceil_mode: Whether the last window may hang over.
    """

    _function = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPoolNd):
    """Return the norm of every window over height and width; see `LPPool1d`."""

    _function = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPoolNd):
    """Return the norm of every window over depth, height and width; see `LPPool1d`."""

    _function = staticmethod(F.lp_pool3d)


class _AdaptiveAvgPoolNd(Module):
    """Means that give a size."""

    _function: Any

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        result: Tensor = type(self)._function(input, self.output_size)
        return result

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Return ``(N, C, L)`` or ``(C, L)`` averaged to the length *output_size*."""

    _function = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Return the input averaged to the height and width *output_size*; None keeps one.

    >>> import chainrule as cr
    >>> AdaptiveAvgPool2d((1, None))(cr.zeros(1, 3, 4, 5)).shape
    torch.Size([1, 3, 1, 5])
    """

    _function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Return the input averaged to depth, height and width *output_size*; None keeps one."""

    _function = staticmethod(F.adaptive_avg_pool3d)


class _AdaptiveMaxPoolNd(Module):
    """Largest elements that give a size."""

    _function: Any

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input: Tensor) -> Any:
        """Return the largest elements, and their places if they are asked for."""
        return type(self)._function(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Return the largest elements of *output_size* runs of ``(N, C, L)`` or ``(C, L)``."""

    _function = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Return the largest elements of runs that give height and width *output_size*."""

    _function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Return the largest elements of runs that give depth, height and width *output_size*."""

    _function = staticmethod(F.adaptive_max_pool3d)
