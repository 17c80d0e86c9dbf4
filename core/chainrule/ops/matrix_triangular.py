"""Triangles: their systems, the factors of Cholesky and of Gauss, and what is solved with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import DomainError, DTypeError, ShapeError
from ..op import composite, primitive
from .linalg_checks import fail
from .matrix_checks import (
    check_floating,
    check_kernel_dtype,
    check_matrix,
    check_same_dtype,
    check_square,
    check_system,
    raise_info,
)
from .return_types import linalg_cholesky_ex as cholesky_ex_result
from .return_types import linalg_lu as lu_result
from .return_types import linalg_lu_factor as lu_factor_result
from .return_types import linalg_lu_factor_ex as lu_factor_ex_result

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "cholesky_inverse", "cholesky_solve", "linalg_cholesky", "linalg_cholesky_ex", "linalg_lu",
    "linalg_lu_factor", "linalg_lu_factor_ex", "linalg_lu_solve", "linalg_solve_triangular",
]  # fmt: skip

_INDEFINITE = (
    "linalg.cholesky: {batch}The factorization could not be completed because the input is not "
    "positive-definite (the leading minor of order {info} is not positive-definite)."
)


# Triangular systems


@primitive(nodes={"": "LinalgSolveTriangularBackward0"})
def linalg_solve_triangular(
    self: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """Return X with ``self X = B``, for a triangular matrix: what is beyond it is not read.

    Args:
        self: ``(*, n, n)``, float32, float64 or complex.
        B: ``(*, n, k)``, of the same dtype.
        upper: Which triangle.
        left: False for ``X self = B``.
        unitriangular: Take the diagonal to be ones.

    Returns:
        ``(*, n, k)``. A zero on the diagonal divides.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    Gradient:
        ``self^-H @ grad`` for *B*; ``-(self^-H @ grad) @ result^H`` for *self*, on its triangle.

    >>> import chainrule as cr
    >>> cr.linalg.solve_triangular(cr.tensor([[2.0, 9.0], [0.0, 4.0]]), cr.ones(2, 1), upper=True)
    tensor([[-0.6250],
            [ 0.2500]])
    """


@linalg_solve_triangular.checks
def _check_triangular(
    self: Tensor, B: Tensor, upper: bool, left: bool, unitriangular: bool
) -> None:
    check_square("linalg.solve_triangular", self)
    check_matrix("linalg.solve_triangular", B, "B")
    check_kernel_dtype("solve_triangular", self, "triangular_solve_cpu")
    check_same_dtype("linalg.solve_triangular", self, B)
    check_system("linalg.solve_triangular", self, B, left=left)


def triangle(x: Any, *, upper: bool, unit: bool = False) -> Any:
    """Return the triangle of *x* that a factor is, with or without its diagonal."""
    return x.triu(int(unit)) if upper else x.tril(-int(unit))


def _solved_rule_of_right(
    grad: Tensor, self: Tensor, upper: bool, left: bool, unitriangular: bool
) -> Any:
    return linalg_solve_triangular(
        self.mH, grad, upper=not upper, left=left, unitriangular=unitriangular
    )


def _solved_rule_of_matrix(
    grad: Tensor, self: Tensor, upper: bool, left: bool, unitriangular: bool, result: Tensor
) -> Any:
    right = _solved_rule_of_right(grad, self, upper, left, unitriangular)
    pulled = -(right @ result.mH) if left else -(result.mH @ right)
    return triangle(pulled, upper=upper, unit=unitriangular)


linalg_solve_triangular.vjp(self=_solved_rule_of_matrix, B=_solved_rule_of_right)


# Cholesky


@primitive(nodes={"": "LinalgCholeskyExBackward0"})
def _cholesky_ex(self: Tensor, *, upper: bool = False) -> cholesky_ex_result:
    """Return the factor, and the order of the first minor that is not positive."""


def cholesky_rule(grad: Tensor, L: Tensor, upper: bool) -> Any:
    """Return the gradient of a matrix from that of its factor.

    Source:
        I. Murray (2016), Differentiation of the Cholesky decomposition, arXiv:1602.07527.
    """
    if upper:
        grad, L = grad.mH, L.mH
    inner = (L.mH @ grad).tril()
    inner = inner + inner.mH
    inner = inner - (inner.diagonal(0, -2, -1) / 2).diag_embed()  # the diagonal came twice
    half = linalg_solve_triangular(L.mH, inner / 2, upper=True)
    return linalg_solve_triangular(L, half, upper=False, left=False)


_cholesky_ex.vjp(self=lambda grad, L, upper: cholesky_rule(grad, L, upper))


@composite
def linalg_cholesky_ex(
    self: Tensor, *, upper: bool = False, check_errors: bool = False
) -> cholesky_ex_result:
    """Return the Cholesky factor, and which minor is not positive where there is none.

    Args:
        self: ``(*, n, n)``, float32, float64 or complex, Hermitian; only the lower triangle is
            read.
        upper: Return the adjoint of the lower factor.
        check_errors: Raise where a matrix is not positive-definite.

    Returns:
        A named tuple of ``L``, ``(*, n, n)``, and ``info``, int32 ``(*)``.

    Raises:
        RuntimeError: shape or dtype does not fit; with *check_errors*, a matrix is not
            positive-definite.

    Gradient:
        Hermitian, see `cholesky_rule`.

    >>> import chainrule as cr
    >>> cr.linalg.cholesky_ex(cr.tensor([[-1.0]])).info
    tensor(1, dtype=torch.int32)
    """
    check_square("linalg.cholesky", self)
    check_floating("linalg.cholesky", self, half="" if not self._key.floating else "cholesky_cpu")
    made = _cholesky_ex(self, upper=upper)
    if check_errors:
        raise_info(made[1], _INDEFINITE, "cholesky: add a small multiple of the identity.")
    return made


@composite
def linalg_cholesky(self: Tensor, *, upper: bool = False) -> Tensor:
    """Return L, lower triangular, with ``self = L L^H``.

    Args:
        self: ``(*, n, n)``, float32, float64 or complex, Hermitian and positive-definite; only the
            lower triangle is read.
        upper: Return ``L^H``.

    Returns:
        ``(*, n, n)``.

    Raises:
        LinAlgError: a matrix is not positive-definite.
        RuntimeError: shape or dtype does not fit.

    Gradient:
        Hermitian, see `cholesky_rule`.

    >>> import chainrule as cr
    >>> cr.linalg.cholesky(cr.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    return linalg_cholesky_ex(self, upper=upper, check_errors=True)[0]


@composite(nodes={"": "CholeskySolveBackward0"})
def _cholesky_solve(self: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """Return the solution from a factor."""
    lower = input2.mH if upper else input2
    half = linalg_solve_triangular(lower, self, upper=False)
    return linalg_solve_triangular(lower.mH, half, upper=True)


def _factor_rule(grad: Tensor, self: Tensor, input2: Tensor, upper: bool, result: Tensor) -> Any:
    right = _cholesky_solve(grad, input2, upper)
    both = right @ result.mH
    both = both + both.mH
    return -(input2 @ both) if upper else -(both @ input2)


_cholesky_solve.vjp(
    self=lambda grad, input2, upper: _cholesky_solve(grad, input2, upper), input2=_factor_rule
)


@composite
def cholesky_solve(self: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """Return X with ``A X = self``, from the Cholesky factor of A.

    Args:
        self: ``(*, n, k)``, float32, float64 or complex.
        input2: ``(*, n, n)``, the factor, of the same dtype.
        upper: Whether it is the upper one.

    Returns:
        ``(*, n, k)``.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    Gradient:
        ``A^-1 @ grad`` for *self*; for the factor L, ``-(M + M^H) @ L`` with
        ``M = (A^-1 @ grad) @ result^H``.

    >>> import chainrule as cr
    >>> cr.cholesky_solve(cr.ones(1, 1), cr.tensor([[2.0]]))
    tensor([[0.2500]])
    """
    for name, tensor in (("b", self), ("u", input2)):
        ndim = len(tensor._array.shape)
        if ndim < 2:
            sentence = (
                f"{name} should have at least 2 dimensions, but has {ndim} dimensions instead"
            )
            fail(ShapeError, sentence, "cholesky_solve: use unsqueeze(-1) for a vector.")
    check_kernel_dtype("cholesky_solve", self, "cholesky_solve_cpu")
    _check_factor(self, input2)
    return _cholesky_solve(self, input2, upper)


def _check_factor(b: Tensor, a: Tensor) -> None:
    (rows, columns), height = a._array.shape[-2:], b._array.shape[-2]
    one, two = b._key.dtype.scalar_name, a._key.dtype.scalar_name
    if rows != columns:
        sentence = (
            f"A must be batches of square matrices, but they are {columns} by {rows} matrices"
        )
        fail(ShapeError, sentence, "cholesky_solve: expected a factor.")
    if one != two:
        sentence = (
            "Expected b and A to have the same dtype, but found b of type "
            f"{one} and A of type {two} instead."
        )
        fail(DTypeError, sentence, "cholesky_solve: convert one of them.")
    if height != rows:
        sentence = (
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {rows} by {rows} but "
            f"each b matrix is {height} by {b._array.shape[-1]}"
        )
        fail(ShapeError, sentence, "cholesky_solve: expected as many rows in b as in A.")


@composite(nodes={"": "CholeskyInverseBackward0"})
def _cholesky_inverse(self: Tensor, upper: bool = False) -> Tensor:
    """Return the inverse from a factor."""
    from .creation_ranges import eye

    identity = eye(self._array.shape[-1], dtype=self._key.dtype, device=self._key.device)
    return _cholesky_solve(identity, self, upper)


def _inverse_rule(grad: Tensor, self: Tensor, upper: bool, result: Tensor) -> Any:
    both = result @ ((grad + grad.mH) @ result)
    return -(self @ both) if upper else -(both @ self)


_cholesky_inverse.vjp(self=_inverse_rule)


@composite
def cholesky_inverse(self: Tensor, upper: bool = False) -> Tensor:
    """Return the inverse of A, from its Cholesky factor.

    Args:
        self: ``(*, n, n)``, the factor; float32, float64 or complex.
        upper: Whether it is the upper one.

    Returns:
        ``(*, n, n)``, Hermitian.

    Raises:
        RuntimeError: shape or dtype does not fit.

    Gradient:
        ``-(result @ (grad + grad^H) @ result) @ self``.

    >>> import chainrule as cr
    >>> cr.cholesky_inverse(cr.tensor([[2.0]]))
    tensor([[0.2500]])
    """
    check_square("cholesky_inverse", self)
    check_kernel_dtype("cholesky_inverse", self, "cholesky_inverse_out_cpu")
    return _cholesky_inverse(self, upper)


# LU


@primitive(nodes={"": "LinalgLuFactorExBackward0"}, saves=("pivot",))
def _lu_factor_ex(A: Tensor, *, pivot: bool = True) -> lu_factor_ex_result:
    """Return both factors in one matrix, the pivots and the infos."""


@primitive
def _pivots_to_matrix(pivots: Tensor, like: Tensor, *, m: int) -> Tensor:
    """Return the permutation matrices of *pivots*, in the dtype of *like*."""


_pivots_to_matrix.vjp(pivots=None, like=None)


def _check_lu(name: str, A: Any) -> None:
    shape = list(A._array.shape)
    if len(shape) < 2:
        sentence = f"{name}: Expected tensor with 2 or more dimensions. Got size: {shape} instead"
        fail(ShapeError, sentence, "lu: expected a matrix or a batch of them.")
    check_kernel_dtype("lu", A, "lu_cpu")


def _check_pivot(name: str, *, pivot: bool) -> None:
    if not pivot:
        sentence = f"{name}: LU without pivoting is not implemented on the CPU"
        fail(DomainError, sentence, "lu: leave pivot=True.")


def unpack(LU: Any) -> tuple[Any, Any]:
    """Return both factors of a matrix that holds them."""
    m, n = LU._array.shape[-2:]
    k = min(m, n)
    L = LU[..., :, :k].tril(-1)
    one = ops_eye(m, k, LU)
    return L + one, LU[..., :k, :].triu()


def ops_eye(m: int, n: int, like: Any) -> Any:
    """Return an identity matrix of the dtype and on the device of *like*."""
    from .creation_ranges import eye

    return eye(m, n, dtype=like._key.dtype, device=like._key.device)


def lu_rule(of_L: Any, of_U: Any, P: Any, L: Any, U: Any) -> Any:
    """Return the gradient of A = P L U from those of its factors; either may be None.

    Source:
        S. F. Walter and L. Lehmann (2010), Algorithmic differentiation of linear algebra
        functions, arXiv:1001.1654, carried over to complex and to oblong matrices.
    """
    if of_L is None and of_U is None:
        return None
    m, n = L._array.shape[-2], U._array.shape[-1]
    k = min(m, n)
    of_L = L * 0 if of_L is None else of_L
    of_U = U * 0 if of_U is None else of_U
    L1, U1 = L[..., :k, :], U[..., :, :k]
    inner_L, inner_U = L1.mH @ of_L[..., :k, :], of_U[..., :, :k] @ U1.mH
    beside = None
    if n > k:
        inner_L = inner_L - of_U[..., :, k:] @ U[..., :, k:].mH
        beside = linalg_solve_triangular(L1.mH, of_U[..., :, k:], upper=True, unitriangular=True)
    if m > k:
        inner_U = inner_U - L[..., k:, :].mH @ of_L[..., k:, :]
    inner = inner_L.tril(-1) + inner_U.triu()
    square = linalg_solve_triangular(L1.mH, inner, upper=True, unitriangular=True)
    pulled = linalg_solve_triangular(U1.mH, square, upper=False, left=False)
    return P @ _with_rest(pulled, beside, of_L, U1, k)


def _with_rest(square: Any, beside: Any, of_L: Any, U1: Any, k: int) -> Any:
    """Return the gradient of the square part, with that of further columns or rows."""
    from .joining import cat

    if beside is not None:
        return cat([square, beside], -1)
    if of_L._array.shape[-2] > k:
        below = linalg_solve_triangular(U1.mH, of_L[..., k:, :], upper=False, left=False)
        return cat([square, below], -2)
    return square


def _lu_factor_rule(cotangents: Any, LU: Tensor, pivots: Tensor) -> Any:
    grad = cotangents[0]
    if grad is None:
        return None
    L, U = unpack(LU)
    k = min(grad._array.shape[-2:])
    P = _pivots_to_matrix(pivots, LU, m=LU._array.shape[-2])
    return lu_rule(grad[..., :, :k].tril(-1), grad[..., :k, :].triu(), P, L, U)


_lu_factor_ex.vjp(A=_lu_factor_rule)


@composite
def linalg_lu_factor_ex(
    A: Tensor, *, pivot: bool = True, check_errors: bool = False
) -> lu_factor_ex_result:
    """Return both factors of ``A = P L U`` in one matrix, the pivots, and which one is zero.

    Args:
        A: ``(*, m, n)``, float32, float64 or complex.
        pivot: Exchange rows; False is not supported, as in PyTorch's CPU build.
        check_errors: Raise where a pivot is zero.

    Returns:
        A named tuple of ``LU``, ``(*, m, n)``, ``pivots``, int32 ``(*, min(m, n))``, counted from
        1, and ``info``, int32 ``(*)``.

    Raises:
        RuntimeError: shape or dtype does not fit; with *check_errors*, a pivot is zero.

    Gradient:
        See `lu_rule`.

    >>> import chainrule as cr
    >>> cr.linalg.lu_factor_ex(cr.tensor([[0.0, 1.0], [2.0, 3.0]])).pivots
    tensor([2, 2], dtype=torch.int32)
    """
    _check_lu("torch.lu_factor", A)
    _check_pivot("linalg.lu_factor", pivot=pivot)
    made = _lu_factor_ex(A)
    if check_errors:
        _raise_zero_pivot(made[2])
    return made


def _raise_zero_pivot(info: Tensor) -> None:
    raise_info(
        info,
        "torch.linalg.lu_factor: {batch}U[{info},{info}] is zero and using it on lu_solve would "
        "result in a division by zero. If you still want to perform the factorization, consider "
        "calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)",
        "lu_factor: the matrix is singular.",
    )


@composite
def linalg_lu_factor(A: Tensor, *, pivot: bool = True) -> lu_factor_result:
    """Return both factors of ``A = P L U`` in one matrix, and the pivots.

    Args:
        A: ``(*, m, n)``, float32, float64 or complex.
        pivot: As for `lu_factor_ex`.

    Returns:
        A named tuple of ``LU`` and ``pivots``, as `lu_solve` takes them.

    Raises:
        RuntimeError: a pivot is zero, or shape or dtype does not fit.

    Gradient:
        See `lu_rule`.

    >>> import chainrule as cr
    >>> cr.linalg.lu_factor(cr.tensor([[0.0, 1.0], [2.0, 3.0]])).LU
    tensor([[2., 3.],
            [0., 1.]])
    """
    LU, pivots, info = linalg_lu_factor_ex(A, pivot=pivot)
    _raise_zero_pivot(info)
    return lu_factor_result((LU, pivots))


@composite(nodes={"": "LinalgLuBackward0"})
def _lu(A: Tensor, *, pivot: bool = True) -> lu_result:
    """Return the three factors."""
    LU, pivots, _ = _lu_factor_ex(A)
    P = _pivots_to_matrix(pivots, LU, m=A._array.shape[-2])
    return lu_result((P, *unpack(LU)))


_lu.vjp(
    A=lambda cotangents, P, L, U, pivot: lu_rule(
        None if cotangents[1] is None else cotangents[1].tril(-1),
        None if cotangents[2] is None else cotangents[2].triu(),
        P,
        L,
        U,
    )
)


@composite
def linalg_lu(A: Tensor, *, pivot: bool = True) -> lu_result:
    """Return the factors of ``A = P L U``.

    Args:
        A: ``(*, m, n)``, float32, float64 or complex.
        pivot: Exchange rows; False is not supported, as in PyTorch's CPU build.

    Returns:
        A named tuple of ``P``, a permutation ``(*, m, m)``, ``L``, ``(*, m, k)`` with ones on its
        diagonal, and ``U``, ``(*, k, n)``; ``k = min(m, n)``.

    Raises:
        RuntimeError: shape or dtype does not fit.

    Gradient:
        See `lu_rule`.

    >>> import chainrule as cr
    >>> cr.linalg.lu(cr.tensor([[0.0, 1.0], [2.0, 3.0]])).P
    tensor([[0., 1.],
            [1., 0.]])
    """
    _check_lu("linalg.lu", A)
    _check_pivot("linalg.lu", pivot=pivot)
    P, L, U = _lu(A)
    return lu_result((P.detach(), L, U))


@primitive(nodes={"": "LinalgLuSolveBackward0"})
def _lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False
) -> Tensor:
    """Return the solution from both factors."""


def _lu_solve_rule_of_right(
    grad: Tensor, LU: Tensor, pivots: Tensor, left: bool, adjoint: bool
) -> Any:
    return _lu_solve(LU, pivots, grad, left=left, adjoint=not adjoint)


def _lu_solve_rule_of_factors(
    grad: Tensor, LU: Tensor, pivots: Tensor, left: bool, adjoint: bool, result: Tensor
) -> Any:
    right = _lu_solve_rule_of_right(grad, LU, pivots, left, adjoint)
    pulled = right @ result.mH if left else result.mH @ right
    of_A = -(pulled.mH if adjoint else pulled)
    P = _pivots_to_matrix(pivots, LU, m=LU._array.shape[-2])
    L, U = unpack(LU)
    of_A = P.mT @ of_A
    return (of_A @ U.mH).tril(-1) + (L.mH @ of_A).triu()


_lu_solve.vjp(LU=_lu_solve_rule_of_factors, pivots=None, B=_lu_solve_rule_of_right)


@composite
def linalg_lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False
) -> Tensor:
    """Return X with ``A X = B``, from the factors of A that `lu_factor` gives.

    Args:
        LU: ``(*, n, n)``, float32, float64 or complex.
        pivots: int32, ``(*, n)``.
        B: ``(*, n, k)``, of the same dtype as *LU*.
        left: False for ``X A = B``.
        adjoint: Solve with ``A^H``.

    Returns:
        ``(*, n, k)``.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    Gradient:
        The solution with the adjoint for *B*; from it, those of both factors.

    >>> import chainrule as cr
    >>> LU, pivots = cr.linalg.lu_factor(cr.tensor([[0.0, 1.0], [2.0, 0.0]]))
    >>> cr.linalg.lu_solve(LU, pivots, cr.ones(2, 1))
    tensor([[0.5000],
            [1.0000]])
    """
    check_square("torch.linalg.lu_solve", LU)
    if not LU._key.floating:
        check_floating("torch.linalg.lu_solve", LU)
    check_kernel_dtype("lu_solve", LU, "linalg.lu_solve_cpu")
    check_same_dtype("linalg.lu_solve", LU, B, "LU")
    check_matrix("linalg.lu_solve", B, "B")
    check_system("linalg.lu_solve", LU, B, left=left)
    _check_pivots(LU, pivots)
    return _lu_solve(LU, pivots, B, left=left, adjoint=adjoint)


def _check_pivots(LU: Tensor, pivots: Tensor) -> None:
    if pivots._key.dtype is not dtypes.int32:
        sentence = (
            "linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32. Got "
            f"{pivots._key.dtype.scalar_name}"
        )
        fail(DTypeError, sentence, "lu_solve: expected what lu_factor() gives.")
    shape = tuple(pivots._array.shape)
    if shape != tuple(LU._array.shape[:-1]):
        sentence = (
            "linalg.lu_solve: Expected LU.shape[:-1] and pivots.shape to be the same, but got "
            f"pivots with shape {list(shape)} instead"
        )
        fail(ShapeError, sentence, "lu_solve: expected what lu_factor() gives.")
