"""Lengths of vectors, and distances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..dtypes import given, promote_types
from ..errors import DTypeError, ShapeError
from ..inplace import fill_out
from ..naming import numpy_names
from ..op import composite, primitive
from ..shapes import broadcast_shapes
from ._arguments import check_tensor, unrecorded, zeros_shaped
from .reductions import keep_reduced, reduced_dims

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = ["cosine_similarity", "dist", "norm", "pairwise_distance", "pdist", "vector_norm"]

_INF = float("inf")


@primitive(nodes={"": "LinalgVectorNormBackward0"})
def _vector_norm(
    self: Tensor,
    ord: float,
    dim: tuple[int, ...] = (),
    keepdim: bool = False,
    dtype: DType | None = None,
) -> Tensor:
    """Return the norm of the elements over *dim*, computed in *dtype*."""


def norm_rule(
    grad: Tensor, self: Tensor, ord: float, dim: tuple[int, ...], keepdim: bool, result: Tensor
) -> Any:
    """Return the gradient of a norm; where the norm has a kink, the subgradient zero.

    For 0 < p < ∞ the derivative by x is ``sgn(x) * (|x| / result) ** (p - 1)``.
    """
    shape = tuple(self._array.shape)
    grad, result = (keep_reduced(t, shape, dim, keepdim) for t in (grad, result))
    if ord == 0:
        return zeros_shaped(self, shape)
    if ord == 1:
        return grad * self.sgn()
    if ord == 2:
        return self * (grad * power_or_zero(result, -1))
    size = self.abs()
    if ord in {_INF, -_INF}:
        chosen = size == result
        share = grad * power_or_zero(chosen.sum(dim, True).to(grad.dtype), -1)
        return self.sgn() * ops.where(chosen, share, 0)
    regular = ord >= 2  # else |x| ** (p - 2) is infinite at zero
    powers = self * size ** (ord - 2) if regular else self.sgn() * power_or_zero(size, ord - 1)
    return powers * (grad * power_or_zero(result, 1 - ord))


_vector_norm.vjp(self=norm_rule)


def power_or_zero(tensor: Tensor, exponent: float) -> Any:
    """Return ``tensor ** exponent``, but zero for zero, with zero for all its derivatives."""
    zero = tensor == 0
    return ops.where(zero, 0, ops.where(zero, 1, tensor) ** exponent)


@composite
def vector_norm(
    self: Tensor,
    ord: float = 2,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """Return the norm of the elements over *dim*, as if they were one vector.

    Args:
        self: ``(*, N)``, floating or complex.
        ord: The order p of ``sum(abs(x) ** p) ** (1 / p)``; ∞ and -∞ for the largest and the
            smallest absolute value, 0 for the number of nonzero elements.
        dim: The dimension or dimensions to reduce; None or () for all.
        keepdim: Keep the reduced dimensions with size 1.
        dtype: Cast to it first; at least as wide as that of *self*.

    Returns:
        ``(*)``, real.

    Raises:
        RuntimeError: *self* is not floating; *dtype* does not fit; or there is no element, and an
            order for which nothing has no norm.
        IndexError: *dim* is out of range.

    Gradient:
        ``grad * sgn(x) * (abs(x) / result) ** (p - 1)``; for ±∞ in equal parts at all elements of
        that size. Zero where the norm is zero, and for p < 2 at zero elements.

    >>> import chainrule as cr
    >>> x = cr.tensor([3.0, -4.0], requires_grad=True)
    >>> n = cr.ops.vector_norm(x)
    >>> n.backward()
    >>> x.grad
    tensor([ 0.6000, -0.8000])
    """
    if dtype is not None:
        dtype = given(dtype)
    _check_norm_dtypes(self._key.dtype, dtype)
    shape = tuple(self._array.shape)
    dims = reduced_dims("linalg_vector_norm", dim, len(shape))
    if ord < 0 or ord == _INF:
        _check_identity(ord, shape, dims, dim)
    return _vector_norm(self, ord, dims, keepdim, dtype)


def _check_norm_dtypes(found: DType, wanted: DType | None) -> None:
    """Check that there is a norm in these dtypes, as PyTorch words it."""
    problem = ""
    if not (found.is_floating_point or found.is_complex):
        problem = f"Expected a floating point or complex tensor as input. Got {found.scalar_name}"
    elif wanted is None or wanted is found:
        return
    elif not (wanted.is_floating_point or wanted.is_complex):
        problem = f"dtype should be floating point or complex, but got {wanted.scalar_name}"
    elif wanted.is_complex != found.is_complex:
        kind = "complex" if found.is_complex else "real"
        problem = f"dtype should be {kind} for {kind} inputs, but got {wanted.scalar_name}"
    elif promote_types(found, wanted) is not wanted:
        problem = (
            f"the dtype of the input ({found.scalar_name}) should be convertible without narrowing "
            f"to the specified dtype ({wanted.scalar_name})"
        )
    if problem:
        msg = (
            f"linalg.vector_norm: {problem}\nvector_norm: convert the tensor first, with .to(...)."
        )
        raise DTypeError(msg)


def _check_identity(ord: float, shape: tuple[int, ...], dims: tuple[int, ...], dim: Any) -> None:
    """Check that no empty set of elements is asked for its largest or smallest."""
    given = dim if isinstance(dim, (tuple, list)) else (dim,)
    empty = [named for named, d in zip(given, dims, strict=False) if shape[d] == 0]
    if not empty and (dims or 0 not in shape):
        return
    where = (
        f"the dimension {empty[0]}because this dimension is empty and" if empty
        else "an empty tensor because"
    )  # fmt: skip
    msg = (
        f"linalg.vector_norm cannot compute the {ord:g} norm on {where} the operation does not "
        "have an identity\n"
        f"vector_norm: expected at least one element, got shape {shape}."
    )
    raise ShapeError(msg)


def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    out: Tensor | None = None,
    dtype: DType | None = None,
) -> Tensor:
    """Return the norm over *dim*, or of everything.

    Args:
        input: ``(*, N)``, floating or complex.
        p: The order, as in `vector_norm`; ``"fro"`` and None for 2, ``"nuc"`` for the sum of the
            singular values of matrices.
        dim: The dimension or dimensions to reduce; None for all.
        keepdim: Keep the reduced dimensions with size 1.
        out: Where to write the result.
        dtype: Cast to it first.

    Returns:
        ``(*)``, real.

    Raises:
        RuntimeError: *input* is not floating, or there is no such order.
        IndexError: *dim* is out of range.

    Gradient:
        That of `vector_norm`, or of `linalg.svdvals`.

    >>> import chainrule as cr
    >>> cr.norm(cr.tensor([[3.0, 4.0], [6.0, 8.0]]), dim=1)
    tensor([ 5., 10.])
    """
    check_tensor("norm", input)
    if out is not None:
        return fill_out(out, norm(input, p, dim, keepdim, None, dtype))  # type: ignore[no-any-return]  # it is out
    if p is None or p == "fro":
        return vector_norm(input, 2, dim, keepdim, dtype=dtype)
    if not isinstance(p, str):
        return vector_norm(input, p, dim, keepdim, dtype=dtype)
    if p == "nuc":
        from .matrix_functions import linalg_matrix_norm

        pair: Any = (-2, -1) if dim is None else dim
        return linalg_matrix_norm(input, "nuc", pair, keepdim, dtype=dtype)
    msg = f"linalg.matrix_norm: Order {p} not supported.\nnorm: expected a number or 'fro'."
    raise ShapeError(msg)


@primitive(nodes={"": "NormBackward1"})
def _norm(self: Tensor, p: float, dim: tuple[int, ...] = (), keepdim: bool = False) -> Tensor:
    """Return the p-norm over *dim*, with the node that PyTorch's distances show."""


