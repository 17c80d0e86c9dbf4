"""Planes of another size: nearest elements, or interpolated ones.

A resize is linear, and works on each dimension by itself. Every mode is an op with PyTorch's name;
they share one kernel and, as the transposed map, one backward.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from ..dtypes import FLOATING
from ..errors import KernelNotFoundError, ShapeError
from ..op import composite, primitive
from ._arguments import check_tensor
from ._operands import refusal
from .pooling_adaptive import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..tensor import Tensor

__all__ = ["interpolate"]

Sizes = tuple[int, ...]
Scales = tuple["float | None", ...]


@primitive(dtype="same")
def _upsample(
    self: Tensor, mode: str, output_size: Sizes, scales: Scales, align_corners: bool
) -> Tensor:
    """Return planes of *output_size*; *scales*, where given, say how wide a new element is."""


@primitive(dtype="same")
def upsample_backward(
    grad_output: Tensor,
    input_sizes: Sizes,
    mode: str,
    output_size: Sizes,
    scales: Scales,
    align_corners: bool,
) -> Tensor:
    """Return ``grad`` given to the old elements in the shares that the new ones have of them."""


_upsample.vjp(
    self=lambda grad, self_shape, mode, output_size, scales, align_corners: upsample_backward(
        grad, self_shape, mode, output_size, scales, align_corners
    )
)
upsample_backward.vjp(
    grad_output=lambda grad, mode, output_size, scales, align_corners: _upsample(
        grad, mode, output_size, scales, align_corners
    )
)


def _named(statement: Callable[..., Any], name: str, node: str, rule: Callable[..., Any]) -> Any:
    """Return *statement* as the op *name*, with the node of PyTorch's op of that name."""
    statement.__name__ = statement.__qualname__ = f"_upsample_{name}"
    statement.__doc__ = f"Return planes of another size, as `interpolate` does ({node})."
    op: Any = composite(nodes={"": f"Upsample{node}Backward0"}, dtype="same")(statement)
    op.vjp(self=rule)
    return op


def _nearest(name: str, node: str, mode: str, spatial: int) -> Any:
    """Return an op of the nearest element, with the saved names of its dimensions."""

    def line(self: Tensor, output_size: Sizes, scales: float | None) -> Tensor:
        return _upsample(self, mode, output_size, (scales,), False)

    def line_rule(grad: Any, self_shape: Any, output_size: Any, scales: Any) -> Any:
        return upsample_backward(grad, self_shape, mode, output_size, (scales,), False)

    def plane(
        self: Tensor, output_size: Sizes, scales_h: float | None, scales_w: float | None
    ) -> Tensor:
        return _upsample(self, mode, output_size, (scales_h, scales_w), False)

    def plane_rule(
        grad: Any, self_shape: Any, output_size: Any, scales_h: Any, scales_w: Any
    ) -> Any:
        return upsample_backward(grad, self_shape, mode, output_size, (scales_h, scales_w), False)

    def space(
        self: Tensor,
        output_size: Sizes,
        scales_d: float | None,
        scales_h: float | None,
        scales_w: float | None,
    ) -> Tensor:
        return _upsample(self, mode, output_size, (scales_d, scales_h, scales_w), False)

    def space_rule(
        grad: Any, self_shape: Any, output_size: Any, scales_d: Any, scales_h: Any, scales_w: Any
    ) -> Any:
        scales = (scales_d, scales_h, scales_w)
        return upsample_backward(grad, self_shape, mode, output_size, scales, False)

    chosen: dict[int, Any] = {1: (line, line_rule), 2: (plane, plane_rule), 3: (space, space_rule)}
    return _named(chosen[spatial][0], name, node, chosen[spatial][1])


