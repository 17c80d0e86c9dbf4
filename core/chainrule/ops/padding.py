"""More elements at the edges: a constant, the edge itself, its mirror image, or the other end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, KernelNotFoundError, ShapeError
from ..op import primitive
from ._arguments import check_tensor
from .joining import cat
from .slicing import narrow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Number, Tensor

__all__ = ["constant_pad_nd", "pad"]

Sizes = tuple[int, ...]


@primitive(dtype="same", nodes={"": "ConstantPadNdBackward0"})
def _constant_pad_nd(self: Tensor, pad: Sizes, value: Number = 0) -> Tensor:
    """Return *self* with elements added at its edges, or cut off where *pad* is negative."""


_constant_pad_nd.vjp(self=lambda grad, pad: _constant_pad_nd(grad, tuple(-n for n in pad)))


@primitive(dtype="same", nodes={"": "ReflectionPad1DBackward0"}, saves=("self",))
def _reflection_pad1d(self: Tensor, padding: Sizes) -> Tensor:
    """Return *self* continued by its mirror image along the last dimension."""


@primitive(dtype="same", nodes={"": "ReflectionPad2DBackward0"}, saves=("self",))
def _reflection_pad2d(self: Tensor, padding: Sizes) -> Tensor:
    """Return *self* continued by its mirror image along the last two dimensions."""


@primitive(dtype="same", nodes={"": "ReflectionPad3DBackward0"}, saves=("self",))
def _reflection_pad3d(self: Tensor, padding: Sizes) -> Tensor:
    """Return *self* continued by its mirror image along the last three dimensions."""


@primitive(dtype="same", nodes={"": "ReplicationPad1DBackward0"}, saves=("self",))
def _replication_pad1d(self: Tensor, padding: Sizes) -> Tensor:
    """Return *self* continued by its edge along the last dimension."""


@primitive(dtype="same", nodes={"": "ReplicationPad2DBackward0"}, saves=("self",))
def _replication_pad2d(self: Tensor, padding: Sizes) -> Tensor:
    """Return *self* continued by its edge along the last two dimensions."""


@primitive(dtype="same", nodes={"": "ReplicationPad3DBackward0"}, saves=("self",))
def _replication_pad3d(self: Tensor, padding: Sizes) -> Tensor:
    """Return *self* continued by its edge along the last three dimensions."""


@primitive(dtype="same")
def edge_pad_backward(
    grad_output: Tensor, input_sizes: Sizes, padding: Sizes, reflect: bool
) -> Tensor:
    """Return ``grad`` added up at the elements that were repeated."""


_PADS: Any = {
    (True, 1): _reflection_pad1d,
    (True, 2): _reflection_pad2d,
    (True, 3): _reflection_pad3d,
    (False, 1): _replication_pad1d,
    (False, 2): _replication_pad2d,
    (False, 3): _replication_pad3d,
}
for (_reflect, _), _op in _PADS.items():
    _op.vjp(
        self=(lambda grad, self_shape, padding: edge_pad_backward(grad, self_shape, padding, True))
        if _reflect
        else lambda grad, self_shape, padding: edge_pad_backward(grad, self_shape, padding, False)
    )
edge_pad_backward.vjp(
    grad_output=lambda grad, padding, reflect: _PADS[reflect, len(padding) // 2](grad, padding)
)


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: Number = 0) -> Tensor:
    """Return *input* with elements of *value* at its edges.

    Args:
        input: ``(*)``.
        pad: Two numbers per dimension, the last dimension first: before and behind. Negative ones
            cut off.
        value: What to add.

    Raises:
        RuntimeError: *pad* has an odd length, or more numbers than dimensions, or cuts off too
            much.

    Gradient:
        ``grad`` without the new elements.

    >>> import chainrule as cr
    >>> cr.constant_pad_nd(cr.ones(2), (1, 2))
    tensor([0., 1., 1., 0., 0.])
    """
    check_tensor("constant_pad_nd", input)
    sizes, shape = tuple(pad), input._array.shape
    if len(sizes) % 2:
        msg = f"Length of pad must be even but instead it equals {len(sizes)}"
        raise ShapeError(msg)
    if len(sizes) > 2 * len(shape):
        msg = (
            "Length of pad should be no more than twice the number of dimensions of the input. "
            f"Pad length is {len(sizes)} while the input has {len(shape)} dimensions."
        )
        raise ShapeError(msg)
    for number in range(len(sizes) // 2):
        before, behind = sizes[2 * number : 2 * number + 2]
        left = shape[-1 - number] + min(before, 0) + min(behind, 0)
        if left < 0:
            msg = (
                "narrow(): length must be non-negative.\n"
                f"pad: {before} and {behind} cut off more than the {shape[-1 - number]} elements "
                f"of dimension {len(shape) - 1 - number}."
            )
            raise ShapeError(msg)
    return _constant_pad_nd(input, sizes, value)


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Return *input* continued beyond its edges.

    Args:
        input: ``(*)``; for the modes but the first ``(N, C, *)`` or ``(C, *)``.
        pad: Two numbers per dimension, the last dimension first: before and behind. Negative ones
            cut off.
        mode: ``"constant"``; ``"reflect"``, the mirror image without the edge itself;
            ``"replicate"``, the edge; or ``"circular"``, what stands at the other end.
        value: The constant, zero if None.

    Raises:
        RuntimeError: sizes do not fit.
        NotImplementedError: *mode* is none of these, or does not take so many dimensions.

    Gradient:
        ``grad`` added up where elements were repeated.

    >>> import chainrule as cr
    >>> cr.nn.functional.pad(cr.tensor([[1.0, 2.0, 3.0]]), (2, 1), "reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """
    check_tensor("pad", input)
    sizes = _integers(pad)
    shape = list(input._array.shape)
    if len(sizes) % 2:
        msg = f"Padding length must be divisible by 2\npad: got {len(sizes)} numbers."
        raise ShapeError(msg)
    if len(sizes) > 2 * len(shape):
        msg = (
            "Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(sizes)} and input of dimension {len(shape)}"
        )
        raise ShapeError(msg)
    if mode == "constant":
        return constant_pad_nd(input, sizes, 0 if value is None else value)
    if value is not None and value != 0:
        msg = f'Padding mode "{mode}" doesn\'t take in value argument'
        raise ShapeError(msg)
    spatial = len(sizes) // 2
    if len(shape) - spatial not in {1, 2} or not 1 <= spatial <= 3:
        raise _unsupported(len(sizes), len(shape))
    if mode == "circular":
        return _circular(input, sizes)
    if mode not in {"reflect", "replicate"}:
        msg = f"Unrecognised padding mode {mode}\npad: expected constant, reflect, replicate or "
        msg += "circular."
        raise KernelNotFoundError(msg)
    _check_edges(shape, sizes, mode == "reflect")
    return _PADS[mode == "reflect", spatial](input, sizes)  # type: ignore[no-any-return]  # a Tensor


