"""Planes looked at through a grid of points, and grids made by affine maps.

Source: Jaderberg, Simonyan, Zisserman and Kavukcuoglu, "Spatial transformer networks", 2015.
"""

from __future__ import annotations

import itertools
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .. import dtypes
from .._warn import warn
from ..errors import DTypeError, KernelNotFoundError, ShapeError
from ..op import composite
from ._arguments import check_tensor
from .creation_ranges import linspace
from .joining import stack
from .selection import where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["affine_grid_generator", "grid_sampler"]

MODES: Final = ("bilinear", "nearest", "bicubic")
PADDINGS: Final = ("zeros", "border", "reflection")
_CUBIC: Final = -0.75
_CHANGED: Final = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. "
    "Please specify align_corners=True if the old behavior is desired. See the documentation of "
    "grid_sample for details."
)


class _Tap(NamedTuple):
    """What one neighbour along one dimension contributes."""

    place: Any  # int64, within the plane
    weight: Any
    slope: Any  # the derivative of the weight by the grid


def _unnormalised(grid: Any, size: int, align: bool) -> tuple[Any, float]:
    """Return grid coordinates counted in elements, and how fast they grow."""
    if align:
        return (grid + 1) / 2 * (size - 1), (size - 1) / 2
    return ((grid + 1) * size - 1) / 2, size / 2


def _clipped(place: Any, size: int) -> tuple[Any, Any]:
    inside = (place > 0) & (place < size - 1)
    return place.clamp(0, size - 1), inside.to(place.dtype)


def _reflected(place: Any, low: int, high: int) -> tuple[Any, Any]:
    """Return places mirrored into the range from half of *low* to half of *high*."""
    if low == high:
        return place * 0, place.detach() * 0
    edge, span = low / 2, (high - low) / 2
    away = place - edge
    distance = away.abs()
    turns = (distance / span).floor().detach()
    left = distance - turns * span
    even = turns % 2 == 0
    sign = where(away < 0, -1.0, 1.0).to(place.dtype) * where(even, 1.0, -1.0).to(place.dtype)
    return where(even, left, span - left) + edge, sign


def _kept_inside(place: Any, size: int, padding: int, align: bool) -> tuple[Any, Any]:
    """Return places as *padding* has them, and by what their slopes are multiplied."""
    if padding == 0:
        return place, 1.0
    if padding == 1:
        return _clipped(place, size)
    low, high = (0, 2 * (size - 1)) if align else (-1, 2 * size - 1)
    place, sign = _reflected(place, low, high)
    place, inside = _clipped(place, size)
    return place, sign * inside


def _tap(place: Any, weight: Any, slope: Any, size: int) -> _Tap:
    """Return a tap whose weight is zero where its place is none."""
    valid = ((place >= 0) & (place < size)).to(weight.dtype)
    index = place.detach().clamp(0, size - 1).to(dtypes.int64)
    return _Tap(index, weight * valid, slope * valid)


def _taps(grid: Any, size: int, mode: int, padding: int, align: bool) -> list[_Tap]:
    """Return the neighbours of every point along one dimension."""
    place, slope = _unnormalised(grid, size, align)
    place = where(place.detach().abs() < 2**31, place, -100.0)  # neither NaN nor beyond integers
    if mode == 2:
        return _cubic_taps(place, slope, size, padding, align)
    place, factor = _kept_inside(place, size, padding, align)
    if mode == 1:
        nearest = place.detach().round()
        return [_tap(nearest, place.detach() * 0 + 1, place.detach() * 0, size)]
    first = place.detach().floor()
    share = place - first
    rise = share.detach() * 0 + slope * factor
    return [_tap(first, 1 - share, -rise, size), _tap(first + 1, share, rise, size)]


def _cubic_taps(place: Any, slope: float, size: int, padding: int, align: bool) -> list[_Tap]:
    """Return four neighbours, weighted by cubic convolution."""
    first = place.detach().floor()
    share = place - first
    a = _CUBIC

    def near(d: Any) -> tuple[Any, Any]:
        return ((a + 2) * d - (a + 3)) * d * d + 1, (3 * (a + 2) * d - 2 * (a + 3)) * d

    def far(d: Any) -> tuple[Any, Any]:
        return ((d - 5) * d + 8) * d * a - 4 * a, a * ((3 * d - 10) * d + 8)

    found = []
    for shift, (weight, rise), sign in (
        (-1, far(share + 1), 1), (0, near(share), 1), (1, near(1 - share), -1),
        (2, far(2 - share), -1),
    ):  # fmt: skip
        there, _ = _kept_inside(first + shift, size, padding, align)
        found.append(_tap(there, weight, rise * (sign * slope), size))
    return found


def _neighbours(
    input: Any, grid: Any, mode: int, padding: int, align: bool
) -> tuple[list[list[_Tap]], tuple[int, ...]]:
    """Return the taps per dimension, in the order of the input's, and its sizes."""
    sizes = tuple(input._array.shape[2:])
    last = len(sizes) - 1
    taps = [
        _taps(grid[..., last - dim], size, mode, padding, align) for dim, size in enumerate(sizes)
    ]
    return taps, sizes


