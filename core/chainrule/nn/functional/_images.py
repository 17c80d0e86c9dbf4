"""Functions of images whose arguments differ from the op's, and deprecated names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ..._warn import warn
from ...ops import grids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...tensor import Tensor

__all__ = [
    "affine_grid",
    "fold",
    "grid_sample",
    "unfold",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]


def unfold(
    input: Tensor,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Return the windows of *input* as columns; see `chainrule.im2col`.

    >>> import chainrule as cr
    >>> unfold(cr.ones(1, 2, 3, 3), 2).shape
    torch.Size([1, 8, 4])
    """
    result: Tensor = ops.im2col(input, kernel_size, dilation, padding, stride)
    return result


def fold(
    input: Tensor,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Return planes in which the columns of *input* are added up; see `chainrule.col2im`.

    >>> import chainrule as cr
    >>> fold(cr.ones(1, 8, 4), (3, 3), 2).shape
    torch.Size([1, 2, 3, 3])
    """
    result: Tensor = ops.col2im(input, output_size, kernel_size, dilation, padding, stride)
    return result


def _deprecated(name: str) -> None:
    warn(
        f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=3,
    )


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Return `interpolate` under its old name, with a warning."""
    _deprecated("upsample")
    return ops.interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Return `interpolate` with mode ``"nearest"``, with a warning."""
    _deprecated("upsample_nearest")
    return ops.interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Return `interpolate` with mode ``"bilinear"`` and aligned corners, with a warning."""
    _deprecated("upsample_bilinear")
    return ops.interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Return *input* at the points of *grid*; see `chainrule.grid_sampler`.

    Args:
        input: ``(N, C, H, W)`` or ``(N, C, D, H, W)``, floating.
        grid: ``(N, *, 2)`` or ``(N, *, 3)``: points as x, y (and z), from -1 to 1.
        mode: ``"bilinear"``, ``"nearest"`` or ``"bicubic"``.
        padding_mode: ``"zeros"``, ``"border"`` or ``"reflection"``.
        align_corners: Whether -1 and 1 are the centres of the outer elements; to leave it out is
            deprecated.

    >>> import chainrule as cr
    >>> x = cr.arange(4.0).reshape(1, 1, 2, 2)
    >>> grid_sample(x, cr.zeros(1, 1, 1, 2), align_corners=False)
    tensor([[[[1.5000]]]])
    """
    return grids.grid_sample(input, grid, mode, padding_mode, align_corners)


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """Return the grid that an affine map makes; see `chainrule.affine_grid_generator`.

    >>> import chainrule as cr
    >>> affine_grid(cr.eye(2, 3)[None], (1, 1, 3, 2), align_corners=False).shape
    torch.Size([1, 3, 2, 2])
    """
    return grids.affine_grid(theta, size, align_corners)
