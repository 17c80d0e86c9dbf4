"""Gradients of convolutions, as functions.

>>> import chainrule as cr
>>> conv1d_weight(cr.ones(1, 1, 4), (1, 1, 3), cr.ones(1, 1, 2))
tensor([[[2., 2., 2.]]])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ops.convolution import convolution_backward_input, convolution_backward_weight, sized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = [
    "conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input",
    "conv3d_weight",
]  # fmt: skip


def _options(spatial: int, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    steps, around, spread = (
        sized("convolution", name, given, spatial)
        for name, given in (("stride", stride), ("padding", padding), ("dilation", dilation))
    )
    return (steps, around, spread, False, (0,) * spatial, groups)


def conv1d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of `conv1d` by an input of *input_size*, ``(N, C, L)``."""
    options = _options(1, stride, padding, dilation, groups)
    return convolution_backward_input(grad_output, weight, tuple(input_size), options)


def conv1d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of `conv1d` by a weight of *weight_size*."""
    options = _options(1, stride, padding, dilation, groups)
    return convolution_backward_weight(grad_output, input, tuple(weight_size), options)


def conv2d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of `conv2d` by an input of *input_size*, ``(N, C, H, W)``."""
    options = _options(2, stride, padding, dilation, groups)
    return convolution_backward_input(grad_output, weight, tuple(input_size), options)


def conv2d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of `conv2d` by a weight of *weight_size*."""
    options = _options(2, stride, padding, dilation, groups)
    return convolution_backward_weight(grad_output, input, tuple(weight_size), options)


def conv3d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of `conv3d` by an input of *input_size*, ``(N, C, D, H, W)``."""
    options = _options(3, stride, padding, dilation, groups)
    return convolution_backward_input(grad_output, weight, tuple(input_size), options)


def conv3d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the gradient of `conv3d` by a weight of *weight_size*."""
    options = _options(3, stride, padding, dilation, groups)
    return convolution_backward_weight(grad_output, input, tuple(weight_size), options)