_norm.vjp(
    self=lambda grad, self, p, dim, keepdim, result: norm_rule(grad, self, p, dim, keepdim, result)
)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return the p-norm of ``x1 - x2 + eps`` over the last dimension.

    Args:
        x1: ``(*, D)``, floating.
        x2: ``(*, D)`` that broadcasts with *x1*.
        p: The order of the norm, as in `vector_norm`.
        eps: Added to the differences, so that equal vectors have a gradient.
        keepdim: Keep the last dimension with size 1.

    Returns:
        ``(*)``.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Gradient:
        That of `vector_norm` for *x1*, its negative for *x2*.

    >>> import chainrule as cr
    >>> cr.pairwise_distance(cr.tensor([[1.0, 2.0]]), cr.tensor([[4.0, 6.0]]))
    tensor([5.0000])
    """
    check_tensor("pairwise_distance", x1, "x1")
    check_tensor("pairwise_distance", x2, "x2", 2)
    away = x1 - x2 + eps
    last = len(away._array.shape) - 1
    return _norm(away, p, (last,) if last >= 0 else (), keepdim)


@primitive(nodes={"": "DistBackward0"})
def _dist(self: Tensor, other: Tensor, p: float) -> Tensor:
    """Return the norm of the difference of two floating tensors."""


def _dist_rule(grad: Tensor, self: Tensor, other: Tensor, p: float, result: Tensor) -> Any:
    return norm_rule(grad, self - other, p, (), False, result)


_dist.vjp(
    self=lambda grad, self, other, p, result: _dist_rule(grad, self, other, p, result),
    other=lambda grad, self, other, p, result: -_dist_rule(grad, self, other, p, result),
)


@composite
def dist(self: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """Return the p-norm of ``self - other``.

    Args:
        self: ``(*)``, floating or complex.
        other: ``(*)`` that broadcasts with *self*.
        p: The order, as in `vector_norm`.

    Returns:
        ``()``.

    Raises:
        RuntimeError: neither is floating, or the shapes do not broadcast.

    Gradient:
        That of `vector_norm` for *self*, its negative for *other*; zero where both are equal.

    >>> import chainrule as cr
    >>> cr.dist(cr.tensor([1.0, 2.0]), cr.tensor([4.0, 6.0]))
    tensor(5.)
    """
    check_tensor("dist", other, "other", 2)
    common = promote_types(self._key.dtype, other._key.dtype)
    if not (common.is_floating_point or common.is_complex):
        msg = (
            "norm(): input dtype should be either floating point or complex. Got "
            f"{common.scalar_name} instead.\ndist: convert one of them with .float()."
        )
        raise DTypeError(msg)
    broadcast_shapes(self._array.shape, other._array.shape)
    first, second = (t if t._key.floating else t.to(common) for t in (self, other))
    return _dist(first, second, p)


@composite(dtype="same", nodes={"": "PdistBackward0"})
def _pdist(self: Tensor, p: float) -> Tensor:
    """Return the norms of the differences of all pairs of rows."""
    first, second = _pairs(self)
    rows: Any = self
    return _norm(rows.index_select(0, first) - rows.index_select(0, second), p, (1,))


def _pairs(rows: Any) -> Any:
    """Return the numbers of the first and the second row of every pair."""
    count = rows._array.shape[0]
    return ops.triu_indices(count, count, 1, device=rows.device).unbind(0)


def _pdist_rule(grad: Any, self: Any, p: float, result: Any) -> Any:
    first, second = _pairs(self)
    away = self.index_select(0, first) - self.index_select(0, second)
    share = norm_rule(grad, away, p, (1,), False, result)
    zeros = zeros_shaped(self, tuple(self._array.shape))
    return ops.index_add(ops.index_add(zeros, 0, first, share), 0, second, -share)


_pdist.vjp(self=_pdist_rule)


def pdist(input: Tensor, p: float = 2) -> Tensor:
    """Return the distances of all pairs of rows of *input*, the first row's first.

    Args:
        input: ``(N, M)``, floating.
        p: The order of the norm, as in `vector_norm`.

    Returns:
        ``(N (N - 1) / 2)``.

    Raises:
        RuntimeError: *input* is no matrix, or *p* is negative.

    Gradient:
        That of `vector_norm`, for one row, and its negative for the other.

    >>> import chainrule as cr
    >>> cr.pdist(cr.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    check_tensor("pdist", input)
    if len(input._array.shape) != 2:
        msg = f"pdist only supports 2D tensors, got: {len(input._array.shape)}D"
        raise ShapeError(msg)
    if p < 0:
        msg = "pdist only supports non-negative p values"
        raise ShapeError(msg)
    return _pdist(input, float(p))


@numpy_names
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosine of the angle between *x1* and *x2* along *dim*.

    Args:
        x1: Floating.
        x2: Broadcasts with *x1*.
        dim: The dimension of the vectors.
        eps: What a norm is at least.

    Returns:
        ``(*)`` without *dim*.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Gradient:
        That of its parts; a norm below *eps* counts as if it had not been raised.

    >>> import chainrule as cr
    >>> cr.cosine_similarity(cr.tensor([1.0, 0.0]), cr.tensor([1.0, 1.0]), dim=0)
    tensor(0.7071)
    """
    check_tensor("cosine_similarity", x1, "x1")
    check_tensor("cosine_similarity", x2, "x2", 2)
    dtype = promote_types(x1._key.dtype, x2._key.dtype)
    if not dtype.is_floating_point:
        msg = (
            "expected common dtype to be floating point, yet common dtype is "
            f"{dtype.scalar_name}\ncosine_similarity: convert with .float() first."
        )
        raise DTypeError(msg)
    x1, x2 = x1.to(dtype), x2.to(dtype)
    first, second = x1._array.shape, x2._array.shape
    if first != second:
        shape = broadcast_shapes(first, second)
        x1, x2 = x1.expand(shape), x2.expand(shape)
    units: list[Any] = []
    for vectors in (x1, x2):
        norm: Any = vector_norm(vectors, 2, dim, keepdim=True).clone()
        unrecorded(norm.clamp_min_, eps)
        units.append(vectors / norm)
    result: Tensor = (units[0] * units[1]).sum(dim)
    return result
