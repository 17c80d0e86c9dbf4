"""The older names of the decompositions, which stand beside `chainrule.linalg`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from ..errors import DTypeError, ShapeError
from ..inplace import fill_out
from ..op import composite
from .linalg_checks import fail
from .matrix_checks import check_kernel_dtype, check_square, raise_info
from .matrix_functions import linalg_pinv
from .matrix_spectral import linalg_qr, linalg_svd
from .matrix_triangular import (
    _cholesky_ex,
    _pivots_to_matrix,
    linalg_lu_factor_ex,
    linalg_lu_solve,
    linalg_solve_triangular,
    unpack,
)
from .return_types import lu_unpack as lu_unpack_result
from .return_types import qr as qr_result
from .return_types import svd as svd_result
from .return_types import triangular_solve as triangular_solve_result

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "cholesky", "lu", "lu_solve", "lu_unpack", "pinverse", "qr", "svd", "triangular_solve",
]  # fmt: skip


@composite
def svd(self: Tensor, some: bool = True, compute_uv: bool = True) -> svd_result:
    """Return singular vectors and values; `linalg.svd` gives ``V^H`` in place of V.

    Args:
        self: ``(*, m, n)``, float32, float64 or complex.
        some: Only the first min(m, n) vectors.
        compute_uv: False: the vectors are zeros.

    Returns:
        A named tuple of ``U``, ``S`` and ``V``.

    Gradient:
        That of `linalg.svd`.

    >>> import chainrule as cr
    >>> cr.svd(cr.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    ndim = len(self._array.shape)
    if ndim < 2:
        sentence = (
            f"linalg.svd: input should have at least 2 dimensions, but has {ndim} dimensions "
            "instead"
        )
        fail(ShapeError, sentence, "svd: expected a matrix or a batch of them.")
    U, S, Vh = linalg_svd(self, full_matrices=compute_uv and not some)
    if not compute_uv:
        m, n = self._array.shape[-2:]
        batch = tuple(self._array.shape[:-2])
        return svd_result((self.new_zeros((*batch, m, m)), S, self.new_zeros((*batch, n, n))))
    return svd_result((U, S, Vh.mH))


@composite
def qr(self: Tensor, some: bool = True) -> qr_result:
    """Return the factors of ``self = Q R``; see `linalg.qr`.

    >>> import chainrule as cr
    >>> cr.qr(cr.tensor([[3.0], [4.0]])).R.abs()
    tensor([[5.]])
    """
    return qr_result(tuple(linalg_qr(self, "reduced" if some else "complete")))


@composite
def cholesky(self: Tensor, upper: bool = False) -> Tensor:
    """Return the Cholesky factor; see `linalg.cholesky`.

    >>> import chainrule as cr
    >>> cr.cholesky(cr.tensor([[4.0]]))
    tensor([[2.]])
    """
    check_square("cholesky", self)
    check_kernel_dtype("cholesky", self, "cholesky_cpu")
    factor, info = _cholesky_ex(self, upper=upper)
    raise_info(
        info,
        "cholesky: {batch}The factorization could not be completed because the input is not "
        "positive-definite (the leading minor of order {info} is not positive-definite).",
        "cholesky: add a small multiple of the identity.",
    )
    return factor


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """Return the pseudo-inverse; see `linalg.pinv`.

    >>> import chainrule as cr
    >>> cr.pinverse(cr.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    return linalg_pinv(input, rcond)


@composite
def triangular_solve(
    self: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> triangular_solve_result:
    """Return X with ``A X = self`` for triangular A, and A; see `linalg.solve_triangular`.

    >>> import chainrule as cr
    >>> cr.triangular_solve(cr.ones(1, 1), cr.tensor([[2.0]])).solution
    tensor([[0.5000]])
    """
    check_square("triangular_solve", A)
    matrix = A.mT if transpose else A
    solution = linalg_solve_triangular(
        matrix, self, upper=upper is not transpose, unitriangular=unitriangular
    )
    return triangular_solve_result((solution, A.clone()))


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """Return both factors in one matrix, and the pivots (and infos); see `linalg.lu_factor`.

    >>> import chainrule as cr
    >>> cr.lu(cr.tensor([[2.0]]))[0]
    tensor([[2.]])
    """
    LU, pivots, infos = linalg_lu_factor_ex(A, pivot=pivot, check_errors=not get_infos)
    found = (LU, pivots, infos) if get_infos else (LU, pivots)
    if out is not None:
        for target, made in zip(out, found, strict=True):
            target.resize_as_(made).copy_(made)
        return out
    return found


def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Any = None) -> Tensor:
    """Return X with ``A X = input``; see `linalg.lu_solve`.

    >>> import chainrule as cr
    >>> cr.lu_solve(cr.ones(1, 1), *cr.lu(cr.tensor([[2.0]])))
    tensor([[0.5000]])
    """
    return linalg_lu_solve(LU_data, LU_pivots, input, **({} if out is None else {"out": out}))


def lu_unpack(
    LU_data: Tensor,
    LU_pivots: Tensor,
    unpack_data: bool = True,
    unpack_pivots: bool = True,
    *,
    out: Any = None,
) -> lu_unpack_result:
    """Return the three factors that `lu_factor` holds in one matrix and its pivots.

    Args:
        LU_data: ``(*, m, n)``.
        LU_pivots: int32, ``(*, min(m, n))``.
        unpack_data: Whether to give L and U; else they are empty.
        unpack_pivots: Whether to give P; else it is empty.
        out: Three tensors to write the results into.

    Returns:
        A named tuple of ``P``, ``L`` and ``U``.

    Raises:
        RuntimeError: the pivots are not int32.

    >>> import chainrule as cr
    >>> cr.lu_unpack(*cr.lu(cr.tensor([[0.0, 1.0], [1.0, 0.0]]))).P
    tensor([[0., 1.],
            [1., 0.]])
    """
    if unpack_pivots and LU_pivots._key.dtype is not dtypes.int32:
        sentence = (
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype."
        )
        fail(DTypeError, sentence, "lu_unpack: expected what lu_factor() gives.")
    none: Any = ops.empty(0, dtype=LU_data._key.dtype, device=LU_data.device)
    P = none
    if unpack_pivots:
        P = _pivots_to_matrix(LU_pivots, LU_data.detach(), m=LU_data._array.shape[-2])
    L, U = unpack(LU_data) if unpack_data else (none, none)
    if out is not None:
        return lu_unpack_result(tuple(map(fill_out, out, (P, L, U))))
    return lu_unpack_result((P, L, U))
