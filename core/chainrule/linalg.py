"""Linear algebra under PyTorch's names. The maths stands in ``chainrule.ops``.

>>> import chainrule as cr
>>> cr.linalg.solve(cr.tensor([[2.0, 0.0], [0.0, 4.0]]), cr.tensor([2.0, 2.0]))
tensor([1.0000, 0.5000])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import ops
from .errors import LinAlgError
from .ops import matmul, matrix_power, multi_dot, vector_norm
from .ops.linalg import linalg_cross as cross
from .ops.matrix_functions import linalg_cond as cond
from .ops.matrix_functions import linalg_householder_product as householder_product
from .ops.matrix_functions import linalg_lstsq as lstsq
from .ops.matrix_functions import linalg_matrix_exp as matrix_exp
from .ops.matrix_functions import linalg_matrix_norm as matrix_norm
from .ops.matrix_functions import linalg_matrix_rank as matrix_rank
from .ops.matrix_functions import linalg_norm as norm
from .ops.matrix_functions import linalg_pinv as pinv
from .ops.matrix_functions import linalg_vander as vander
from .ops.matrix_functions import linalg_vecdot as vecdot
from .ops.matrix_inverse import linalg_det as det
from .ops.matrix_inverse import linalg_inv as inv
from .ops.matrix_inverse import linalg_inv_ex as inv_ex
from .ops.matrix_inverse import linalg_slogdet as slogdet
from .ops.matrix_inverse import linalg_solve as solve
from .ops.matrix_inverse import linalg_solve_ex as solve_ex
from .ops.matrix_inverse import linalg_tensorinv as tensorinv
from .ops.matrix_inverse import linalg_tensorsolve as tensorsolve
from .ops.matrix_spectral import linalg_eig as eig
from .ops.matrix_spectral import linalg_eigh as eigh
from .ops.matrix_spectral import linalg_eigvals as eigvals
from .ops.matrix_spectral import linalg_eigvalsh as eigvalsh
from .ops.matrix_spectral import linalg_qr as qr
from .ops.matrix_spectral import linalg_svd as svd
from .ops.matrix_spectral import linalg_svdvals as svdvals
from .ops.matrix_symmetric import linalg_ldl_factor as ldl_factor
from .ops.matrix_symmetric import linalg_ldl_factor_ex as ldl_factor_ex
from .ops.matrix_symmetric import linalg_ldl_solve as ldl_solve
from .ops.matrix_triangular import linalg_cholesky as cholesky
from .ops.matrix_triangular import linalg_cholesky_ex as cholesky_ex
from .ops.matrix_triangular import linalg_lu as lu
from .ops.matrix_triangular import linalg_lu_factor as lu_factor
from .ops.matrix_triangular import linalg_lu_factor_ex as lu_factor_ex
from .ops.matrix_triangular import linalg_lu_solve as lu_solve
from .ops.matrix_triangular import linalg_solve_triangular as solve_triangular

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh",
    "eigvals", "eigvalsh", "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex",
    "ldl_solve", "lstsq", "lu", "lu_factor",
    "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm", "matrix_power",
    "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve", "solve_ex",
    "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot",
    "vector_norm",
]  # fmt: skip


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return the diagonals of matrices, a view: `chainrule.diagonal` with the last dimensions.

    >>> import chainrule as cr
    >>> cr.linalg.diagonal(cr.eye(2))
    tensor([1., 1.])
    """
    return ops.diagonal(A, offset, dim1, dim2)