def _flat(taps: Any, sizes: tuple[int, ...]) -> Any:
    """Return the flat places of neighbours, a tap per dimension."""
    places: Any = 0
    for tap, size in zip(taps, sizes, strict=True):
        places = places * size + tap.place
    return _line(places)


def _product(factors: Any) -> Any:
    total: Any = 1
    for factor in factors:
        total = total * factor
    return _line(total)


def _line(points: Any) -> Any:
    """Return ``(N, *)`` as ``(N, 1, points)``, to meet the channels."""
    shape = points._array.shape
    return points.reshape(shape[0], 1, prod(shape[1:]))


def _sample(input: Any, grid: Any, mode: int, padding: int, align: bool) -> Any:
    taps, sizes = _neighbours(input, grid, mode, padding, align)
    samples, channels = input._array.shape[:2]
    plane, shape = input.reshape(samples, channels, prod(sizes)), grid._array.shape[1:-1]
    total: Any = 0
    for corner in itertools.product(*taps):
        index = _flat(corner, sizes).expand(samples, channels, prod(shape))
        total = total + plane.gather(2, index) * _product(tap.weight for tap in corner)
    return total.reshape(samples, channels, *shape)


def _sample_backward(
    grad: Any, input: Any, grid: Any, mode: int, padding: int, align: bool
) -> tuple[Any, Any]:
    taps, sizes = _neighbours(input, grid, mode, padding, align)
    samples, channels = input._array.shape[:2]
    plane, shape = input.reshape(samples, channels, prod(sizes)), grid._array.shape[1:-1]
    pulled = grad.reshape(samples, channels, prod(shape))
    inner: Any = plane.detach() * 0
    slopes: list[Any] = [0] * len(sizes)
    for corner in itertools.product(*taps):
        index = _flat(corner, sizes).expand(samples, channels, prod(shape))
        inner = inner.scatter_add(2, index, pulled * _product(tap.weight for tap in corner))
        met = (plane.gather(2, index) * pulled).sum(1, True)
        for dim in range(len(sizes)):
            factors = (tap.slope if d == dim else tap.weight for d, tap in enumerate(corner))
            slopes[dim] = slopes[dim] + met * _product(factors)
    by_grid = stack([slope.reshape(samples, *shape) for slope in reversed(slopes)], -1)
    return inner.reshape(samples, channels, *sizes), by_grid


