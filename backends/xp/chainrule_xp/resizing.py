"""Kernels of chainrule/ops/resizing.py: every resize is a matrix along each dimension.

The matrix of a mode has, per new cell, the shares of the old ones; the gradient is its transpose.
"""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")

Sizes = tuple[int, ...]

#: The free parameter of the cubic kernel: without and with antialiasing.
_CUBIC, _CUBIC_SMOOTH = -0.75, -0.5
#: How many old cells a kernel with antialiasing reaches to each side.
_REACH = {"linear-aa": 1, "cubic-aa": 2, "lanczos-aa": 3}


def along(xp: Any, x: Any, matrix: Any, dim: int) -> Any:
    """Return *matrix* applied to the vectors of *x* along *dim*."""
    before, after = x.shape[:dim], x.shape[dim + 1 :]
    if not after:
        return xp.matmul(x, matrix.T)
    flat = x.reshape(prod(before), x.shape[dim], prod(after))
    return xp.matmul(matrix, flat).reshape(*before, matrix.shape[0], *after)


def _centres(xp: Any, size: int, count: int, ratio: float, align: bool) -> Any:
    """Return where the centres of the new cells lie, counted in old cells."""
    number = xp.arange(count).astype("float64")
    return number * ratio if align else (number + 0.5) * ratio - 0.5


def _ratio(size: int, count: int, scale: float | None, align: bool) -> float:
    """Return how many old cells a new one is wide."""
    if align:
        return (size - 1) / (count - 1) if count > 1 else 0.0
    return 1 / scale if scale else size / count


def _nearest(xp: Any, size: int, count: int, scale: float | None, exact: bool, dtype: Any) -> Any:
    """Return the old cell of each new one; positions in single precision, as PyTorch's are."""
    ratio = xp.asarray(1 / scale if scale else size / count).astype("float32")
    number = xp.arange(count).astype("float32") + (0.5 if exact else 0)
    return xp.minimum(xp.floor(number * ratio).astype("int64"), size - 1)


def _cubic(xp: Any, distance: Any, a: float) -> Any:
    """Return the cubic convolution kernel at non-negative distances.

    Source: R. Keys, "Cubic convolution interpolation for digital image processing", 1981.
    """
    near = ((a + 2) * distance - (a + 3)) * distance * distance + 1
    far = ((distance - 5) * distance + 8) * distance * a - 4 * a
    return xp.where(distance <= 1, near, xp.where(distance < 2, far, 0))


def matrix(
    xp: Any, mode: str, size: int, count: int, scale: float | None, align: bool, dtype: Any
) -> Any:
    """Return the matrix ``(count, size)`` of one dimension."""
    cell = xp.arange(size)[None, :]
    if mode.startswith("nearest"):
        chosen = _nearest(xp, size, count, scale, mode == "nearest-exact", dtype)
        return (chosen[:, None] == cell).astype(dtype)
    ratio = _ratio(size, count, scale, align)
    if mode.endswith("-aa"):
        return _smooth(xp, mode, size, count, ratio, align, dtype)
    centre = _centres(xp, size, count, ratio, align)
    if mode == "linear":
        centre = xp.clip(centre, 0, size - 1)
        return xp.maximum(1 - xp.abs(centre[:, None] - cell), 0).astype(dtype)
    return _cubic_matrix(xp, centre, size, dtype)


def _cubic_matrix(xp: Any, centre: Any, size: int, dtype: Any) -> Any:
    """Return the matrix of cubic convolution; beyond the edge, the edge is repeated."""
    base = xp.floor(centre)
    out: Any = 0
    cell = xp.arange(size)[None, :]
    for shift in (-1, 0, 1, 2):
        place = base + shift
        share = _cubic(xp, xp.abs(centre - place), _CUBIC)
        met = xp.clip(place, 0, size - 1)[:, None] == cell
        out = out + share[:, None] * met
    return out.astype(dtype)


def _smooth(
    xp: Any, mode: str, size: int, count: int, ratio: float, align: bool, dtype: Any
) -> Any:
    """Return the matrix with antialiasing: the kernel is at least as wide as a new cell."""
    width = max(ratio, 1.0)
    reach = _REACH[mode] * width
    centre = _centres(xp, size, count, ratio, align)[:, None] + 0.5
    start = xp.maximum(xp.floor(centre - reach + 0.5), 0)
    end = xp.minimum(xp.floor(centre + reach + 0.5), size)
    cell = xp.arange(size)[None, :]
    distance = xp.abs(cell - centre + 0.5) / width
    if mode == "linear-aa":
        share = xp.maximum(1 - distance, 0)
    elif mode == "cubic-aa":
        share = _cubic(xp, distance, _CUBIC_SMOOTH)
    else:
        share = xp.where(distance < 3, xp.sinc(distance) * xp.sinc(distance / 3), 0)
    share = share * ((cell >= start) & (cell < end))
    return (share / share.sum(-1, keepdims=True)).astype(dtype)


def _resize(xp: Any, x: Any, mode: str, sizes: Sizes, counts: Any, scales: Any, align: bool,
            *, back: bool) -> Any:  # fmt: skip
    """Apply the matrices of all dimensions, or their transposes."""
    lead = x.ndim - len(sizes)
    for dim, (size, count, scale) in enumerate(zip(sizes, counts, scales, strict=True)):
        if size == count and mode in {"nearest", "linear"} and not (scale and scale != 1):
            continue
        weights = matrix(xp, mode, size, count, scale, align, x.dtype)
        x = along(xp, x, weights.T if back else weights, lead + dim)
    return x


@ks.family("cr::_upsample")
def upsample(xp: Any) -> Any:
    def kernel(x: Any, *, mode: str, output_size: Sizes, scales: Any, align_corners: bool) -> Any:
        if mode.startswith("nearest"):
            for dim, (count, scale) in enumerate(zip(output_size, scales, strict=True), 2):
                chosen = _nearest(xp, x.shape[dim], count, scale, mode == "nearest-exact", x.dtype)
                x = xp.take(x, chosen, dim)
            return x
        return _resize(xp, x, mode, x.shape[2:], output_size, scales, align_corners, back=False)

    return kernel


@ks.family("cr::upsample_backward")
def upsample_backward(xp: Any) -> Any:
    def kernel(
        grad: Any, *, input_sizes: Sizes, mode: str, output_size: Sizes, scales: Any,
        align_corners: bool,
    ) -> Any:  # fmt: skip
        return _resize(
            xp, grad, mode, input_sizes[2:], output_size, scales, align_corners, back=True
        )

    return kernel