def _integers(pad: Any) -> Sizes:
    for place, item in enumerate(pad):
        if not isinstance(item, int):
            msg = (
                "pad(): argument 'pad' (position 2) must be tuple of ints, but found element of "
                f"type {type(item).__name__} at pos {place}"
            )
            raise ArgumentError(msg)
    return tuple(pad)


def _unsupported(numbers: int, ndim: int) -> KernelNotFoundError:
    lines = [
        f"Padding size {numbers} is not supported for {ndim}D input tensor.",
        "Supported combinations for non-constant padding:",
        "  - 2D or 3D input: padding size = 2 (pads last dimension)",
        "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)",
        "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)",
    ]
    return KernelNotFoundError("\n".join(lines))


def _check_edges(shape: list[int], sizes: Sizes, reflect: bool) -> None:
    spatial = len(sizes) // 2
    if 0 in shape[-1 - spatial :]:
        msg = (
            f"Expected {spatial + 1}D or {spatial + 2}D (batch mode) tensor with possibly 0 batch "
            f"size and other non-zero dimensions for input, but got: {shape}"
        )
        raise ShapeError(msg)
    for number in range(spatial):
        before, behind = sizes[2 * number : 2 * number + 2]
        dim = len(shape) - 1 - number
        if reflect and (before >= shape[dim] or behind >= shape[dim]):
            msg = (
                f"Argument #{4 + 2 * number}: Padding size should be less than the corresponding "
                f"input dimension, but got: padding ({before}, {behind}) at dimension {dim} of "
                f"input {shape}"
            )
            raise ShapeError(msg)
        if shape[dim] + before + behind < 1:
            name = "WHD"[number]
            msg = (
                f"input ({name}: {shape[dim]}) is too small. Calculated output {name}: "
                f"{shape[dim] + before + behind}"
            )
            raise ShapeError(msg)


def _circular(input: Tensor, sizes: Sizes) -> Tensor:
    """Return *input* continued by its other end, one dimension after the other."""
    for number in range(len(sizes) // 2):
        before, behind = sizes[2 * number : 2 * number + 2]
        dim = len(input._array.shape) - 1 - number
        size = input._array.shape[dim]
        if before > size or behind > size:
            msg = "Padding value causes wrapping around more than once."
            raise ShapeError(msg)
        if size + before + behind < 0:
            msg = "Negative padding value is resulting in an empty dimension"
            raise ShapeError(msg)
        first, last = max(-before, 0), size - max(-behind, 0)
        parts = [narrow(input, dim, first, last - first)]
        if before > 0:
            parts.insert(0, narrow(input, dim, last - before, before))
        if behind > 0:
            parts.append(narrow(input, dim, first, behind))
        input = cat(parts, dim)
    return input