@composite(dtype="same", nodes={"": "GridSampler2DBackward0"})
def _grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Return planes at the points of a grid."""
    return _sample(input, grid, interpolation_mode, padding_mode, align_corners)  # type: ignore[no-any-return]  # a Tensor


@composite(dtype="same", nodes={"": "GridSampler3DBackward0"})
def _grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """Return volumes at the points of a grid."""
    return _sample(input, grid, interpolation_mode, padding_mode, align_corners)  # type: ignore[no-any-return]  # a Tensor


def _rule(
    grad: Tensor,
    input: Tensor,
    grid: Tensor,
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Any:
    return _sample_backward(grad, input, grid, interpolation_mode, padding_mode, align_corners)


_grid_sampler_2d.vjp_joint("input", "grid")(_rule)
_grid_sampler_3d.vjp_joint("input", "grid")(_rule)


def grid_sampler(
    input: Tensor,
    grid: Tensor,
    interpolation_mode: int,
    padding_mode: int,
    align_corners: bool,
) -> Tensor:
    """Return *input* at the points of *grid*: ``nn.functional.grid_sample`` with numbered modes.

    Args:
        input: ``(N, C, H, W)`` or ``(N, C, D, H, W)``, floating.
        grid: ``(N, *, 2)`` or ``(N, *, 3)``: points as x, y (and z), from -1 to 1.
        interpolation_mode: 0 for linear in every dimension, 1 for the nearest element, 2 for cubic.
        padding_mode: What stands beyond the edge: 0 for zeros, 1 for the edge, 2 for the mirror
            image.
        align_corners: Whether -1 and 1 are the centres of the outer elements, rather than edges.

    Returns:
        ``(N, C, *)``.

    Raises:
        RuntimeError: sizes or dtypes do not fit.

    Gradient:
        For *input*, ``grad`` added up by the shares of the neighbours; for *grid*, the slopes of
        these shares times ``grad`` and the neighbours.

    >>> import chainrule as cr
    >>> x = cr.arange(4.0).reshape(1, 1, 2, 2)
    >>> cr.grid_sampler(x, cr.zeros(1, 1, 1, 2), 0, 0, False)
    tensor([[[[1.5000]]]])
    """
    check_tensor("grid_sampler", input)
    check_tensor("grid_sampler", grid, "grid", 2)
    _check(list(input._array.shape), list(grid._array.shape), interpolation_mode)
    if input._key.dtype is not grid._key.dtype:
        first, second = (t._key.dtype.scalar_name for t in (input, grid))
        msg = f"expected scalar type {first} but found {second}"
        raise DTypeError(msg)
    op: Any = _grid_sampler_2d if len(input._array.shape) == 4 else _grid_sampler_3d
    return op(input, grid, interpolation_mode, padding_mode, align_corners)  # type: ignore[no-any-return]  # a Tensor


def _check(shape: list[int], grid: list[int], mode: int) -> None:
    problem = ""
    if shape[0] != grid[0]:
        problem = (
            "expected grid and input to have same batch size, but got input with sizes "
            f"{shape} and grid with sizes {grid}"
        )
    elif grid[-1] != len(shape) - 2:
        problem = (
            f"expected grid to have size {len(shape) - 2} in last dimension, but got grid with "
            f"sizes {grid}"
        )
    elif len(shape) not in {4, 5} or len(grid) != len(shape):
        many = "4D" if len(shape) == 4 else "5D" if len(shape) == 5 else "4D or 5D"
        problem = (
            f"expected {many} input and grid with same number of dimensions, but got input with "
            f"sizes {shape} and grid with sizes {grid}"
        )
    elif 0 in shape[2:]:
        problem = (
            "expected input to have non-empty spatial dimensions, but input has sizes "
            f"{shape} with dimension {shape.index(0, 2)} being empty"
        )
    elif len(shape) == 5 and mode == 2:
        problem = "bicubic interpolation only supports 4D input"
    if problem:
        msg = f"grid_sampler(): {problem}"
        raise ShapeError(msg)


@composite(dtype="same", nodes={"": "AffineGridGeneratorBackward0"})
def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """Return the grid that an affine map makes of the points of planes.

    Args:
        theta: ``(N, 2, 3)``, or ``(N, 3, 4)`` for volumes.
        size: ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        align_corners: Whether -1 and 1 are the centres of the outer elements, rather than edges.

    Returns:
        ``(N, H, W, 2)`` or ``(N, D, H, W, 3)``.

    Gradient:
        ``grad`` times the points, added up.

    >>> import chainrule as cr
    >>> cr.affine_grid_generator(cr.eye(2, 3)[None], (1, 1, 1, 2), True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    samples, _, *plane = size
    points = _points(theta, plane, align_corners)
    found: Any = points.matmul(theta.transpose(1, 2))  # type: ignore[no-untyped-call, unused-ignore]  # a method
    return found.reshape(samples, *plane, len(plane))  # type: ignore[no-any-return]  # a Tensor


def _points(like: Any, plane: Sequence[int], align: bool) -> Any:
    """Return the points of a plane, each with a one appended: ``(1, H * W, 3)``."""
    count = len(plane)
    lines: list[Any] = []
    for dim, n in reversed(list(enumerate(plane))):
        line: Any = linspace(-1, 1, n, dtype=like.dtype, device=like.device) if n > 1 else (
            like.new_zeros(1)
        )  # fmt: skip
        if not align:
            line = line * ((n - 1) / n)
        lines.append(line.reshape([n if d == dim else 1 for d in range(count)]).expand(*plane))
    ones = like.new_ones(1).expand(*plane)
    return stack([*lines, ones], -1).reshape(1, prod(plane), count + 1)


affine_grid_generator.vjp(
    theta=lambda grad, size, align_corners: _affine_rule(grad, size, align_corners)
)


def _affine_rule(grad: Any, size: Any, align_corners: bool) -> Any:
    plane = size[2:]
    flat = grad.reshape(size[0], prod(plane), len(plane))
    return flat.transpose(1, 2).matmul(_points(grad, plane, align_corners))


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """Return `affine_grid_generator` with checked arguments, as ``nn.functional`` has it."""
    if align_corners is None:
        warn(_CHANGED, stacklevel=3)
        align_corners = False
    if not theta.is_floating_point():
        msg = f"Expected theta to have floating point type, but got {theta.dtype}"
        raise ValueError(msg)
    shape, sizes = tuple(theta._array.shape), tuple(size)
    if len(sizes) not in {4, 5}:
        msg = (
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {size}."
        )
        raise KernelNotFoundError(msg)
    spatial = len(sizes) - 2
    if len(shape) != 3 or shape[1:] != (spatial, spatial + 1):
        kind = f"Nx{spatial}x{spatial + 1}"
        msg = (
            f"Expected a batch of {spatial}D affine matrices of shape {kind} for size {size}. "
            f"Got {theta.shape}."
        )
        raise ValueError(msg)
    if min(sizes) <= 0:
        msg = f"Expected non-zero, positive output size. Got {size}"
        raise ValueError(msg)
    return affine_grid_generator(theta, sizes, align_corners)


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Return `grid_sampler` with named modes, as ``nn.functional`` has it."""
    if mode not in MODES:
        msg = (
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
            f"but got: '{mode}'"
        )
        raise ValueError(msg)
    if padding_mode not in PADDINGS:
        msg = (
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
        raise ValueError(msg)
    if align_corners is None:
        warn(_CHANGED, stacklevel=3)
        align_corners = False
    number, padding = MODES.index(mode), PADDINGS.index(padding_mode)
    return grid_sampler(input, grid, number, padding, align_corners)
