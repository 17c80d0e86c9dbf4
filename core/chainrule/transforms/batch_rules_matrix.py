"""Batch rules of decompositions, solvers and transforms: they take batches of matrices anyway."""

from __future__ import annotations

from typing import Any, Final

from .. import ops
from .batching import Call, along, plain


def _grown(operand: Any, ndim: int) -> Any:
    """Return an operand with its batch in front of *ndim* dimensions."""
    missing = (1,) * (ndim - len(operand.shape))
    return ops.reshape(operand.whole(), (operand.level.size, *missing, *operand.shape))


def _matrices(call: Call) -> Any:
    """Give all operands as many dimensions as the largest has."""
    ndim = max(len(operand.shape) for operand in call.operands)
    return call.run([_grown(operand, ndim) for operand in call.operands])


def _solve(call: Call) -> Any:
    """Solve for matrices, or for vectors, which stand as columns meanwhile."""
    matrix, right = call.operands
    vectors = len(right.shape) == 1 or (
        len(matrix.shape) - 1 == len(right.shape) and tuple(right.shape) == matrix.shape[:-1]
    )
    if not vectors:
        return _matrices(call)
    columns = ops.unsqueeze(right.whole(), -1)
    missing = len(matrix.shape) - len(right.shape) - 1
    for _ in range(missing):
        columns = ops.unsqueeze(columns, 1)
    result, *others = call.run([matrix.whole(), columns])
    return (ops.squeeze(result, -1), *others)


def _lu_solve(call: Call) -> Any:
    factors, pivots, right = call.operands
    ndim = max(len(factors.shape), len(right.shape))
    return call.run([_grown(factors, ndim), _grown(pivots, ndim - 1), _grown(right, ndim)])


#: The rules, by the op's name.
TABLE: Final[dict[str, Any]] = {
    **dict.fromkeys(
        ("_cholesky_ex", "_eig", "_eigvals", "_eigvalsh", "_lu_factor_ex", "_qr", "_svd",
         "_svdvals", "geqrf", "linalg_det", "linalg_eigh", "linalg_householder_product",
         "linalg_inv_ex", "linalg_matrix_exp", "linalg_slogdet", "_pivots_to_matrix"),
        plain,
    ),
    **dict.fromkeys(("linalg_solve_triangular", "_lstsq"), _matrices),
    **dict.fromkeys(("_fft_c2c", "_fft_c2r", "_fft_r2c"), along("dim")),
    "_solve_ex": _solve,
    "_lu_solve": _lu_solve,
}  # fmt: skip
