"""Sums and means: many elements to one, over all or some dimensions.

The public functions take arguments as PyTorch does and hand them on in one form, `reduced_dims`:
a tuple of dimensions counted from the front, where () stands for all of them.
"""

from __future__ import annotations

from math import prod as product
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import ArgumentError, DTypeError, ShapeError
from ..grad_mode import mode
from ..op import composite, primitive
from ..shapes import normalize_size, wrap_dims
from .broadcasting import _expand
from .shape import expand, reshape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = ["mean", "nanmean", "nansum", "sum", "sum_to_size"]


# What the families of reductions share


def reduced_dims(name: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """Return the dimensions to reduce, counted from the front; () stands for all of them.

    Raises:
        DimError: one is out of range.
        ArgumentError: *dim* is no integer and no sequence of integers.
        ShapeError: one is named twice.
    """
    if dim is None:
        return ()
    try:
        dims = wrap_dims(dim, ndim)
    except TypeError:
        msg = (
            f"{name}(): argument 'dim' (position 2) must be tuple of ints, not {type(dim).__name__}"
        )
        raise ArgumentError(msg) from None
    return dims if ndim else ()


def reduced_count(shape: tuple[int, ...], dim: tuple[int, ...]) -> int:
    """Return how many elements become one."""
    return product(shape[d] for d in dim) if dim else product(shape)


def reduced_shape(shape: tuple[int, ...], dim: tuple[int, ...]) -> tuple[int, ...]:
    """Return what is left of *shape*."""
    return tuple(size for d, size in enumerate(shape) if dim and d not in dim)


def keep_reduced(
    tensor: Tensor, shape: tuple[int, ...], dim: Sequence[int], keepdim: bool
) -> Tensor:
    """Return a result of reducing *shape* so that it broadcasts against what was reduced."""
    if keepdim or not dim:
        return tensor
    kept = tuple(1 if d in dim else size for d, size in enumerate(shape))
    return reshape(tensor, kept)


def expand_reduced(
    grad: Tensor, shape: tuple[int, ...], dim: int | Sequence[int] | None, keepdim: bool
) -> Tensor:
    """Return *grad* of a reduction over *dim* expanded back to *shape*."""
    dims = () if dim is None or not shape else wrap_dims(dim, len(shape))
    return expand(keep_reduced(grad, shape, dims, keepdim), shape)


# Sums


@primitive(nodes={"": "SumBackward0"})
def _sum_all(self: Tensor, dtype: DType | None = None) -> Tensor:
    """Return the sum of all elements, computed in *dtype*."""


@primitive(nodes={"": "SumBackward1"})
def _sum(
    self: Tensor, dim: tuple[int, ...], keepdim: bool = False, dtype: DType | None = None
) -> Tensor:
    """Return the sum over *dim*, computed in *dtype*."""


_sum_all.vjp(self=lambda grad, self_shape: _expand(grad, self_shape))
_sum.vjp(self=lambda grad, self_shape, dim, keepdim: expand_reduced(grad, self_shape, dim, keepdim))


@composite
def sum(
    self: Tensor,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """Return the sum over *dim*, or over everything.

    Args:
        self: ``(*, N)``, any dtype; bool and integers are summed as int64.
        dim: The dimension or dimensions to reduce; None or () for all.
        keepdim: Keep the reduced dimensions with size 1.
        dtype: Cast to it first.

    Returns:
        ``(*)``. The sum of nothing is 0.

    Raises:
        IndexError: *dim* is out of range.
        RuntimeError: a dimension is named twice.

    Gradient:
        ``grad``, expanded to the shape of *self*.

    >>> import chainrule as cr
    >>> cr.ones(2, 3).sum(dim=1)
    tensor([3., 3.])
    """
    if dim is None and not keepdim:
        return _sum_all.fast(self) if dtype is None else _sum_all(self, dtypes.given(dtype))
    if dtype is not None:
        dtype = dtypes.given(dtype)
    return _sum(self, reduced_dims("sum", dim, len(self._array.shape)), keepdim, dtype)


def sum_to_size(input: Tensor, *sizes: Any, size: Any = None) -> Tensor:
    """Return *input* summed over what broadcasting *sizes* to its shape had repeated.

    Args:
        input: ``(*)``.
        sizes: A shape that broadcasts to that of *input*.
        size: The same, by name.

    Returns:
        A tensor of that shape; *input* itself if it has that shape.

    Raises:
        RuntimeError: the shape does not broadcast to the shape of *input*.

    >>> import chainrule as cr
    >>> cr.sum_to_size(cr.ones(2, 3), 1, 3)
    tensor([[2., 2., 2.]])
    """
    wanted, shape = normalize_size(sizes if size is None else (size,)), tuple(input._array.shape)
    extra = len(shape) - len(wanted)
    dims = tuple(d for d in range(len(shape)) if d < extra or (wanted[d - extra] == 1 != shape[d]))
    kept = tuple(1 if d in dims else n for d, n in enumerate(shape))[max(extra, 0) :]
    if extra < 0 or kept != wanted:
        msg = (
            f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}.\n"
            "sum_to_size: expected a shape that broadcasts to that of the input."
        )
        raise ShapeError(msg)
    if not dims:
        return input
    if not wanted:
        return _sum_all(input)
    if len(dims) == extra and not (input._requires_grad and mode.enabled):
        return _sum(input, dims)
    summed = _sum(input, dims, True)
    return reshape(summed, wanted) if extra else summed


@primitive(
    nodes={"": "NansumBackward0"},
    refuses={"complex": "nansum on CPU does not support complex inputs"},
)
def _nansum(
    self: Tensor, dim: tuple[int, ...] = (), keepdim: bool = False, dtype: DType | None = None
) -> Tensor:
    """Return the sum over *dim* of what is a number, computed in *dtype*."""


_nansum.vjp(
    self=lambda grad, self, self_shape, dim, keepdim: (
        expand_reduced(grad, self_shape, dim, keepdim) * self.isnan().logical_not()
    )
)


@composite
def nansum(
    self: Tensor,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """Return the sum over *dim* with NaN counted as zero.

    Args:
        self: ``(*, N)``, any real dtype; bool and integers are summed as int64.
        dim: The dimension or dimensions to reduce; None or () for all.
        keepdim: Keep the reduced dimensions with size 1.
        dtype: Cast to it first.

    Returns:
        ``(*)``.

    Raises:
        RuntimeError: *self* is complex.

    Gradient:
        ``grad`` where *self* is a number, zero where it is NaN.

    >>> import chainrule as cr
    >>> cr.nansum(cr.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    dims = reduced_dims("nansum", dim, len(self._array.shape))
    if dtype is not None:
        dtype = dtypes.given(dtype)
    if self._key.floating:
        return _nansum(self, dims, keepdim, dtype)
    return _sum(self, dims, keepdim, dtype)


# Means


@primitive(nodes={"": "MeanBackward0"})
def _mean_all(self: Tensor, dtype: DType | None = None) -> Tensor:
    """Return the mean of all elements, computed in *dtype*."""


@primitive(nodes={"": "MeanBackward1"})
def _mean(
    self: Tensor, dim: tuple[int, ...], keepdim: bool = False, dtype: DType | None = None
) -> Tensor:
    """Return the mean over *dim*, computed in *dtype*."""


# Dividing before expanding touches the few elements of the result, not the many of the input.
_mean_all.vjp(self=lambda grad, self_shape: expand(grad / max(product(self_shape), 1), self_shape))
_mean.vjp(
    self=lambda grad, self_shape, dim, keepdim: expand_reduced(
        grad / max(reduced_count(self_shape, dim), 1), self_shape, dim, keepdim
    )
)


@composite
def mean(
    self: Tensor,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """Return the mean over *dim*, or over everything.

    Args:
        self: ``(*, N)``, floating or complex, or any dtype with *dtype* given.
        dim: The dimension or dimensions to reduce; None or () for all.
        keepdim: Keep the reduced dimensions with size 1.
        dtype: Cast to it first.

    Returns:
        ``(*)``. The mean of nothing is NaN.

    Raises:
        RuntimeError: neither *self* nor *dtype* is floating.
        IndexError: *dim* is out of range.

    Gradient:
        ``grad / n``, expanded to the shape of *self*.

    >>> import chainrule as cr
    >>> cr.tensor([[1.0, 2.0], [3.0, 5.0]]).mean(dim=0)
    tensor([2.0000, 3.5000])
    """
    if dtype is not None:
        dtype = dtypes.given(dtype)
    if not (self._key.floating if dtype is None else dtype.category >= dtypes.FLOATING):
        raise _no_mean(self, dtype)
    if dim is None and not keepdim:
        return _mean_all(self) if dtype is None else _mean_all(self, dtype)
    return _mean(self, reduced_dims("mean", dim, len(self._array.shape)), keepdim, dtype)


def _no_mean(tensor: Tensor, dtype: DType | None) -> DTypeError:
    whose, found = ("Input", tensor._key.dtype) if dtype is None else ("Optional", dtype)
    return DTypeError(
        f"mean(): could not infer output dtype. {whose} dtype must be either a floating point or "
        f"complex dtype. Got: {found.scalar_name}\n"
        f"mean: a mean is seldom whole, got {found}. Pass dtype=torch.float32."
    )


@composite
def nanmean(
    self: Tensor,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """Return the mean over *dim* of what is a number.

    Args:
        self: ``(*, N)``, floating.
        dim: The dimension or dimensions to reduce; None or () for all.
        keepdim: Keep the reduced dimensions with size 1.
        dtype: Cast to it first.

    Returns:
        ``(*)``, NaN where there was no number.

    Raises:
        RuntimeError: *self* is not floating.

    Gradient:
        ``grad / n`` where *self* is one of the n numbers, zero where it is NaN.

    >>> import chainrule as cr
    >>> cr.nanmean(cr.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5000)
    """
    if not self._key.floating:
        msg = (
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{self._key.dtype.scalar_name}\nnanmean: an integer is never NaN. Use mean(dtype=...)."
        )
        raise DTypeError(msg)
    numbers = sum(self.isnan().logical_not(), dim, keepdim)
    mean: Tensor = nansum(self, dim, keepdim, dtype=dtype) / numbers
    return mean