def _interpolated(name: str, node: str, mode: str, spatial: int) -> Any:
    """Return an op of an interpolation, with the saved names of its dimensions."""

    def line(self: Tensor, output_size: Sizes, align_corners: bool, scales: float | None) -> Tensor:
        return _upsample(self, mode, output_size, (scales,), align_corners)

    def line_rule(
        grad: Any, self_shape: Any, output_size: Any, align_corners: Any, scales: Any
    ) -> Any:
        return upsample_backward(grad, self_shape, mode, output_size, (scales,), align_corners)

    def plane(
        self: Tensor,
        output_size: Sizes,
        align_corners: bool,
        scales_h: float | None,
        scales_w: float | None,
    ) -> Tensor:
        return _upsample(self, mode, output_size, (scales_h, scales_w), align_corners)

    def plane_rule(
        grad: Any,
        self_shape: Any,
        output_size: Any,
        align_corners: Any,
        scales_h: Any,
        scales_w: Any,
    ) -> Any:
        scales = (scales_h, scales_w)
        return upsample_backward(grad, self_shape, mode, output_size, scales, align_corners)

    def space(
        self: Tensor,
        output_size: Sizes,
        align_corners: bool,
        scales_d: float | None,
        scales_h: float | None,
        scales_w: float | None,
    ) -> Tensor:
        return _upsample(self, mode, output_size, (scales_d, scales_h, scales_w), align_corners)

    def space_rule(
        grad: Any,
        self_shape: Any,
        output_size: Any,
        align_corners: Any,
        scales_d: Any,
        scales_h: Any,
        scales_w: Any,
    ) -> Any:
        scales = (scales_d, scales_h, scales_w)
        return upsample_backward(grad, self_shape, mode, output_size, scales, align_corners)

    chosen: dict[int, Any] = {1: (line, line_rule), 2: (plane, plane_rule), 3: (space, space_rule)}
    return _named(chosen[spatial][0], name, node, chosen[spatial][1])


#: The ops by mode, and whether with antialiasing, and number of dimensions.
_OPS: Final[dict[tuple[str, bool, int], Any]] = {
    ("nearest", False, 1): _nearest("nearest1d", "Nearest1D", "nearest", 1),
    ("nearest", False, 2): _nearest("nearest2d", "Nearest2D", "nearest", 2),
    ("nearest", False, 3): _nearest("nearest3d", "Nearest3D", "nearest", 3),
    ("nearest-exact", False, 1): _nearest("nearest_exact1d", "NearestExact1D", "nearest-exact", 1),
    ("nearest-exact", False, 2): _nearest("nearest_exact2d", "NearestExact2D", "nearest-exact", 2),
    ("nearest-exact", False, 3): _nearest("nearest_exact3d", "NearestExact3D", "nearest-exact", 3),
    ("linear", False, 1): _interpolated("linear1d", "Linear1D", "linear", 1),
    ("bilinear", False, 2): _interpolated("bilinear2d", "Bilinear2D", "linear", 2),
    ("trilinear", False, 3): _interpolated("trilinear3d", "Trilinear3D", "linear", 3),
    ("bicubic", False, 2): _interpolated("bicubic2d", "Bicubic2D", "cubic", 2),
    ("bilinear", True, 2): _interpolated("bilinear2d_aa", "Bilinear2DAa", "linear-aa", 2),
    ("bicubic", True, 2): _interpolated("bicubic2d_aa", "Bicubic2DAa", "cubic-aa", 2),
    ("lanczos", True, 2): _interpolated("lanczos2d_aa", "Lanczos2DAa", "lanczos-aa", 2),
}
_MODES: Final = (
    "nearest", "linear", "bilinear", "bicubic", "trilinear", "lanczos", "area", "nearest-exact"
)  # fmt: skip
_DIMENSIONS: Final = {
    "linear": 3, "bilinear": 4, "bicubic": 4, "lanczos": 4, "trilinear": 5
}  # fmt: skip
_AREAS: Final[dict[int, Any]] = {
    1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d
}  # fmt: skip


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Return the planes of *input* with another size.

    Args:
        input: ``(N, C, *)`` with one to three dimensions more, floating.
        size: The new size.
        scale_factor: Or, by how much it grows.
        mode: ``"nearest"``, the element that the corner of a new one lies in; ``"nearest-exact"``,
            that its centre lies in; ``"linear"``, ``"bilinear"`` and ``"trilinear"`` by the number
            of dimensions; ``"bicubic"``; or ``"area"``, the mean of what a new element covers.
        align_corners: Whether the centres of the first and last elements stay where they are,
            rather than the outer edges.
        recompute_scale_factor: Whether the new size, rounded, decides how wide an element is,
            rather than *scale_factor*.
        antialias: Whether new elements that are wider than old ones take in all that they cover.

    Raises:
        ValueError: neither or both of size and scale are given, or options do not go together.
        NotImplementedError: the mode does not go with the number of dimensions.
        RuntimeError: a size is zero.

    Gradient:
        ``grad`` given to the old elements in the shares that the new ones have of them.

    >>> import chainrule as cr
    >>> x = cr.tensor([[[1.0, 3.0]]])
    >>> cr.nn.functional.interpolate(x, scale_factor=2)
    tensor([[[1., 1., 3., 3.]]])
    >>> cr.nn.functional.interpolate(x, size=4, mode="linear", align_corners=False)
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    check_tensor("interpolate", input)
    _check_align(mode, align_corners)
    spatial = len(input._array.shape) - 2
    output_size, scales = _sizes(input, size, scale_factor, recompute_scale_factor)
    if antialias and not (mode in {"bilinear", "bicubic", "lanczos"} and spatial == 2):
        msg = (
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires "
            "a 4-D tensor as input"
        )
        raise ValueError(msg)
    if mode == "area" and spatial in _AREAS:
        return _AREAS[spatial](input, output_size)  # type: ignore[no-any-return]  # a Tensor
    op = _OPS.get((mode, antialias, spatial))
    if op is None:
        raise _no_such_mode(mode, spatial + 2)
    _check(input, output_size, mode)
    if mode.startswith("nearest"):
        return op(input, output_size, *scales)  # type: ignore[no-any-return]  # a Tensor
    return op(input, output_size, bool(align_corners), *scales)  # type: ignore[no-any-return]  # a Tensor


def _check_align(mode: str, align_corners: bool | None) -> None:
    if mode in {"nearest", "area", "nearest-exact"} and align_corners is not None:
        msg = (
            "align_corners option can only be set with the interpolating modes: "
            "linear | bilinear | bicubic | trilinear"
        )
        raise ValueError(msg)


def _no_such_mode(mode: str, ndim: int) -> KernelNotFoundError:
    wanted = _DIMENSIONS.get(mode)
    if ndim in {3, 4, 5} and wanted is not None and wanted != ndim:
        return KernelNotFoundError(f"Got {ndim}D input, but {mode} mode needs {wanted}D input")
    return KernelNotFoundError(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim}D) for the modes: "
        f"{' | '.join(_MODES)} (got {mode})"
    )


def _sizes(
    input: Tensor, size: Any, scale_factor: Any, recompute: bool | None
) -> tuple[Sizes, Scales]:
    """Return the new size, and the scales where they decide how wide an element is."""
    sizes = list(input._array.shape[2:])
    if size is not None and scale_factor is not None:
        msg = "only one of size or scale_factor should be defined"
        raise ValueError(msg)
    if size is not None:
        if recompute:
            msg = "recompute_scale_factor is not meaningful with an explicit size."
            raise ValueError(msg)
        return _given_size(sizes, size), (None,) * len(sizes)
    if scale_factor is None:
        msg = "either size or scale_factor should be defined"
        raise ValueError(msg)
    scales = (
        tuple(scale_factor)
        if isinstance(scale_factor, (tuple, list))
        else (scale_factor,) * len(sizes)
    )
    if len(scales) != len(sizes):
        msg = (
            "Input and scale_factor must have the same number of spatial dimensions, but got input "
            f"with spatial dimensions of {sizes} and scale_factor of shape {scale_factor}. Please "
            "provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in "
            "(s1, s2, ...,sK) format."
        )
        raise ValueError(msg)
    made = tuple(math.floor(float(n) * s) for n, s in zip(sizes, scales, strict=True))
    return made, (None,) * len(sizes) if recompute else tuple(map(float, scales))


def _given_size(sizes: list[int], size: Any) -> Sizes:
    if not isinstance(size, (tuple, list)):
        return (int(size),) * len(sizes)
    if len(size) != len(sizes):
        msg = (
            "Input and output must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {sizes} and output size of {size}. Please provide input tensor "
            "in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format."
        )
        raise ValueError(msg)
    return tuple(map(int, size))


def _check(input: Tensor, output_size: Sizes, mode: str) -> None:
    shape = list(input._array.shape)
    spatial = len(output_size)
    if 0 in shape[2:] or min(output_size) <= 0:
        names = "DHW"[3 - spatial :]
        before, after = (
            ", ".join(f"{name}: {n}" for name, n in zip(names, sizes, strict=True))
            for sizes in (shape[2:], output_size)
        )
        msg = (
            f"Input and output sizes should be greater than 0, but got input ({before}) output "
            f"({after})"
        )
        raise ShapeError(msg)
    if shape[1] == 0:
        msg = f"Non-empty {spatial + 2}D data tensor expected but got a tensor with sizes {shape}"
        raise ShapeError(msg)
    if input._key.category < FLOATING:
        word = f"upsample_{mode.replace('-', '_')}{spatial}d"
        raise refusal("interpolate", word + ("_channels_last" * (spatial == 2)), input._key.dtype)
