"""Batch rules of what takes batches of matrices anyway: products, decompositions, transforms."""

from __future__ import annotations

from typing import Any, Final

from .. import ops
from .batching import Call, Rule, along, plain
from .wrapped import raw


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


# Products


def _matrix(operand: Any) -> Any:
    return operand.tensor


def _mm(call: Call) -> Any:
    return ops.matmul(*map(_matrix, call.operands))


def _mv(call: Call) -> Any:
    matrix, vector = call.operands
    if not matrix.batched:
        return ops.matmul(vector.tensor, ops.t(matrix.tensor))
    column = ops.unsqueeze(vector.tensor, -1)
    return ops.squeeze(ops.matmul(matrix.tensor, column), -1)


def _dot(call: Call) -> Any:
    left, right = map(_matrix, call.operands)
    row, column = ops.unsqueeze(left, -2), ops.unsqueeze(right, -1)
    return ops.squeeze(ops.squeeze(ops.matmul(row, column), -1), -1)


def _vdot(call: Call) -> Any:
    left, right = map(_matrix, call.operands)
    row, column = ops.unsqueeze(ops.conj(left), -2), ops.unsqueeze(right, -1)
    return ops.squeeze(ops.squeeze(ops.matmul(row, column), -1), -1)


def _bmm(call: Call) -> Any:
    return ops.matmul(*map(_matrix, call.operands))


def _added(product: Any, ndim: int) -> Rule:
    """Return the rule of ``beta * self + alpha * product``."""

    def rule(call: Call) -> Any:
        summand, *factors = call.operands
        inside = Call(call.op, call.level, factors, {})
        beta, alpha = call.static("beta"), call.static("alpha")
        found = product(inside)
        if not any(factor.batched for factor in factors):
            found = ops.expand(found, (call.level.size, *found._array.shape))
        if alpha != 1:
            found = found * alpha
        if not beta:
            return found
        kept = summand.tensor
        if summand.batched and len(summand.shape) < ndim:
            missing = (1,) * (ndim - len(summand.shape))
            kept = ops.reshape(kept, (call.level.size, *missing, *summand.shape))
        return (kept if beta == 1 else kept * beta) + found

    return rule


def _summed_bmm(call: Call) -> Any:
    product = ops.matmul(*map(_matrix, call.operands))
    return raw._sum(product, (len(product._array.shape) - 3,))


def _outer(call: Call) -> Any:
    left, right = map(_matrix, call.operands)
    return ops.unsqueeze(left, -1) * ops.unsqueeze(right, -2)


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
    **dict.fromkeys(("mm", "_mm_with_transpose"), _mm),
    **dict.fromkeys(("addmm", "_addmm_with_transpose"), _added(_mm, 2)),
    "mv": _mv,
    "dot": _dot,
    "vdot": _vdot,
    "bmm": _bmm,
    "addmv": _added(_mv, 1),
    "baddbmm": _added(_bmm, 3),
    "addbmm": _added(_summed_bmm, 2),
    "addr": _added(_outer, 2),
    "_solve_ex": _solve,
    "_lu_solve": _lu_solve,
}  # fmt: skip
