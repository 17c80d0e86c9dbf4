"""Running reductions: at each place the sum, product, largest element … of all up to there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from ..errors import ArgumentError, DTypeError
from ..inplace import fill_out
from ..op import composite, primitive
from ..plan import recording
from ..shapes import wrap_dim
from ..value import Value
from ._arguments import zeros_shaped
from ._operands import C_NAMES, refusal
from .complex import conj
from .return_types import cummax as cummax_result
from .return_types import cummin as cummin_result

if TYPE_CHECKING:
    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = ["cummax", "cummin", "cumprod", "cumsum"]


def running_dim(name: str, dim: Any, tensor: Tensor) -> int:
    """Return the dimension to run along, counted from the front."""
    if not hasattr(dim, "__index__"):
        msg = f"{name}(): argument 'dim' (position 2) must be int, not {type(dim).__name__}"
        raise ArgumentError(msg)
    return wrap_dim(dim.__index__(), len(tensor._array.shape))


def _running_dtype(tensor: Tensor, dtype: DType | None) -> DType | None:
    """Return the dtype to compute in: int64 for bool and integers, None for that of *tensor*."""
    if dtype is not None:
        return dtypes.given(dtype)
    return None if tensor._key.floating else dtypes.int64


def _check_out(name: str, dtype: DType | None, out: Any) -> None:
    """Check that *out* can take a result in *dtype*: its own dtype is what is computed in."""
    if not isinstance(out, Value):
        msg = f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}"
        raise ArgumentError(msg)
    if dtype is not None and out._key.dtype is not dtypes.given(dtype):
        wanted, found = C_NAMES[dtypes.given(dtype).name], C_NAMES[out._key.dtype.name]
        msg = f"Expected out tensor to have dtype {wanted}, but got {found} instead"
        raise DTypeError(msg)
    if out._key.dtype is dtypes.bool_:
        raise refusal(name, f"{name}_out_cpu", dtypes.bool_)


def reversed_cumsum(tensor: Tensor, dim: int) -> Tensor:
    """Return at each place the sum of all from there to the end."""
    return tensor.flip(dim).cumsum(dim).flip(dim)


# Sum


@primitive(nodes={"": "CumsumBackward0"})
def _cumsum(self: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """Return the running sum along *dim*, computed in *dtype*."""


_cumsum.vjp(self=lambda grad, dim: reversed_cumsum(grad, dim))


@composite
def cumsum(
    self: Tensor, dim: int, *, dtype: DType | None = None, out: Tensor | None = None
) -> Tensor:
    """Return the running sum along *dim*.

    Args:
        self: ``(*)``, any dtype; bool and integers are summed as int64.
        dim: The dimension to run along.
        dtype: Cast to it first.
        out: Where to write the result, in whose dtype it is computed.

    Returns:
        ``(*)``.

    Raises:
        IndexError: *dim* is out of range.
        RuntimeError: *out* is bool, or of another dtype than *dtype*.

    Gradient:
        The running sum of ``grad`` from the other end.

    >>> import chainrule as cr
    >>> cr.cumsum(cr.tensor([1, 2, 3]), dim=0)
    tensor([1, 3, 6])
    """
    if out is None:
        return _cumsum(self, running_dim("cumsum", dim, self), _running_dtype(self, dtype))
    _check_out("cumsum", dtype, out)
    result = _cumsum(self, running_dim("cumsum", dim, self), out.dtype)
    return fill_out(out, result)  # type: ignore[no-any-return]  # it is out


# Product


@primitive(nodes={"": "CumprodBackward0"})
def _cumprod(self: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """Return the running product along *dim*, computed in *dtype*."""


def _cumprod_rule(grad: Tensor, self: Tensor, result: Tensor, dim: int) -> Any:
    """Return the gradient: Note [Gradient of a running product]."""
    if self.numel() <= 1:
        return grad
    factors = self.to(grad._key.dtype)
    if not recording((grad, factors)):
        return _cumprod_gradient(grad, factors, result, dim)
    if bool(ops.all(factors)):
        return reversed_cumsum(grad * conj(result), dim) / conj(factors)
    return _cumprod_gradient_by_pairs(grad, factors, dim)


_cumprod.vjp(self=_cumprod_rule)


# Note [Gradient of a running product]
# ------------------------------------
# The gradient at place i is the sum over k ≥ i of grad[k] times the product of all factors up to
# k but i. Up to the first zero that is the reversed running sum of grad * result, divided by the
# factor. At the first zero, replace it by 1: the same sum, with the products that then come out,
# from there on. Behind it every product has a zero left, so the gradient is zero. All this holds
# for these values only: a derivative of it would not see what a small change of a zero does. So a
# recorded backward pass with zeros takes the quadratic form, which is one expression everywhere.


def _cumprod_gradient(grad: Tensor, self: Tensor, result: Tensor, dim: int) -> Any:
    zero = self == 0
    zeros = zero.cumsum(dim)
    first = zero & (zeros == 1)
    before = reversed_cumsum(grad * conj(result), dim) / conj(ops.where(zero, 1, self))
    products = ops.where(first, 1, self).cumprod(dim)
    at_first = reversed_cumsum(ops.where(zeros == 0, 0, grad * conj(products)), dim)
    return ops.where(zeros == 0, before, ops.where(first, at_first, 0))


def _cumprod_gradient_by_pairs(grad: Tensor, self: Tensor, dim: int) -> Any:
    rows = self.movedim(dim, -1).unsqueeze(-2)
    count = rows._array.shape[-1]
    place = ops.arange(count, device=self.device)
    itself = place.unsqueeze(-1) == place
    others = ops.where(itself, 1, rows).cumprod(-1)  # [..., i, k]: all factors up to k but i
    pulled = grad.movedim(dim, -1).unsqueeze(-2) * conj(others)
    return ops.where(place.unsqueeze(-1) <= place, pulled, 0).sum(-1).movedim(-1, dim)


@composite
def cumprod(
    self: Tensor, dim: int, *, dtype: DType | None = None, out: Tensor | None = None
) -> Tensor:
    """Return the running product along *dim*.

    Args:
        self: ``(*)``, any dtype; bool and integers are multiplied as int64.
        dim: The dimension to run along.
        dtype: Cast to it first.
        out: Where to write the result, in whose dtype it is computed.

    Returns:
        ``(*)``.

    Raises:
        IndexError: *dim* is out of range.
        RuntimeError: *out* is bool, or of another dtype than *dtype*.

    Gradient:
        At i, the sum over k ≥ i of ``grad[k]`` times all factors up to k but i: exact where factors
        are zero.

    >>> import chainrule as cr
    >>> cr.cumprod(cr.tensor([1, 2, 3, 4]), dim=0)
    tensor([ 1,  2,  6, 24])
    """
    if out is None:
        return _cumprod(self, running_dim("cumprod", dim, self), _running_dtype(self, dtype))
    _check_out("cumprod", dtype, out)
    result = _cumprod(self, running_dim("cumprod", dim, self), out.dtype)
    return fill_out(out, result)  # type: ignore[no-any-return]  # it is out


# Extremes


@primitive(nodes={"": "CummaxBackward0"}, saves=("self",), refuses={"complex": "cummax_cpu"})
def _cummax(self: Tensor, dim: int) -> cummax_result:
    """Return the running maximum along *dim*, and where it stands."""


@primitive(nodes={"": "CumminBackward0"}, saves=("self",), refuses={"complex": "cummin_cpu"})
def _cummin(self: Tensor, dim: int) -> cummin_result:
    """Return the running minimum along *dim*, and where it stands."""


def _collect(grad: Tensor, indices: Tensor, dim: int) -> Any:
    """Return *grad* summed at the elements that the running extremes came from."""
    shape = tuple(grad._array.shape)
    if not shape:
        return grad
    return zeros_shaped(grad, shape).scatter_add(dim, indices, grad)


_cummax.vjp(self=_collect)
_cummin.vjp(self=_collect)


@composite
def cummax(self: Tensor, dim: int) -> cummax_result:
    """Return the running maximum along *dim*, and where it stands.

    Args:
        self: ``(*)``, any real dtype.
        dim: The dimension to run along.

    Returns:
        A named tuple of ``values`` and ``indices``, both ``(*)``. Of equal elements the index is
        the latest one's; behind a NaN everything is NaN.

    Raises:
        IndexError: *dim* is out of range.

    Gradient:
        ``grad`` summed at ``indices``.

    >>> import chainrule as cr
    >>> cr.cummax(cr.tensor([1, 3, 2]), dim=0).values
    tensor([1, 3, 3])
    """
    return _cummax(self, running_dim("cummax", dim, self))


@composite
def cummin(self: Tensor, dim: int) -> cummin_result:
    """Return the running minimum along *dim*, and where it stands.

    Args:
        self: ``(*)``, any real dtype.
        dim: The dimension to run along.

    Returns:
        A named tuple of ``values`` and ``indices``, both ``(*)``. Of equal elements the index is
        the latest one's; behind a NaN everything is NaN.

    Raises:
        IndexError: *dim* is out of range.

    Gradient:
        ``grad`` summed at ``indices``.

    >>> import chainrule as cr
    >>> cr.cummin(cr.tensor([2, 3, 1]), dim=0).values
    tensor([2, 2, 1])
    """
    return _cummin(self, running_dim("cummin", dim, self))
