"""Largest and smallest elements, and where they stand.

Where several elements tie, `max()`, `amax` and `aminmax` share the gradient equally among them;
``max(dim)`` gives it to the one that its indices name, the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from ..errors import ArgumentError, DimError, ShapeError, UnsupportedDTypeError
from ..op import composite, primitive
from ..shapes import wrap_dim
from ..value import Value
from ._arguments import zeros_shaped
from .reductions import keep_reduced, reduced_dims
from .return_types import aminmax as aminmax_result
from .return_types import max as max_result
from .return_types import min as min_result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = ["amax", "amin", "aminmax", "argmax", "argmin", "max", "min"]


# What these and the order statistics share


def selected_dim(name: str, dim: Any, tensor: Tensor) -> int:
    """Return the one dimension to select along, counted from the front.

    Raises:
        DimError: it is out of range, or empty.
        ArgumentError: *dim* is no integer.
    """
    shape = tensor._array.shape
    if not hasattr(dim, "__index__"):
        msg = f"{name}(): argument 'dim' (position 2) must be int, not {type(dim).__name__}"
        raise ArgumentError(msg)
    wrapped = wrap_dim(dim.__index__(), len(shape))
    if shape and shape[wrapped] == 0:
        raise _empty_dim(f"{name}()", wrapped)
    return wrapped


def _empty_dim(who: str, dim: int) -> DimError:
    return DimError(
        f"{who}: Expected reduction dim {dim} to have non-zero size.\n"
        f"{who.removesuffix('()')}: an empty dimension has no element to select."
    )


def place(
    grad: Tensor, indices: Tensor, dim: int, keepdim: bool, self_shape: tuple[int, ...]
) -> Any:
    """Return zeros of *self_shape* with *grad* at the elements that were selected along *dim*."""
    if not self_shape:
        return grad
    if not keepdim:
        grad, indices = grad.unsqueeze(dim), indices.unsqueeze(dim)
    return zeros_shaped(grad, self_shape).scatter(dim, indices, grad)


def share_among_ties(grad: Tensor, self: Tensor, result: Tensor) -> Any:
    """Return *grad* of one element in equal parts at all that equal it; NaN equals NaN."""
    chosen = (self == result) | (self.isnan() & result.isnan())
    return ops.where(chosen, grad / chosen.sum(), 0)


# Over everything


@primitive(promote="arithmetic", nodes={"": "MaxBackward1"}, refuses={"complex": "max_all"})
def _max_all(self: Tensor) -> Tensor:
    """Return the largest element."""


_max_all.vjp(self=share_among_ties)


@primitive(promote="arithmetic", nodes={"": "MinBackward1"}, refuses={"complex": "min_all"})
def _min_all(self: Tensor) -> Tensor:
    """Return the smallest element."""


_min_all.vjp(self=share_among_ties)


def _check_elements(name: str, tensor: Tensor) -> None:
    if not tensor.numel():
        msg = (
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
            "reduction dim with the 'dim' argument.\n"
            f"{name}: expected at least one element, got shape {tuple(tensor._array.shape)}."
        )
        raise ShapeError(msg)


# Along one dimension


@primitive(
    nodes={"": "MaxBackward0"},
    refuses={"complex": "max(): does not support complex input"},
)
def _max_dim(self: Tensor, dim: int, keepdim: bool = False) -> max_result:
    """Return the largest elements along *dim*, and where they stand."""


_max_dim.vjp(self=place)


@primitive(
    nodes={"": "MinBackward0"},
    refuses={"complex": "min(): does not support complex input"},
)
def _min_dim(self: Tensor, dim: int, keepdim: bool = False) -> min_result:
    """Return the smallest elements along *dim*, and where they stand."""


_min_dim.vjp(self=place)


@composite
def max(
    self: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Any = None
) -> Tensor:
    """Return the largest element; along *dim* with its index; or the larger of two tensors.

    Args:
        self: ``(*, N)``, any real dtype.
        dim: The dimension to reduce, None for all; or a second tensor: `maximum` of the two.
        keepdim: Keep the reduced dimension with size 1.
        other: The second tensor, by name.

    Returns:
        One element; with *dim*, a named tuple of ``values`` and ``indices``, both ``(*)``. NaN is
        larger than every number; of equal elements the index is the first one's.

    Raises:
        RuntimeError: there is no element.
        IndexError: *dim* is out of range, or empty.

    Gradient:
        Without *dim*, ``grad`` in equal parts at all elements that equal the result; with *dim*,
        ``grad`` at ``indices``.

    >>> import chainrule as cr
    >>> cr.tensor([[1.0, 4.0], [3.0, 2.0]]).max(dim=0)
    torch.return_types.max(
    values=tensor([3., 4.]),
    indices=tensor([1, 0]))
    """
    if other is not None or isinstance(dim, Value):
        second: Any = dim if other is None else other
        return ops.maximum(self, second)
    if dim is None:
        _check_elements("max", self)
        return _max_all(self)
    return _max_dim(self, selected_dim("max", dim, self), keepdim)  # type: ignore[return-value]  # PyTorch's overload


@composite
def min(
    self: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Any = None
) -> Tensor:
    """Return the smallest element; along *dim* with its index; or the smaller of two tensors.

    Args:
        self: ``(*, N)``, any real dtype.
        dim: The dimension to reduce, None for all; or a second tensor: `minimum` of the two.
        keepdim: Keep the reduced dimension with size 1.
        other: The second tensor, by name.

    Returns:
        One element; with *dim*, a named tuple of ``values`` and ``indices``, both ``(*)``. NaN is
        smaller than every number; of equal elements the index is the first one's.

    Raises:
        RuntimeError: there is no element.
        IndexError: *dim* is out of range, or empty.

    Gradient:
        As for `max`.

    >>> import chainrule as cr
    >>> values, indices = cr.tensor([[1.0, 4.0], [3.0, 2.0]]).min(dim=1)
    >>> values, indices
    (tensor([1., 2.]), tensor([0, 1]))
    """
    if other is not None or isinstance(dim, Value):
        second: Any = dim if other is None else other
        return ops.minimum(self, second)
    if dim is None:
        _check_elements("min", self)
        return _min_all(self)
    return _min_dim(self, selected_dim("min", dim, self), keepdim)  # type: ignore[return-value]  # PyTorch's overload


# Over several dimensions


@primitive(dtype="same", nodes={"": "AmaxBackward0"}, refuses={"complex": "max_values_cpu"})
def _amax(self: Tensor, dim: tuple[int, ...] = (), keepdim: bool = False) -> Tensor:
    """Return the largest element over *dim*."""


@primitive(dtype="same", nodes={"": "AminBackward0"}, refuses={"complex": "min_values_cpu"})
def _amin(self: Tensor, dim: tuple[int, ...] = (), keepdim: bool = False) -> Tensor:
    """Return the smallest element over *dim*."""


def _share_over(
    grad: Tensor, self: Tensor, result: Tensor, dim: tuple[int, ...], keepdim: bool
) -> Any:
    """Return *grad* in equal parts at the elements of *self* that equal *result* over *dim*."""
    shape = tuple(self._array.shape)
    chosen = self == keep_reduced(result, shape, dim, keepdim)
    share = keep_reduced(grad, shape, dim, keepdim) * chosen
    return share / chosen.sum(dim, True)


_amax.vjp(self=_share_over)
_amin.vjp(self=_share_over)


def _extreme_dims(name: str, dim: Any, tensor: Tensor) -> tuple[int, ...]:
    """Return the dimensions to reduce, after checking that there is something to choose from."""
    shape = tensor._array.shape
    dims = reduced_dims(name, dim, len(shape))
    for given, d in zip(dim if isinstance(dim, (tuple, list)) else (dim,), dims, strict=False):
        if shape[d] == 0:
            raise _empty_dim(f"{name}()", given)
    if not dims:
        _check_elements(name, tensor)
    return dims


@composite
def amax(self: Tensor, dim: int | Sequence[int] = (), keepdim: bool = False) -> Tensor:
    """Return the largest element over *dim*, or over everything.

    Args:
        self: ``(*, N)``, any real dtype.
        dim: The dimension or dimensions to reduce; () for all.
        keepdim: Keep the reduced dimensions with size 1.

    Returns:
        ``(*)``, dtype of *self*; NaN where there is one.

    Raises:
        IndexError: *dim* is out of range, or empty.

    Gradient:
        ``grad`` in equal parts at all elements that equal the result.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 3.0, 3.0], requires_grad=True)
    >>> cr.amax(x).backward()
    >>> x.grad
    tensor([0.0000, 0.5000, 0.5000])
    """
    return _amax(self, _extreme_dims("amax", dim, self), keepdim)


@composite
def amin(self: Tensor, dim: int | Sequence[int] = (), keepdim: bool = False) -> Tensor:
    """Return the smallest element over *dim*, or over everything.

    Args:
        self: ``(*, N)``, any real dtype.
        dim: The dimension or dimensions to reduce; () for all.
        keepdim: Keep the reduced dimensions with size 1.

    Returns:
        ``(*)``, dtype of *self*; NaN where there is one.

    Raises:
        IndexError: *dim* is out of range, or empty.

    Gradient:
        ``grad`` in equal parts at all elements that equal the result.

    >>> import chainrule as cr
    >>> cr.amin(cr.tensor([[1, 4], [3, 2]]), dim=(0, 1))
    tensor(1)
    """
    return _amin(self, _extreme_dims("amin", dim, self), keepdim)


@primitive(nodes={"": "AminmaxBackward0"}, refuses={"complex": "aminmax_cpu"})
def _aminmax(self: Tensor, dim: int | None = None, keepdim: bool = False) -> aminmax_result:
    """Return the smallest and the largest element along *dim*, or of all."""


def _aminmax_rule(
    grads: list[Tensor], self: Tensor, min: Tensor, max: Tensor, dim: int | None, keepdim: bool
) -> Any:
    dims = () if dim is None or not self._array.shape else (dim,)
    at_min = _share_over(grads[0], self, min, dims, keepdim)
    return at_min + _share_over(grads[1], self, max, dims, keepdim)


_aminmax.vjp(self=_aminmax_rule)


@composite
def aminmax(self: Tensor, *, dim: int | None = None, keepdim: bool = False) -> aminmax_result:
    """Return the smallest and the largest element along *dim*, or of all.

    Args:
        self: ``(*, N)``, any real dtype.
        dim: The dimension to reduce; None for all.
        keepdim: Keep the reduced dimensions with size 1.

    Returns:
        A named tuple of ``min`` and ``max``, both ``(*)``.

    Raises:
        RuntimeError: there is no element.
        IndexError: *dim* is out of range, or empty.

    Gradient:
        That of `amin` plus that of `amax`.

    >>> import chainrule as cr
    >>> cr.aminmax(cr.tensor([3, 1, 2]))
    torch.return_types.aminmax(
    min=tensor(1),
    max=tensor(3))
    """
    shape = self._array.shape
    if dim is None:
        if not self.numel():
            msg = (
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
                f"identity.\naminmax: expected at least one element, got shape {tuple(shape)}."
            )
            raise ShapeError(msg)
        return _aminmax(self, None, keepdim)
    wrapped = wrap_dim(dim, len(shape))
    if shape and shape[wrapped] == 0:
        raise _empty_dim("aminmax", wrapped)
    return _aminmax(self, wrapped, keepdim)


# Positions


@primitive(dtype="int64")
def _argmax(self: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the index of the largest element along *dim*, or in the flattened tensor."""


