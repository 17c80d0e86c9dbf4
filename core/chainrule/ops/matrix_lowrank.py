"""The largest few singular values of a matrix, or eigenvalues: approximately, or by way of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from .matrix_spectral import linalg_eigh, linalg_qr, linalg_svd
from .matrix_triangular import linalg_cholesky, linalg_solve_triangular

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["lobpcg", "pca_lowrank", "svd_lowrank"]


def _approximate_basis(A: Any, q: int, niter: int, M: Any) -> Any:
    """Return *q* orthonormal columns that nearly span those of ``A - M``."""

    def times(matrix: Any, mean: Any, right: Any) -> Any:
        return matrix @ right if mean is None else matrix @ right - mean @ right

    drawn = ops.randn(A.shape[-1], q, dtype=A.dtype, device=A.device)
    Q = linalg_qr(times(A, M, drawn)).Q
    for _ in range(niter):
        other = linalg_qr(times(A.mH, None if M is None else M.mH, Q)).Q
        Q = linalg_qr(times(A, M, other)).Q
    return Q


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return U, S and V, of which ``U diag(S) V^H`` is near *A*, or ``A - M``.

    Args:
        A: ``(*, m, n)``, floating or complex.
        q: How many singular values: somewhat more than the rank that is wanted.
        niter: How often the subspace is improved.
        M: What is subtracted from *A* first, such as its mean; broadcast.

    Returns:
        ``(*, m, q)``, ``(*, q)`` and ``(*, n, q)``; fewer where m or n is smaller.

    Source:
        N. Halko, P.-G. Martinsson and J. A. Tropp (2011), Finding structure with randomness,
        SIAM Review 53, algorithms 4.4 and 5.1. Random numbers are drawn from the default generator.

    >>> import chainrule as cr
    >>> U, S, V = cr.svd_lowrank(cr.outer(cr.ones(4), cr.arange(3.0)), q=2)
    >>> S[0]
    tensor(4.4721)
    """
    wide, rank = A._array.shape[-2] < A._array.shape[-1], 6 if q is None else q
    given: Any = A
    mean: Any = None if M is None else ops.broadcast_to(M, A._array.shape)
    if wide:
        given, mean = given.mH, None if mean is None else mean.mH
    Q = _approximate_basis(given, rank, 2 if niter is None else niter, mean)
    inner = Q.mH @ given if mean is None else Q.mH @ given - Q.mH @ mean
    U, S, Vh = linalg_svd(inner, full_matrices=False)
    left, right = Q @ U, Vh.mH
    return (right, S, left) if wide else (left, S, right)


def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """Return `svd_lowrank` of *A* less the mean of its rows: V holds the principal directions.

    Args:
        A: ``(*, m, n)``, a sample per row.
        q: How many directions; by default the smallest of 6, m and n.
        center: Whether the mean is subtracted.
        niter: How often the subspace is improved.

    Raises:
        ValueError: *q* or *niter* is out of range.

    >>> import chainrule as cr
    >>> _, S, _ = cr.pca_lowrank(cr.tensor([[0.0, 1.0], [2.0, 1.0]]))
    >>> S[0]
    tensor(1.4142)
    """
    given: Any = A
    least = min(given.shape[-2:])
    rank = min(6, least) if q is None else q
    if not 0 <= rank <= least:
        msg = f"q(={q}) must be non-negative integer and not greater than min(m, n)={least}"
        raise ValueError(msg)
    if niter < 0:
        msg = f"niter(={niter}) must be non-negative integer"
        raise ValueError(msg)
    if center:
        given = given - given.mean(-2, keepdim=True)
    return svd_lowrank(given, rank, niter)


def lobpcg(
    A: Tensor,
    k: int | None = None,
    B: Tensor | None = None,
    X: Tensor | None = None,
    n: int | None = None,
    iK: Tensor | None = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: None = None,
    ortho_iparams: dict[str, int] | None = None,
    ortho_fparams: dict[str, float] | None = None,
    ortho_bparams: dict[str, bool] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the *k* largest eigenvalues of ``A x = e B x``, and their vectors.

    Args:
        A: ``(*, m, m)``, symmetric.
        k: How many; by default as many as *X* has columns, or one.
        B: ``(*, m, m)``, positive definite; by default the identity.
        X: A guess, of which the number of columns counts.
        n: Taken and ignored, as are *iK*, *niter*, *tol*, *method*, *tracker* and *ortho_…*.
        iK: See *n*.
        niter: See *n*.
        tol: See *n*.
        largest: False for the smallest.
        method: See *n*.
        tracker: See *n*.
        ortho_iparams: See *n*.
        ortho_fparams: See *n*.
        ortho_bparams: See *n*.

    Returns:
        ``(*, k)``, the most extreme first, and ``(*, m, k)``.

    Raises:
        ValueError: there are fewer than three rows for each value that is wanted.
        AssertionError: *A* is not square, or *B* has another shape.

    Gradient:
        That of `linalg.eigh`.

    Differs from PyTorch:
        All eigenvalues are computed, exactly, where PyTorch approaches a few: a matrix here is
        dense. No random numbers are drawn.

    >>> import chainrule as cr
    >>> cr.lobpcg(cr.diag(cr.tensor([1.0, 3.0, 2.0])))[0]
    tensor([3.])
    """
    shape = tuple(A._array.shape)
    if shape[-2] != shape[-1]:
        msg = f"A must be square, got shape {A._array.shape}"
        raise AssertionError(msg)
    if B is not None and tuple(B._array.shape) != shape:
        msg = f"A and B must have same shape, got {shape} vs {tuple(B._array.shape)}"
        raise AssertionError(msg)
    guessed = 1 if X is None else X._array.shape[-1]
    count = guessed if k is None else k
    wanted = (count if n is None else n) if X is None else guessed
    if shape[-1] < 3 * wanted:
        msg = (
            f"LOBPCG algorithm is not applicable when the number of A rows (={shape[-1]}) is "
            f"smaller than 3 x the number of requested eigenpairs (={wanted})"
        )
        raise ValueError(msg)
    values, vectors = _eigenpairs(A, B)
    if largest is not False:
        values, vectors = values.flip(-1), vectors.flip(-1)
    return values[..., :count], vectors[..., :count]


def _eigenpairs(A: Any, B: Any) -> tuple[Any, Any]:
    """Return all solutions of ``A x = e B x``, by way of ``L^-1 A L^-H`` with ``B = L L^H``."""
    if B is None:
        return linalg_eigh(A)
    factor = linalg_cholesky(B)
    half = linalg_solve_triangular(factor, A, upper=False)
    whole = linalg_solve_triangular(factor, half.mH, upper=False)
    values, vectors = linalg_eigh(whole)
    return values, linalg_solve_triangular(factor.mH, vectors, upper=True)
