"""Pooling to a given size, whatever the size of the input: means, largest elements, at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dtypes import FLOATING
from ..errors import ShapeError
from ..op import primitive
from ._arguments import check_tensor, no_integers
from ._operands import refusal
from .pooling_average import check_line, one_of
from .pooling_max import _pool_scatter
from .random import rand
from .shape import squeeze, unsqueeze

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool2d", "adaptive_max_pool3d", "fractional_max_pool2d", "fractional_max_pool3d",
]  # fmt: skip

Sizes = tuple[int, ...]


@primitive(dtype="same", nodes={"": "AdaptiveAvgPool2DBackward0"}, saves=("self",))
def _adaptive_avg_pool2d(self: Tensor, output_size: Sizes) -> Tensor:
    """Return the means of runs of about equal length over two dimensions."""


@primitive(dtype="same", nodes={"": "AdaptiveAvgPool3DBackward0"}, saves=("self",))
def _adaptive_avg_pool3d(self: Tensor, output_size: Sizes) -> Tensor:
    """Return the means of runs of about equal length over three dimensions."""


@primitive(dtype="same")
def adaptive_avg_pool_backward(
    grad_output: Tensor, input_sizes: Sizes, output_size: Sizes
) -> Tensor:
    """Return ``grad`` spread evenly over the runs."""


_AVERAGES: Any = {2: _adaptive_avg_pool2d, 3: _adaptive_avg_pool3d}
for _op in _AVERAGES.values():
    _op.vjp(
        self=lambda grad, self_shape, output_size: adaptive_avg_pool_backward(
            grad, self_shape, output_size
        )
    )
    _op.readable = ("self",)  # PyTorch reads the size off the gradient
adaptive_avg_pool_backward.vjp(
    grad_output=lambda grad, output_size: _AVERAGES[len(output_size)](grad, output_size)
)


@primitive(nodes={"": "AdaptiveMaxPool2DBackward0"}, saves=("self",))
def _adaptive_max_pool2d(self: Tensor, output_size: Sizes) -> tuple[Tensor, Tensor]:
    """Return the largest elements of runs over two dimensions, and their indices."""


@primitive(nodes={"": "AdaptiveMaxPool3DBackward0"}, saves=("self",))
def _adaptive_max_pool3d(self: Tensor, output_size: Sizes) -> tuple[Tensor, Tensor]:
    """Return the largest elements of runs over three dimensions, and their indices."""


@primitive(nodes={"": "FractionalMaxPool2DBackward0"}, saves=("self", "kernel_size", "output_size"))
def _fractional_max_pool2d(
    self: Tensor, samples: Tensor, kernel_size: Sizes, output_size: Sizes
) -> tuple[Tensor, Tensor]:
    """Return the largest elements of windows placed by *samples*, and their indices."""


@primitive(nodes={"": "FractionalMaxPool3DBackward0"}, saves=("self", "kernel_size", "output_size"))
def _fractional_max_pool3d(
    self: Tensor, samples: Tensor, kernel_size: Sizes, output_size: Sizes
) -> tuple[Tensor, Tensor]:
    """Return the largest elements of windows placed by *samples*, and their indices."""


_adaptive_max_pool2d.vjp(
    self=lambda grad, self_shape, result1: _pool_scatter(grad, result1, self_shape, 2, False)
)
_adaptive_max_pool3d.vjp(
    self=lambda grad, self_shape, result1: _pool_scatter(grad, result1, self_shape, 3, False)
)
_fractional_max_pool2d.vjp(
    self=lambda grad, self_shape, result1: _pool_scatter(grad, result1, self_shape, 2, False),
    samples=None,
)
_fractional_max_pool3d.vjp(
    self=lambda grad, self_shape, result1: _pool_scatter(grad, result1, self_shape, 3, False),
    samples=None,
)


def _check(name: str, input: Tensor, spatial: int, *, colon: str = "") -> None:
    check_tensor(name, input)
    shape = list(input._array.shape)
    if len(shape) not in {spatial + 1, spatial + 2}:
        msg = (
            f"{name}(): Expected {spatial + 1}D or {spatial + 2}D tensor, but got{colon} {shape}\n"
            f"{name}: expected (n, c, *) or (c, *)."
        )
        raise ShapeError(msg)
    _check_full(name, shape, range(len(shape) - spatial, len(shape)))
    if input._key.category < FLOATING:
        raise refusal(name, f"{name}_cpu" if spatial == 3 else name, input._key.dtype)


def _check_full(name: str, shape: list[int], dims: range) -> None:
    for dim in dims:
        if shape[dim] == 0:
            msg = (
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but "
                f"input has sizes {shape} with dimension {dim} being empty\n"
                f"{name}: there is nothing to pool."
            )
            raise ShapeError(msg)


def _output_size(name: str, given: Any, input: Tensor, spatial: int, wrong: str) -> Sizes:
    """Return the output size; None stands for that of the input."""
    sizes = given if isinstance(given, (tuple, list)) else (given,) * spatial
    shape = input._array.shape
    if sizes is given and len(sizes) >= len(shape):
        msg = f"Input dimension should be at least {len(sizes) + 1}"
        raise ValueError(msg)
    if not all(isinstance(size, int) or size is None for size in sizes):
        raise no_integers(name, "output_size", given)
    if len(sizes) != spatial:
        msg = f"{wrong}\n{name}: expected one number or {spatial}, got {given!r}."
        raise ShapeError(msg)
    own = shape[-spatial:]  # there may be fewer: that is told later
    found = tuple(n if size is None else size for size, n in zip(sizes, own, strict=False))
    if min(found, default=0) < 0:
        shown = ", ".join(map(str, found))
        msg = (
            f"{name}: elements of output_size must be greater than or equal to 0 but received "
            f"{{{shown}}}"
        )
        raise ShapeError(msg)
    return found


def _average(spatial: int, input: Tensor, output_size: Any) -> Any:
    name = f"adaptive_avg_pool{spatial}d"
    check_tensor(name, input)
    size = _output_size(name, output_size, input, spatial, f"{name}: output_size must be {spatial}")
    if set(size) == {1} and input._key.category >= FLOATING and len(input._array.shape) > spatial:
        _check(name, input, spatial)
        return input.mean(tuple(range(-1, -1 - spatial, -1)), True)
    _check(name, input, spatial)
    return _AVERAGES[spatial](input, size)


def adaptive_avg_pool1d(input: Tensor, output_size: int | Sequence[int]) -> Any:
    """Return ``(N, C, L)`` or ``(C, L)`` averaged to the length *output_size*.

    >>> import chainrule as cr
    >>> cr.adaptive_avg_pool1d(cr.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    check_tensor("adaptive_avg_pool1d", input)
    check_line("adaptive_avg_pool1d", input)
    (count,) = one_of("adaptive_avg_pool1d", "output_size", output_size)
    lifted = unsqueeze(input, -2)
    _check("adaptive_avg_pool2d", lifted, 2)
    size = _output_size("adaptive_avg_pool1d", (1, count), lifted, 2, "")
    return squeeze(_adaptive_avg_pool2d(lifted, size), -2)


def adaptive_avg_pool2d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Any:
    """Return *input* averaged to a given height and width.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``, floating.
        output_size: Height and width, or one number for both; None keeps that of *input*.

    Raises:
        RuntimeError: sizes do not fit.

    Gradient:
        ``grad`` spread evenly over the elements that each mean was taken of: those from
        ``floor(i H / h)`` to ``ceil((i + 1) H / h)``.

    >>> import chainrule as cr
    >>> cr.adaptive_avg_pool2d(cr.arange(9.0).reshape(1, 1, 3, 3), 2)
    tensor([[[[2., 3.],
              [5., 6.]]]])
    """
    return _average(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Any:
    """Return *input* averaged to a given depth, height and width, as `adaptive_avg_pool2d` does.

    >>> import chainrule as cr
    >>> cr.adaptive_avg_pool3d(cr.ones(1, 2, 3, 3, 3), 2).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _average(3, input, output_size)


def adaptive_max_pool1d(
    input: Tensor, output_size: int | Sequence[int], return_indices: bool = False
) -> Any:
    """Return the largest elements of *output_size* runs of ``(N, C, L)`` or ``(C, L)``.

    >>> import chainrule as cr
    >>> cr.nn.functional.adaptive_max_pool1d(cr.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    check_tensor("adaptive_max_pool1d", input)
    check_line("adaptive_max_pool1d", input)
    (count,) = one_of("adaptive_max_pool1d", "output_size", output_size)
    shape = list(input._array.shape)
    _check_full("adaptive_max_pool1d", shape, range(len(shape) - 1, len(shape)))
    lifted = unsqueeze(input, -2)
    _check("adaptive_max_pool2d", lifted, 2)
    size = _output_size("adaptive_max_pool1d", (1, count), lifted, 2, "")
    values, indices = _adaptive_max_pool2d(lifted, size)
    values = squeeze(values, -2)
    return (values, squeeze(indices, -2)) if return_indices else values


def _largest(spatial: int, op: Any, input: Tensor, output_size: Any, return_indices: bool) -> Any:
    name = f"adaptive_max_pool{spatial}d"
    check_tensor(name, input)
    wrong = f"{name}(): internal error: output_size.size() must be {spatial}"
    size = _output_size(name, output_size, input, spatial, wrong)
    _check(name, input, spatial, colon=":")
    values, indices = op(input, size)
    return (values, indices) if return_indices else values


def adaptive_max_pool2d(
    input: Tensor, output_size: int | Sequence[int | None] | None, return_indices: bool = False
) -> Any:
    """Return the largest elements of *input* in runs that give a height and width.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``, floating.
        output_size: Height and width, or one number for both; None keeps that of *input*.
        return_indices: Whether to give the places of the elements as well.

    Raises:
        RuntimeError: sizes do not fit.

    Gradient:
        ``grad`` at the first of the largest elements.

    >>> import chainrule as cr
    >>> cr.adaptive_max_pool2d(cr.arange(9.0).reshape(1, 1, 3, 3), 2)
    tensor([[[[4., 5.],
              [7., 8.]]]])
    """
    return _largest(2, _adaptive_max_pool2d, input, output_size, return_indices)


def adaptive_max_pool3d(
    input: Tensor, output_size: int | Sequence[int | None] | None, return_indices: bool = False
) -> Any:
    """Return the largest elements in runs over three dimensions, as `adaptive_max_pool2d` does.

    >>> import chainrule as cr
    >>> cr.adaptive_max_pool3d(cr.ones(1, 2, 3, 3, 3), 2).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _largest(3, _adaptive_max_pool3d, input, output_size, return_indices)


def _fractional(
    spatial: int,
    op: Any,
    input: Tensor,
    kernel_size: Any,
    output_size: Any,
    output_ratio: Any,
    samples: Tensor | None,
) -> Any:
    name = f"fractional_max_pool{spatial}d"
    check_tensor(name, input)
    if output_size is None and output_ratio is None:
        msg = f"{name} requires specifying either an output_size or an output_ratio"
        raise ValueError(msg)
    kernel = (kernel_size,) * spatial if isinstance(kernel_size, int) else tuple(kernel_size)
    shape = tuple(input._array.shape)
    sizes = shape[len(shape) - spatial :]
    if output_size is None:
        ratio = (output_ratio,) * spatial if isinstance(output_ratio, float) else output_ratio
        output_size = [int(n * r) for n, r in zip(sizes, ratio, strict=True)]
    size = (output_size,) * spatial if isinstance(output_size, int) else tuple(output_size)
    _check_fractional(name, shape, kernel, size)
    if samples is None:
        lead = shape[: len(shape) - spatial]
        planes = (1, *lead) if len(lead) == 1 else lead
        samples = rand(*planes, spatial, dtype=input.dtype, device=input.device)
    return op(input, samples, kernel, size)


def _check_fractional(name: str, shape: Sizes, kernel: Sizes, size: Sizes) -> None:
    spatial = len(kernel)
    if len(shape) not in {spatial + 1, spatial + 2}:
        msg = f"{name}(): Expected {spatial + 1}D or {spatial + 2}D tensor, but got: {list(shape)}"
        raise ShapeError(msg)
    for dim in range(len(shape) - spatial - 1, len(shape)):
        if shape[dim] == 0:
            msg = (
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but "
                f"got{list(shape)} with dimension {dim} being empty.\n{name}: there is nothing to "
                "pool."
            )
            raise ShapeError(msg)
    names = ("height", "width") if spatial == 2 else ("time", "height", "width")
    for what, n, k, count in zip(names, shape[-spatial:], kernel, size, strict=True):
        if count + k - 1 > n:
            msg = f"{name}(): pool {what} {k} too large relative to input {what} {n}"
            raise ShapeError(msg)


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Return the largest elements of windows that are placed about evenly, with random shifts.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``, floating.
        kernel_size: The size of a window.
        output_size: How many windows there are in height and width.
        output_ratio: Or, how many in proportion to the size of *input*.
        return_indices: Whether to give the places of the elements as well.
        _random_samples: ``(N, C, 2)``, what to shift by instead of what the generator draws.

    Raises:
        ValueError: neither size nor ratio is given.
        RuntimeError: so many windows do not fit.

    Gradient:
        ``grad`` at the largest elements.

    >>> import chainrule as cr
    >>> cr.fractional_max_pool2d(cr.ones(1, 1, 7, 7), 2, output_size=3).shape
    torch.Size([1, 1, 3, 3])
    """
    values, indices = _fractional(
        2, _fractional_max_pool2d, input, kernel_size, output_size, output_ratio, _random_samples
    )
    return (values, indices) if return_indices else values


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Return the largest elements of windows over three dimensions, as `fractional_max_pool2d`.

    >>> import chainrule as cr
    >>> cr.fractional_max_pool3d(cr.ones(1, 1, 7, 7, 7), 2, output_size=3).shape
    torch.Size([1, 1, 3, 3, 3])
    """
    values, indices = _fractional(
        3, _fractional_max_pool3d, input, kernel_size, output_size, output_ratio, _random_samples
    )
    return (values, indices) if return_indices else values
