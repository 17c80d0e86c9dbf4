"""Means of windows, and norms of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ShapeError
from ..op import primitive
from ._arguments import check_tensor, no_integers
from .pooling_sizes import check_pooled, check_windows, pool_sizes
from .shape import squeeze, unsqueeze

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["avg_pool1d", "avg_pool2d", "avg_pool3d"]

Sizes = tuple[int, ...]
#: Kernel size, stride, padding, ceil mode, whether padding counts, the divisor.
Options = tuple[Sizes, Sizes, Sizes, bool, bool, int | None]


@primitive(dtype="same", nodes={"": "AvgPool2DBackward0"}, saves=("self",))
def _avg_pool2d(
    self: Tensor,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    """Return the means of windows over two dimensions."""


@primitive(dtype="same", nodes={"": "AvgPool3DBackward0"}, saves=("self",))
def _avg_pool3d(
    self: Tensor,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    """Return the means of windows over three dimensions."""


@primitive(dtype="same")
def avg_pool_backward(grad_output: Tensor, input_sizes: Sizes, options: Options) -> Tensor:
    """Return ``grad`` spread evenly over the windows; *options* are those of the pooling."""


def _avg_pool_rule(
    grad: Tensor,
    self_shape: Sizes,
    kernel_size: Sizes,
    stride: Sizes,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    options = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return avg_pool_backward(grad, self_shape, options)


_avg_pool2d.vjp(self=_avg_pool_rule)
_avg_pool3d.vjp(self=_avg_pool_rule)
_POOLS: Any = {2: _avg_pool2d, 3: _avg_pool3d}
avg_pool_backward.vjp(grad_output=lambda grad, options: _POOLS[len(options[0])](grad, *options))


def _avg_pool(
    spatial: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    name = f"avg_pool{spatial}d"
    check_tensor(name, input)
    sizes = pool_sizes(name, spatial, kernel_size, stride, padding)
    if divisor_override == 0:
        msg = f"divisor must be not zero\n{name}: None divides by the size of the window."
        raise ShapeError(msg)
    check_windows(input, sizes, spatial, maximum=False)
    check_pooled(input, sizes, ceil_mode)
    return _POOLS[spatial](input, *sizes[:3], ceil_mode, count_include_pad, divisor_override)


def avg_pool1d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """Return the mean of every window over the length of ``(N, C, L)`` or ``(C, L)``.

    Arguments are those of `avg_pool2d`.

    >>> import chainrule as cr
    >>> cr.avg_pool1d(cr.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    check_tensor("avg_pool1d", input)
    check_line("avg_pool1d", input)
    kernel, step, around = (
        () if given is None else (edge, *one_of("avg_pool1d", name, given))
        for name, given, edge in (
            ("kernel_size", kernel_size, 1), ("stride", stride, 1), ("padding", padding, 0)
        )
    )  # fmt: skip
    lifted = unsqueeze(input, -2)
    sizes = (kernel, step, around, (1, 1))
    check_windows(lifted, sizes, 2, maximum=False)
    check_pooled(lifted, sizes, ceil_mode)
    result = _avg_pool2d(lifted, kernel, step, around, ceil_mode, count_include_pad, None)
    return squeeze(result, -2)


def one_of(function: str, name: str, given: Any) -> Sizes:
    """Return *given* as a tuple of one.

    Raises:
        RuntimeError: there are more.
        TypeError: it is neither a number nor numbers.
    """
    if isinstance(given, int):
        return (given,)
    if not isinstance(given, (tuple, list)) or not all(isinstance(n, int) for n in given):
        raise no_integers(function, name, given)
    if len(given) != 1:
        msg = f"{function}() argument '{name}' should contain one int (got {len(given)})"
        raise ShapeError(msg)
    return tuple(given)


def check_line(function: str, input: Tensor) -> None:
    """Check that *input* is ``(N, C, L)`` or ``(C, L)``.

    Raises:
        RuntimeError: it is not.
    """
    ndim = len(input._array.shape)
    if ndim not in {2, 3}:
        msg = (
            f"Expected 2 to 3 dimensions, but got {ndim}-dimensional tensor for argument #1 'self' "
            f"(while checking arguments for {function})"
        )
        raise ShapeError(msg)


def avg_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Return the mean of every window over height and width.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size: The size of a window.
        stride: How far one window is from the next; that size if None.
        padding: How far windows reach over the edge, at most half a window.
        ceil_mode: Whether the last window may hang over.
        count_include_pad: Whether the zeros beyond the edge count as elements.
        divisor_override: What to divide the sum of a window by instead of its size.

    Raises:
        RuntimeError: sizes do not fit.

    Gradient:
        ``grad`` spread evenly over each window.

    >>> import chainrule as cr
    >>> cr.avg_pool2d(cr.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 2.5000,  4.5000],
              [10.5000, 12.5000]]]])
    """
    return _avg_pool(
        2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def avg_pool3d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Return the mean of every window over depth, height and width.

    Arguments are those of `avg_pool2d`, for ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    >>> import chainrule as cr
    >>> cr.avg_pool3d(cr.ones(1, 1, 4, 4, 4), 2).shape
    torch.Size([1, 1, 2, 2, 2])
    """
    return _avg_pool(
        3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )
