"""Symmetric matrices that need not be definite: their factors, and systems solved with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..errors import DTypeError, ShapeError
from ..op import NOT_IMPLEMENTED, composite, primitive
from .complex import conj
from .linalg_checks import fail
from .matrix_checks import check_floating, check_matrix, check_square, raise_info
from .return_types import linalg_ldl_factor as ldl_factor_result
from .return_types import linalg_ldl_factor_ex as ldl_factor_ex_result

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["linalg_ldl_factor", "linalg_ldl_factor_ex", "linalg_ldl_solve"]


@primitive(nodes={"": "NotImplemented"})
def _ldl_factor_ex(self: Tensor, *, hermitian: bool = False) -> ldl_factor_ex_result:
    """Return both factors in one matrix, the pivots, and the first block of D that is zero."""


_ldl_factor_ex.vjp(
    self=NOT_IMPLEMENTED("the factors depend on the choice of blocks: differentiate linalg.solve")
)


def _factored(name: str, A: Tensor, *, hermitian: bool, check_errors: bool) -> Any:
    check_square(f"torch.linalg.{name}", A)
    check_floating(f"torch.linalg.{name}", A, "ldl_factor_kernel_cpu")
    made = _ldl_factor_ex(A, hermitian=hermitian)
    if check_errors:
        raise_info(
            made[2],
            f"torch.linalg.{name}: {{batch}}D[{{info}},{{info}}] is zero and using it on ldl_solve "
            "would result in a division by zero.",
            f"{name}: the matrix is singular; linalg.ldl_factor_ex gives its factors all the same.",
        )
    return made


@composite
def linalg_ldl_factor_ex(
    self: Tensor, *, hermitian: bool = False, check_errors: bool = False
) -> ldl_factor_ex_result:
    """Return both factors of ``P A P^T = L D L^T`` in one matrix, the pivots, and what is zero.

    D has blocks of one and of two rows on its diagonal.

    Args:
        self: ``(*, n, n)``, symmetric, float32, float64 or complex; what is above the diagonal is
            not read.
        hermitian: The matrix is Hermitian: ``L D L^H``.
        check_errors: Raise where a block of D is zero.

    Returns:
        A named tuple of ``LD``, ``(*, n, n)``, lower triangular; ``pivots``, int32 ``(*, n)``:
        with what each row was exchanged, counted from 1, twice and negative for a block of two;
        and ``info``, int32 ``(*)``: the first block that is zero, or 0.

    Raises:
        RuntimeError: shape or dtype does not fit; with *check_errors*, a block is zero.

    Gradient:
        None yet.

    >>> import chainrule as cr
    >>> cr.linalg.ldl_factor_ex(cr.tensor([[0.0, 1.0], [1.0, 0.0]])).pivots
    tensor([-2, -2], dtype=torch.int32)
    """
    return _factored("ldl_factor_ex", self, hermitian=hermitian, check_errors=check_errors)  # type: ignore[no-any-return]  # the named tuple


@composite
def linalg_ldl_factor(self: Tensor, *, hermitian: bool = False) -> ldl_factor_result:
    """Return both factors of ``P A P^T = L D L^T`` in one matrix, and the pivots.

    Args:
        self: ``(*, n, n)``, as for `ldl_factor_ex`.
        hermitian: The matrix is Hermitian: ``L D L^H``.

    Returns:
        A named tuple of ``LD`` and ``pivots``, as `ldl_solve` takes them.

    Raises:
        RuntimeError: a block of D is zero, or shape or dtype does not fit.

    Gradient:
        None yet.

    >>> import chainrule as cr
    >>> cr.linalg.ldl_factor(cr.tensor([[4.0, 2.0], [2.0, 5.0]])).LD
    tensor([[4.0000, 0.0000],
            [0.5000, 4.0000]])
    """
    LD, pivots, _ = _factored("ldl_factor", self, hermitian=hermitian, check_errors=True)
    return ldl_factor_result((LD, pivots))


@primitive(nodes={"": "LinalgLdlSolveBackward0"})
def linalg_ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> Tensor:
    """Return X with ``A X = B``, from what `ldl_factor` gives.

    Args:
        LD: ``(*, n, n)``.
        pivots: Integers, ``(*, n)``.
        B: ``(*, n, k)``, of the dtype of *LD*.
        hermitian: As `ldl_factor` was told.

    Returns:
        ``(*, n, k)``.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    Gradient:
        ``A^-H @ grad`` for *B*; none yet for *LD*.

    >>> import chainrule as cr
    >>> factors = cr.linalg.ldl_factor(cr.tensor([[0.0, 1.0], [1.0, 0.0]]))
    >>> cr.linalg.ldl_solve(*factors, cr.tensor([[1.0], [2.0]]))
    tensor([[2.],
            [1.]])
    """


@linalg_ldl_solve.checks
def _check_ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, hermitian: bool) -> None:
    name = "torch.linalg.ldl_solve"
    check_square(name, LD)
    check_floating(name, LD)
    check_matrix(name, B, "B")
    rows, sizes = LD._array.shape[-1], tuple(B._array.shape[-2:])
    if sizes[0] != rows:
        sentence = (
            f"Incompatible matrix sizes for {name}: each A matrix is {rows} by {rows} but each b "
            f"matrix is {sizes[0]} by {sizes[1]}"
        )
        fail(ShapeError, sentence, "ldl_solve: expected as many rows in B as in LD.")
    if LD._key.dtype is not B._key.dtype:
        sentence = (
            f"Expected b and A to have the same dtype, but found b of type "
            f"{B._key.dtype.scalar_name} and A of type {LD._key.dtype.scalar_name} instead."
        )
        fail(DTypeError, sentence, "ldl_solve: convert one of them with .to(...).")
    if pivots._key.category != dtypes.INTEGER:
        sentence = f"{name}: Expected pivots to be integers. Got {pivots._key.dtype.scalar_name}"
        fail(DTypeError, sentence, "ldl_solve: expected what ldl_factor() gives.")
    if tuple(pivots._array.shape) != tuple(LD._array.shape[:-1]):
        sentence = (
            f"{name}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with "
            f"shape {list(pivots._array.shape)} instead"
        )
        fail(ShapeError, sentence, "ldl_solve: expected what ldl_factor() gives.")


def _ldl_solve_rule(grad: Tensor, LD: Tensor, pivots: Tensor, hermitian: bool) -> Any:
    if hermitian or not LD._key.complex:
        return linalg_ldl_solve(LD, pivots, grad, hermitian=hermitian)
    return conj(linalg_ldl_solve(LD, pivots, conj(grad)))  # A^-H, of a symmetric matrix


linalg_ldl_solve.vjp(
    LD=NOT_IMPLEMENTED("differentiate linalg.solve"), pivots=None, B=_ldl_solve_rule
)
