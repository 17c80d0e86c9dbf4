"""Norms of windows."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ... import ops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...tensor import Tensor

__all__ = ["lp_pool1d", "lp_pool2d", "lp_pool3d"]


def _norms(sums: Any, count: int, norm_type: float) -> Tensor:
    """Return the norms of windows, given the means of the powers of their elements."""
    positive = ops.sign(sums) * ops.relu(ops.abs(sums))
    result: Tensor = positive.mul(count).pow(1.0 / norm_type)
    return result


def _lp_pool(
    pool: Any, spatial: int, input: Tensor, norm_type: float, kernel_size: Any, stride: Any,
    ceil_mode: bool,
) -> Tensor:  # fmt: skip
    count = kernel_size**spatial if isinstance(kernel_size, int) else prod(kernel_size)
    means = pool(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    return _norms(means, count, norm_type)


def lp_pool1d(
    input: Tensor,
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the norm of every window over the length, ``(sum(x ** p)) ** (1 / p)``.

    >>> import chainrule as cr
    >>> lp_pool1d(cr.tensor([[3.0, 4.0]]), 2, 2)
    tensor([[5.]])
    """
    return _lp_pool(ops.avg_pool1d, 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor,
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the norm of every window over height and width, as `lp_pool1d`."""
    return _lp_pool(ops.avg_pool2d, 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor,
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the norm of every window over depth, height and width, as `lp_pool1d`."""
    return _lp_pool(ops.avg_pool3d, 3, input, norm_type, kernel_size, stride, ceil_mode)
