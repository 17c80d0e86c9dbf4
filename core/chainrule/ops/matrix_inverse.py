"""Inverses, determinants, solutions of linear systems.

Their gradients are solutions of the same system with the adjoint matrix: ``A^-H``.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import ShapeError
from ..op import composite, primitive
from ..plan import recording
from ._arguments import zeros_shaped
from ._operands import occurs
from .complex import conj
from .linalg_checks import fail
from .matrix_checks import (
    check_floating,
    check_same_dtype,
    check_square,
    check_system,
    raise_info,
)
from .return_types import linalg_inv_ex as inv_ex_result
from .return_types import linalg_slogdet as slogdet_result
from .return_types import linalg_solve_ex as solve_ex_result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tensor import Tensor

__all__ = [
    "linalg_det", "linalg_inv", "linalg_inv_ex", "linalg_slogdet", "linalg_solve",
    "linalg_solve_ex", "linalg_tensorinv", "linalg_tensorsolve", "logdet",
]  # fmt: skip

_SINGULAR = (
    "linalg.inv: {batch}The diagonal element {info} is zero, the inversion could not be completed "
    "because the input matrix is singular."
)
_NO_SOLUTION = "torch.linalg.solve: {batch}The solver failed because the input matrix is singular."


# Inverse


@primitive
def linalg_inv_ex(A: Tensor, *, check_errors: bool = False) -> inv_ex_result:
    """Return the inverse, and which pivot is zero where there is none.

    Args:
        A: ``(*, n, n)``, float32, float64 or complex.
        check_errors: Raise where a matrix is singular.

    Returns:
        A named tuple of ``inverse``, ``(*, n, n)``, and ``info``, int32 ``(*)``: 0, or the number
        of the pivot that is zero.

    Raises:
        RuntimeError: shape or dtype does not fit; with *check_errors*, a matrix is singular.

    Gradient:
        ``-inverse^H @ grad @ inverse^H``.

    >>> import chainrule as cr
    >>> cr.linalg.inv_ex(cr.zeros(1, 1)).info
    tensor(1, dtype=torch.int32)
    """


@linalg_inv_ex.checks
def _check_inverse(A: Tensor, check_errors: bool) -> None:
    check_square("linalg.inv", A)
    check_floating("linalg.inv", A)


linalg_inv_ex.vjp(A=lambda grad, inverse: -(inverse.mH @ (grad @ inverse.mH)))


@composite
def linalg_inv(A: Tensor) -> Tensor:
    """Return the inverse.

    Args:
        A: ``(*, n, n)``, float32, float64 or complex.

    Returns:
        ``(*, n, n)``.

    Raises:
        LinAlgError: a matrix is singular.
        RuntimeError: shape or dtype does not fit.

    Gradient:
        ``-inverse^H @ grad @ inverse^H``.

    >>> import chainrule as cr
    >>> cr.linalg.inv(cr.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    inverse, info = linalg_inv_ex(A)
    raise_info(info, _SINGULAR, "inv: use pinv() for a matrix that may be singular.")
    return inverse


# Determinant


@primitive(saves=("LU", "pivots"))
def linalg_det(A: Tensor) -> Tensor:
    """Return the determinant.

    Args:
        A: ``(*, n, n)``, float32, float64 or complex.

    Returns:
        ``(*)``. That of a matrix without elements is 1.

    Raises:
        RuntimeError: shape or dtype does not fit.

    Gradient:
        ``grad`` times the adjoint of the adjugate, which is ``conj(det) * A^-H``; of a singular
        matrix from its singular values or, for derivatives of the gradient, from the polynomial.

    Source:
        D. K. Faddeev and V. N. Faddeeva (1963), Computational Methods of Linear Algebra, section
        47, for the adjugate of a singular matrix as a polynomial.

    >>> import chainrule as cr
    >>> cr.linalg.det(cr.tensor([[2.0, 1.0], [0.0, 4.0]]))
    tensor(8.)
    """


@linalg_det.checks
def _check_det(A: Tensor) -> None:
    check_square("linalg.det", A)
    check_floating("linalg.det", A, half="lu_cpu")


def _det_rule(grad: Tensor, A: Tensor, result: Tensor) -> Any:
    factor = (grad * conj(result))[..., None, None]
    singular = result.detach() == 0
    if not A.numel():
        return zeros_shaped(A, A._array.shape)
    if not occurs(singular):
        return factor * linalg_inv_ex(A).inverse.mH
    singular = singular[..., None, None]
    regular = ops.where(singular, _identity(A), A)
    plain = factor * linalg_inv_ex(regular).inverse.mH
    adjugate = _adjugate(A) if recording((grad, A)) else _adjugate_by_values(A)
    return ops.where(singular, grad[..., None, None] * adjugate.mH, plain)


linalg_det.vjp(A=_det_rule)


def _identity(A: Tensor) -> Tensor:
    return ops.eye(A._array.shape[-1], dtype=A._key.dtype, device=A._key.device)


def _adjugate(A: Tensor) -> Any:
    """Return the adjugate as a polynomial in the elements, right also where A is singular."""
    one, n = _identity(A), A._array.shape[-1]
    power: Any = one.expand(A._array.shape)
    for k in range(1, n):
        product = A @ power
        trace = ops.diagonal(product, 0, -2, -1).sum(-1)[..., None, None]
        power = product - one * (trace / k)
    return power if n % 2 else -power


def _adjugate_by_values(A: Tensor) -> Any:
    """Return the adjugate from singular values and vectors: for numbers, not for derivatives."""
    from .matrix_spectral import linalg_svd
    from .products import product_of_others

    U, S, Vh = linalg_svd(A, full_matrices=False)
    phase = conj(linalg_det(U) * linalg_det(Vh))[..., None, None]
    others = product_of_others(S, -1).to(A._key.dtype)
    return conj(phase) * ((Vh.mH * others.unsqueeze(-2)) @ U.mH)


@primitive(saves=("LU", "pivots"), nodes={"": "LinalgSlogdetBackward0"})
def linalg_slogdet(A: Tensor) -> slogdet_result:
    """Return the sign of the determinant, and the logarithm of its absolute value.

    Args:
        A: ``(*, n, n)``, float32, float64 or complex.

    Returns:
        A named tuple of ``sign`` (a number of absolute value 1, or 0) and ``logabsdet``, ``(*)``.

    Raises:
        RuntimeError: shape or dtype does not fit.

    Gradient:
        ``grad_logabsdet * A^-H``; for complex matrices less i times the part of ``grad_sign`` that
        turns the phase.

    >>> import chainrule as cr
    >>> cr.linalg.slogdet(cr.tensor([[-1.0]]))
    torch.return_types.linalg_slogdet(
    sign=tensor(-1.),
    logabsdet=tensor(0.))
    """


@linalg_slogdet.checks
def _check_slogdet(A: Tensor) -> None:
    check_square("linalg.slogdet", A)
    check_floating("linalg.slogdet", A)


def _slogdet_rule(cotangents: Any, A: Tensor, sign: Tensor) -> Any:
    of_sign, of_log = cotangents
    if of_sign is not None and A._key.complex:
        # d sign = i * sign * d phase, and the phase is the imaginary part of log(det).
        turning = -(conj(of_sign) * sign).imag
        of_log = ops.complex(ops.zeros_like(turning) if of_log is None else of_log, turning)
    if of_log is None:
        return None
    return of_log[..., None, None] * linalg_inv_ex(A).inverse.mH


linalg_slogdet.vjp(A=_slogdet_rule)


@composite
def logdet(self: Tensor) -> Tensor:
    """Return the logarithm of the determinant; NaN where that is negative.

    Args:
        self: ``(*, n, n)``, float32, float64 or complex.

    Returns:
        ``(*)``.

    Raises:
        RuntimeError: shape or dtype does not fit.

    Gradient:
        ``grad * self^-H``.

    >>> import chainrule as cr
    >>> cr.logdet(cr.tensor([[1.0, 0.0], [0.0, 1.0]]))
    tensor(0.)
    """
    check_square("logdet", self)
    check_floating("logdet", self)
    sign, logarithm = linalg_slogdet(self)
    if self._key.complex:
        return sign.log() + logarithm
    return ops.where(sign == -1, float("nan"), logarithm)


# Linear systems


@primitive(nodes={"": "LinalgSolveExBackward0"}, saves=("LU", "pivots"))
def _solve_ex(A: Tensor, B: Tensor, *, left: bool = True) -> solve_ex_result:
    """Return the solution, and which pivot is zero."""


def _to_right(grad: Tensor, A: Tensor, left: bool) -> Any:
    return _solve_ex(A.mH, grad, left=left).result


def _solve_rule_of_matrix(cotangents: Any, A: Tensor, left: bool, result: Tensor) -> Any:
    if cotangents[0] is None:
        return None
    right = _to_right(cotangents[0], A, left)
    if _is_vector(A, right):
        return -(right.unsqueeze(-1) @ result.unsqueeze(-1).mH)
    return -(right @ result.mH) if left else -(result.mH @ right)


_solve_ex.vjp(
    A=lambda cotangents, A, left, result: _solve_rule_of_matrix(cotangents, A, left, result),
    B=lambda cotangents, A, left: (
        None if cotangents[0] is None else _to_right(cotangents[0], A, left)
    ),
)


def _is_vector(A: Any, B: Any) -> bool:
    """Return whether *B* is a vector, or a batch of them, one per matrix."""
    a, b = tuple(A._array.shape), tuple(B._array.shape)
    return len(b) == 1 or (len(a) - 1 == len(b) and b == a[:-1])


@composite
def linalg_solve_ex(
    A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False
) -> solve_ex_result:
    """Return the solution of ``A X = B``, and which pivot is zero where there is none.

    Args:
        A: ``(*, n, n)``, float32, float64 or complex.
        B: ``(*, n, k)``, or vectors ``(n,)`` or ``(*, n)``; of the same dtype.
        left: False for ``X A = B``.
        check_errors: Raise where a matrix is singular.

    Returns:
        A named tuple of ``result``, shaped as *B*, and ``info``, int32 ``(*)``.

    Raises:
        RuntimeError: shapes or dtypes do not fit; with *check_errors*, a matrix is singular.

    Gradient:
        ``A^-H @ grad`` for *B*, ``-(A^-H @ grad) @ result^H`` for *A*.

    >>> import chainrule as cr
    >>> cr.linalg.solve_ex(cr.eye(2), cr.ones(2)).info
    tensor(0, dtype=torch.int32)
    """
    check_square("linalg.solve", A)
    check_floating("linalg.solve", A, half="" if not A._key.floating else "lu_cpu")
    check_same_dtype("linalg.solve", A, B)
    vector = _is_vector(A, B)
    if vector and not left:
        sentence = (
            "linalg.solve: Vector broadcasting of the left hand side is not supported for "
            "left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )
        fail(ShapeError, sentence, "solve: pass a matrix.")
    check_system("linalg.solve", A, B, left=left, vector=vector)
    made = _solve_ex(A, B, left=left)
    if check_errors:
        raise_info(made[1], _NO_SOLUTION, "solve: use lstsq() for a matrix that may be singular.")
    return made


@composite
def linalg_solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """Return the solution of ``A X = B``.

    Args:
        A: ``(*, n, n)``, float32, float64 or complex.
        B: ``(*, n, k)``, or vectors ``(n,)`` or ``(*, n)``; of the same dtype.
        left: False for ``X A = B``.

    Returns:
        ``(*, n, k)``, or as the vectors.

    Raises:
        LinAlgError: a matrix is singular.
        RuntimeError: shapes or dtypes do not fit.

    Gradient:
        ``A^-H @ grad`` for *B*, ``-(A^-H @ grad) @ result^H`` for *A*.

    >>> import chainrule as cr
    >>> cr.linalg.solve(cr.tensor([[2.0, 0.0], [0.0, 4.0]]), cr.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    return linalg_solve_ex(A, B, left=left, check_errors=True)[0]


@composite
def linalg_tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """Return the inverse of `tensordot` with *A* over its last dimensions.

    Args:
        A: The first *ind* dimensions have as many elements as the others.
        ind: How many dimensions make the rows.

    Returns:
        The last dimensions of *A* first.

    Raises:
        RuntimeError: the numbers of elements differ, *ind* is not positive, or A is singular.

    >>> import chainrule as cr
    >>> cr.linalg.tensorinv(cr.eye(4).reshape(2, 2, 4)).shape
    torch.Size([4, 2, 2])
    """
    if ind <= 0:
        sentence = f"Expected a strictly positive integer for 'ind', but got {ind}"
        fail(ShapeError, sentence, "tensorinv: the rows need a dimension.")
    shape = tuple(A._array.shape)
    rows, columns = prod(shape[:ind]), prod(shape[ind:])
    if rows != columns:
        sentence = (
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {columns} != {rows}"
        )
        fail(ShapeError, sentence, "tensorinv: the matrix would not be square.")
    inverse = linalg_inv(A.reshape(columns, rows))
    return inverse.reshape(*shape[ind:], *shape[:ind])


@composite
def linalg_tensorsolve(A: Tensor, other: Tensor, dims: Sequence[int] | None = None) -> Tensor:
    """Return X with ``tensordot(A, X, X.ndim) == other``.

    Args:
        A: Its first dimensions are those of *other*, the others those of the solution.
        other: ``(*)``.
        dims: Dimensions of *A* that are moved to the end first.

    Returns:
        The solution.

    Raises:
        RuntimeError: the sizes do not fit, or A is singular.

    >>> import chainrule as cr
    >>> cr.linalg.tensorsolve(cr.eye(4).reshape(2, 2, 4), cr.ones(2, 2))
    tensor([1., 1., 1., 1.])
    """
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(-len(dims), 0)))
    shape = tuple(A._array.shape)[len(other._array.shape) :]
    rows = other.numel()
    return linalg_solve(A.reshape(rows, prod(shape)), other.flatten()).reshape(shape)