@primitive(dtype="int64")
def _argmin(self: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the index of the smallest element along *dim*, or in the flattened tensor."""


_argmax.vjp(self=None)
_argmin.vjp(self=None)


def _position_dim(name: str, dim: Any, tensor: Tensor) -> int | None:
    """Return the dimension to search, after checking that there is something to find."""
    dtype = tensor._key.dtype
    if dtype is dtypes.bool_ or dtype.is_complex:
        kind = "complex" if dtype.is_complex else "bool"
        msg = f"{name}(): does not support {kind} input\n{name}: expected numbers with an order."
        raise UnsupportedDTypeError(msg)
    if dim is not None:
        return selected_dim(name, dim, tensor)
    if not tensor.numel():
        msg = (
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0.\n"
            f"{name}: expected at least one element, got shape {tuple(tensor._array.shape)}."
        )
        raise DimError(msg)
    return None


@composite
def argmax(self: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the index of the largest element.

    Args:
        self: ``(*, N)``, any real dtype but bool.
        dim: The dimension to search; None for the flattened tensor.
        keepdim: Keep the searched dimension with size 1.

    Returns:
        ``(*)``, int64; of equal elements the first one's index.

    Raises:
        IndexError: *dim* is out of range or empty, or there is no element.

    >>> import chainrule as cr
    >>> cr.argmax(cr.tensor([[1, 4], [3, 2]]), dim=1)
    tensor([1, 0])
    """
    return _argmax(self, _position_dim("argmax", dim, self), keepdim)


@composite
def argmin(self: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the index of the smallest element.

    Args:
        self: ``(*, N)``, any real dtype but bool.
        dim: The dimension to search; None for the flattened tensor.
        keepdim: Keep the searched dimension with size 1.

    Returns:
        ``(*)``, int64; of equal elements the first one's index.

    Raises:
        IndexError: *dim* is out of range or empty, or there is no element.

    >>> import chainrule as cr
    >>> cr.argmin(cr.tensor([[1, 4], [3, 2]]))
    tensor(0)
    """
    return _argmin(self, _position_dim("argmin", dim, self), keepdim)
