"""Products of matrices and vectors, each as one op. Others are made of them.

The gradients of a product are products with an adjoint (the transpose, conjugated): for
``C = A @ B`` they are ``G @ B^H`` and ``A^H @ G``. These two are ops of their own, whose gradients
are products of the three kinds again, so that a backward pass costs one call of the array library
per gradient and copies nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..op import composite, primitive
from . import linalg_checks as checks
from .axes import t, transpose
from .complex import conj
from .reductions import sum
from .shape import expand, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "dot", "mm", "mv", "trace", "vdot",
]  # fmt: skip


def _scaled(grad: Tensor, factor: Number) -> Tensor:
    """Return the gradient of what was multiplied with *factor*."""
    return grad if factor == 1 else grad * factor.conjugate()


# Two matrices


@primitive(dtype="same")
def mm(self: Tensor, mat2: Tensor) -> Tensor:
    """Return the product of two matrices.

    Args:
        self: ``(n, k)``, any dtype but bool.
        mat2: ``(k, m)``, of the same dtype: a product promotes nothing.

    Returns:
        ``(n, m)``.

    Raises:
        RuntimeError: the sizes do not match, or the dtypes.

    Gradient:
        ``grad @ mat2^H`` for *self*, ``self^H @ grad`` for *mat2*.

    >>> import chainrule as cr
    >>> cr.mm(cr.tensor([[1.0, 2.0]]), cr.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """


mm.checks(checks.check_mm)


# Note [Layout of a weight's gradient]
# ------------------------------------
# `linear` multiplies with the transpose of a weight. Its gradient, computed as self^H @ grad, would
# have to be transposed back with a copy to lie in memory as the weight does. Computed as the
# transpose of grad^H @ self it already does. So there is a twin of `mm`, and one of `addmm`, for a
# factor that is a transpose: nodes and values are the same, the gradient is laid out by columns.


@primitive(dtype="same", nodes={"": "MmBackward0"})
def _mm_with_transpose(self: Tensor, mat2: Tensor) -> Tensor:
    """Return `mm` for a *mat2* that is a transpose: Note [Layout of a weight's gradient]."""


_mm_with_transpose.checks(checks.check_mm)


@primitive(dtype="same")
def addmm(
    self: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """Return ``beta * self + alpha * (mat1 @ mat2)``.

    Args:
        self: What broadcasts to ``(n, m)``.
        mat1: ``(n, k)``.
        mat2: ``(k, m)``; the three are of one dtype.
        beta: If it is zero, *self* is left out, whatever it holds.
        alpha: The factor of the product.

    Returns:
        ``(n, m)``.

    Raises:
        RuntimeError: the sizes do not match, or the dtypes.

    Gradient:
        ``beta * grad`` for *self*, ``alpha * grad @ mat2^H`` and ``alpha * mat1^H @ grad``.

    >>> import chainrule as cr
    >>> cr.addmm(cr.tensor([1.0]), cr.tensor([[1.0, 2.0]]), cr.tensor([[3.0], [4.0]]), beta=2)
    tensor([[13.]])
    """


addmm.checks(checks.check_addmm)


@primitive(dtype="same", nodes={"": "AddmmBackward0"})
def _addmm_with_transpose(
    self: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """Return `addmm` for a *mat2* that is a transpose: Note [Layout of a weight's gradient]."""


_addmm_with_transpose.checks(checks.check_addmm)


# Batches of matrices


@primitive(dtype="same")
def bmm(self: Tensor, mat2: Tensor) -> Tensor:
    """Return the products of two batches of matrices, pair by pair.

    Args:
        self: ``(b, n, k)``.
        mat2: ``(b, k, m)``, of the same dtype; a batch of one is not repeated.

    Returns:
        ``(b, n, m)``.

    Raises:
        RuntimeError: the sizes do not match, or the dtypes.

    Gradient:
        ``grad @ mat2^H`` for *self*, ``self^H @ grad`` for *mat2*.

    >>> import chainrule as cr
    >>> cr.bmm(cr.ones(2, 1, 3), cr.ones(2, 3, 1))
    tensor([[[3.]],
    <BLANKLINE>
            [[3.]]])
    """


bmm.checks(checks.check_bmm)


@primitive(dtype="same")
def baddbmm(
    self: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """Return ``beta * self + alpha * (batch1 @ batch2)``, pair by pair.

    Args:
        self: What broadcasts to ``(b, n, m)``.
        batch1: ``(b, n, k)``.
        batch2: ``(b, k, m)``; the three are of one dtype.
        beta: If it is zero, *self* is left out, whatever it holds.
        alpha: The factor of the products.

    Returns:
        ``(b, n, m)``.

    Raises:
        RuntimeError: the sizes do not match, or the dtypes.

    Gradient:
        As of `addmm`.

    >>> import chainrule as cr
    >>> cr.baddbmm(cr.ones(1), cr.ones(1, 1, 3), cr.ones(1, 3, 1), alpha=2)
    tensor([[[7.]]])
    """


baddbmm.checks(checks.check_baddbmm)


@primitive(dtype="same")
def addbmm(
    self: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """Return ``beta * self + alpha * sum(batch1 @ batch2)``, the sum over the batch.

    Args:
        self: What broadcasts to ``(n, m)``.
        batch1: ``(b, n, k)``.
        batch2: ``(b, k, m)``; the three are of one dtype.
        beta: If it is zero, *self* is left out, whatever it holds.
        alpha: The factor of the sum.

    Returns:
        ``(n, m)``.

    Raises:
        RuntimeError: the sizes do not match, or the dtypes.

    Gradient:
        As of `addmm`, *grad* being that of every pair.

    >>> import chainrule as cr
    >>> cr.addbmm(cr.zeros(1, 1), cr.ones(2, 1, 3), cr.ones(2, 3, 1))
    tensor([[6.]])
    """


addbmm.checks(checks.check_addbmm)


# Products with an adjoint: what gradients are made of


@composite(dtype="same")
def _times_adjoint(self: Tensor, other: Tensor) -> Tensor:
    """Return ``self @ other^H``, of two matrices or two batches of them."""
    return _product(self, conj(transpose(other, -2, -1)))


@composite(dtype="same")
def _adjoint_times(self: Tensor, other: Tensor, by_columns: bool = False) -> Tensor:
    """Return ``self^H @ other``, likewise; laid out by columns if so asked."""
    if by_columns:
        return transpose(_product(transpose(other, -2, -1), conj(self)), -2, -1)
    return _product(conj(transpose(self, -2, -1)), other)


def _product(self: Tensor, other: Tensor) -> Tensor:
    return mm(self, other) if len(self._array.shape) == 2 else bmm(self, other)


_times_adjoint.vjp(
    self=lambda grad, other: _product(grad, other),
    other=lambda grad, self: _adjoint_times(grad, self),
)
_adjoint_times.vjp(
    self=lambda grad, other: _times_adjoint(other, grad),
    other=lambda grad, self: _product(self, grad),
)
mm.vjp(
    self=lambda grad, mat2: _times_adjoint(grad, mat2),
    mat2=lambda grad, self: _adjoint_times(self, grad),
)
_mm_with_transpose.vjp(
    self=lambda grad, mat2: _times_adjoint(grad, mat2),
    mat2=lambda grad, self: _adjoint_times(self, grad, True),
)
bmm.vjp(
    self=lambda grad, mat2: _times_adjoint(grad, mat2),
    mat2=lambda grad, self: _adjoint_times(self, grad),
)
addmm.vjp(
    self=lambda grad, beta: _scaled(grad, beta),
    mat1=lambda grad, mat2, alpha: _scaled(_times_adjoint(grad, mat2), alpha),
    mat2=lambda grad, mat1, alpha: _scaled(_adjoint_times(mat1, grad), alpha),
)
_addmm_with_transpose.vjp(
    self=lambda grad, beta: _scaled(grad, beta),
    mat1=lambda grad, mat2, alpha: _scaled(_times_adjoint(grad, mat2), alpha),
    mat2=lambda grad, mat1, alpha: _scaled(_adjoint_times(mat1, grad, True), alpha),
)
baddbmm.vjp(
    self=lambda grad, beta: _scaled(grad, beta),
    batch1=lambda grad, batch2, alpha: _scaled(_times_adjoint(grad, batch2), alpha),
    batch2=lambda grad, batch1, alpha: _scaled(_adjoint_times(batch1, grad), alpha),
)
addbmm.vjp(
    self=lambda grad, beta: _scaled(grad, beta),
    batch1=lambda grad, batch2, alpha: _scaled(
        _times_adjoint(_for_each(grad, batch2._array.shape[0]), batch2), alpha
    ),
    batch2=lambda grad, batch1, alpha: _scaled(
        _adjoint_times(batch1, _for_each(grad, batch1._array.shape[0])), alpha
    ),
)


def _for_each(grad: Tensor, count: int) -> Tensor:
    """Return *grad* of a sum as the gradient of each of *count* summands."""
    return expand(unsqueeze(grad, 0), (count, *grad._array.shape))


# Vectors


@primitive(dtype="same")
def dot(self: Tensor, tensor: Tensor) -> Tensor:
    """Return the sum of the products of two vectors' elements.

    Args:
        self: ``(n,)``, any dtype but bool.
        tensor: ``(n,)``, of the same dtype.

    Returns:
        A 0-d tensor. Complex numbers are not conjugated: see `vdot`.

    Raises:
        RuntimeError: one is no vector, or the sizes or dtypes do not match.

    Gradient:
        ``grad * conj(tensor)`` for *self*, ``grad * conj(self)`` for *tensor*.

    >>> import chainrule as cr
    >>> cr.dot(cr.tensor([1.0, 2.0]), cr.tensor([3.0, 4.0]))
    tensor(11.)
    """


dot.checks(checks.check_dot)


dot.vjp(
    self=lambda grad, tensor: grad * conj(tensor),
    tensor=lambda grad, self: grad * conj(self),
)


@primitive(dtype="same")
def vdot(self: Tensor, other: Tensor) -> Tensor:
    """Return the inner product of two vectors: `dot` with *self* conjugated.

    Args:
        self: ``(n,)``.
        other: ``(n,)``, of the same dtype.

    Returns:
        A 0-d tensor.

    Raises:
        RuntimeError: one is no vector, or the sizes or dtypes do not match.

    Gradient:
        ``conj(grad) * other`` for *self*, ``grad * self`` for *other*.

    >>> import chainrule as cr
    >>> cr.vdot(cr.tensor([1j]), cr.tensor([1j]))
    tensor(1.+0.j)
    """


vdot.checks(checks.check_dot)


vdot.vjp(
    self=lambda grad, other: conj(grad) * other,
    other=lambda grad, self: grad * self,
)


@primitive(dtype="same")
def mv(self: Tensor, vec: Tensor) -> Tensor:
    """Return the product of a matrix and a vector.

    Args:
        self: ``(n, k)``.
        vec: ``(k,)``, of the same dtype.

    Returns:
        ``(n,)``.

    Raises:
        RuntimeError: the sizes do not match, or the dtypes.

    Gradient:
        ``grad`` times the conjugate of *vec*, as an outer product; ``self^H @ grad``.

    >>> import chainrule as cr
    >>> cr.mv(cr.tensor([[1.0, 2.0]]), cr.tensor([3.0, 4.0]))
    tensor([11.])
    """


mv.checks(checks.check_mv)


mv.vjp(
    self=lambda grad, vec: unsqueeze(grad, 1) * conj(vec),
    vec=lambda grad, self: mv(conj(t(self)), grad),
)


@primitive(dtype="same")
def addmv(self: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """Return ``beta * self + alpha * (mat @ vec)``.

    Args:
        self: What broadcasts to ``(n,)``.
        mat: ``(n, k)``.
        vec: ``(k,)``; the three are of one dtype.
        beta: If it is zero, *self* is left out, whatever it holds.
        alpha: The factor of the product.

    Returns:
        ``(n,)``.

    Raises:
        RuntimeError: the sizes do not match, or the dtypes.

    Gradient:
        ``beta * grad`` for *self*; as of `mv`, times *alpha*, for the others.

    >>> import chainrule as cr
    >>> cr.addmv(cr.ones(1), cr.tensor([[1.0, 2.0]]), cr.tensor([3.0, 4.0]))
    tensor([12.])
    """


addmv.checks(checks.check_addmv)


addmv.vjp(
    self=lambda grad, beta: _scaled(grad, beta),
    mat=lambda grad, vec, alpha: _scaled(unsqueeze(grad, 1) * conj(vec), alpha),
    vec=lambda grad, mat, alpha: _scaled(mv(conj(t(mat)), grad), alpha),
)


@primitive(promote="arithmetic")
def addr(
    self: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """Return ``beta * self + alpha * outer(vec1, vec2)``.

    Args:
        self: What broadcasts to ``(n, m)``.
        vec1: ``(n,)``.
        vec2: ``(m,)``.
        beta: If it is zero, *self* is left out, whatever it holds.
        alpha: The factor of the product.

    Returns:
        ``(n, m)``, in the promoted dtype.

    Raises:
        RuntimeError: the sizes do not match, or a factor is floating and the result is not.

    Gradient:
        ``beta * grad`` for *self*, ``alpha * grad @ conj(vec2)`` for *vec1*,
        ``alpha * grad^T @ conj(vec1)`` for *vec2*.

    >>> import chainrule as cr
    >>> cr.addr(cr.zeros(1), cr.tensor([1.0, 2.0]), cr.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """


addr.checks(checks.check_addr)


addr.vjp(
    self=lambda grad, beta: _scaled(grad, beta),
    vec1=lambda grad, vec2, alpha: _scaled(sum(grad * conj(vec2), 1), alpha),
    vec2=lambda grad, vec1, alpha: _scaled(sum(grad * unsqueeze(conj(vec1), 1), 0), alpha),
)


@primitive(dtype="same")
def linalg_cross(self: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """Return the cross product of vectors of length 3 along *dim*: ``chainrule.linalg.cross``.

    Args:
        self: ``(*, 3, *)``, any dtype but bool.
        other: Of the same dtype, and of a shape that broadcasts with *self*.
        dim: The dimension of the vectors.

    Returns:
        The broadcast shape.

    Raises:
        RuntimeError: the vectors are not of length 3, or the shapes or dtypes do not match.

    Gradient:
        ``cross(conj(other), grad)`` for *self*, ``cross(grad, conj(self))`` for *other*.

    >>> import chainrule as cr
    >>> linalg_cross(cr.tensor([1.0, 0.0, 0.0]), cr.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """


linalg_cross.checks(checks.check_cross)


linalg_cross.vjp(
    self=lambda grad, other, dim: linalg_cross(conj(other), grad, dim=dim),
    other=lambda grad, self, dim: linalg_cross(grad, conj(self), dim=dim),
)


# The diagonal


@primitive
def trace(self: Tensor) -> Tensor:
    """Return the sum of the diagonal of a matrix.

    Args:
        self: ``(n, m)``, any dtype but bool; integers are summed as int64.

    Returns:
        A 0-d tensor.

    Raises:
        RuntimeError: it is no matrix.

    Gradient:
        ``grad`` on the diagonal, zero elsewhere.

    >>> import chainrule as cr
    >>> cr.trace(cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """


trace.checks(checks.check_trace)


@primitive(dtype="same")
def on_diagonal(self: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return a matrix of *shape* with a 0-d *self* on its diagonal, zero elsewhere."""


on_diagonal.vjp(self=lambda grad: trace(grad))
trace.vjp(self=lambda grad, self_shape: on_diagonal(grad, self_shape))
