"""QR, singular values and eigenvalues.

The factors of these decompositions are not unique: signs and phases of vectors are LAPACK's choice.
A gradient is that of a function which does not depend on the choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..errors import DomainError, DTypeError, LinAlgError, ShapeError
from ..op import composite, primitive
from ..plan import recording
from ._operands import occurs
from .complex import conj
from .linalg_checks import fail
from .matrix_checks import check_floating, check_kernel_dtype, check_matrix, check_square
from .matrix_triangular import linalg_solve_triangular
from .return_types import linalg_eig as eig_result
from .return_types import linalg_eigh as eigh_result
from .return_types import linalg_qr as qr_result
from .return_types import linalg_svd as svd_result

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "linalg_eig", "linalg_eigh", "linalg_eigvals", "linalg_eigvalsh", "linalg_qr", "linalg_svd",
    "linalg_svdvals",
]  # fmt: skip


# QR


@primitive(nodes={"": "LinalgQrBackward0"})
def _qr(A: Tensor, mode: str = "reduced") -> qr_result:
    """Return both factors."""


def _qr_rule(cotangents: Any, Q: Tensor, R: Tensor, mode: str) -> Any:
    of_Q, of_R = cotangents
    if of_Q is None and of_R is None:
        return None
    _check_qr_derivative(Q, R, mode)
    m, n = Q._array.shape[-2], R._array.shape[-1]
    of_Q = Q * 0 if of_Q is None else of_Q
    of_R = R * 0 if of_R is None else of_R
    if m >= n:
        return _qr_rule_square(of_Q, of_R, Q, R)
    # A = (X Y) and R = (U V) with X = Q U and V = Q^H Y.
    beside = R[..., :, m:]
    of_V = of_R[..., :, m:]
    of_Y = Q @ of_V
    of_Q = of_Q + (Q @ beside) @ of_V.mH
    of_X = _qr_rule_square(of_Q, of_R[..., :, :m], Q, R[..., :, :m])
    return ops.cat([of_X, of_Y], -1)


def _qr_rule_square(of_Q: Any, of_R: Any, Q: Any, R: Any) -> Any:
    """Return the gradient where R is square.

    Source:
        S. F. Walter and L. Lehmann (2010), Algorithmic differentiation of linear algebra
        functions, arXiv:1001.1654.
    """
    inner = (of_R @ R.mH - Q.mH @ of_Q).triu()
    hermitian = inner + inner.mH
    hermitian = hermitian - (hermitian.diagonal(0, -2, -1) / 2).diag_embed()
    return linalg_solve_triangular(R.mH, of_Q + Q @ hermitian, upper=False, left=False)


def _check_qr_derivative(Q: Tensor, R: Tensor, mode: str) -> None:
    rows, columns = (Q._array.shape[-2], R._array.shape[-1]) if mode != "r" else (0, 0)
    if mode == "r":
        sentence = (
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please "
            "use linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
        )
    elif mode == "complete" and rows > columns:
        sentence = (
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols."
        )
    else:
        return
    fail(DomainError, sentence, "qr: use mode='reduced'.")


_qr.vjp(A=_qr_rule)


@composite
def linalg_qr(A: Tensor, mode: str = "reduced") -> qr_result:
    """Return the factors of ``A = Q R``: Q with orthonormal columns, R upper triangular.

    Args:
        A: ``(*, m, n)``, float32, float64 or complex.
        mode: ``"reduced"``: Q is ``(*, m, k)``, R ``(*, k, n)``, with ``k = min(m, n)``;
            ``"complete"``: Q is ``(*, m, m)``; ``"r"``: Q is empty.

    Returns:
        A named tuple of ``Q`` and ``R``.

    Raises:
        RuntimeError: shape, dtype or *mode* does not fit; in the backward pass, there is no
            derivative in this mode.

    Gradient:
        Exists where the first k columns of A are independent; ``"reduced"`` alone has it for
        m > n.

    >>> import chainrule as cr
    >>> cr.linalg.qr(cr.tensor([[3.0], [4.0]])).R.abs()
    tensor([[5.]])
    """
    check_matrix("linalg.qr", A)
    check_floating("linalg.qr", A, half="geqrf_cpu")
    if mode not in {"reduced", "complete", "r"}:
        sentence = (
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', "
            "or 'complete'"
        )
        fail(ShapeError, sentence, "qr: see its Args.")
    return _qr(A, mode)


# Singular values


@primitive(nodes={"": "LinalgSvdBackward0"})
def _svd(A: Tensor, full_matrices: bool = False) -> svd_result:
    """Return singular vectors and values."""


def _svd_rule(cotangents: Any, U: Tensor, S: Tensor, Vh: Tensor, full_matrices: bool) -> Any:
    of_U, of_S, of_Vh = cotangents
    if of_U is None and of_S is None and of_Vh is None:
        return None
    k = S._array.shape[-1]
    if full_matrices:
        U, Vh = U[..., :k], Vh[..., :k, :]
        of_U = None if of_U is None else of_U[..., :k]
        of_Vh = None if of_Vh is None else of_Vh[..., :k, :]
    if of_U is None and of_Vh is None:
        return (U * of_S.to(U._key.dtype).unsqueeze(-2)) @ Vh
    return _svd_rule_of_vectors(of_U, of_S, of_Vh, U, S, Vh)


def _svd_rule_of_vectors(of_U: Any, of_S: Any, of_Vh: Any, U: Any, S: Any, Vh: Any) -> Any:
    """Return the gradient from those of vectors and values, in which only what turns counts.

    Source:
        M. Giles (2008), Collected matrix derivative results for forward and reverse mode
        algorithmic differentiation; Z.-Q. Wan and S.-X. Zhang (2019), arXiv:1909.02659, for the
        complex case.
    """
    turn_U = None if of_U is None else _skew(U.mH @ of_U)
    turn_V = None if of_Vh is None else _skew(Vh @ of_Vh.mH)
    if U._key.complex:
        _check_phase("svd", turn_U, turn_V)
    squares = S * S
    one = ops.eye(S._array.shape[-1], dtype=S._key.dtype, device=S._key.device)
    gaps = squares.unsqueeze(-2) - squares.unsqueeze(-1) + one
    inner = 0
    if turn_U is not None:
        inner = (turn_U / gaps) * S.unsqueeze(-2)
    if turn_V is not None:
        inner = inner + S.unsqueeze(-1) * (turn_V / gaps)
    inner = _with_diagonal(inner * (1 - one), of_S, turn_U, S, U)
    result = U @ (inner @ Vh)
    return result + _outside(of_U, of_Vh, U, S, Vh)


def _with_diagonal(inner: Any, of_S: Any, turn_U: Any, S: Any, U: Any) -> Any:
    """Return *inner* with the gradient of the values; of complex vectors, that of their phase."""
    if of_S is not None:
        inner = inner + of_S.to(U._key.dtype).diag_embed()
    if U._key.complex and turn_U is not None:
        inner = inner + (turn_U.diagonal(0, -2, -1) / (2 * S)).diag_embed()
    return inner


def _outside(of_U: Any, of_Vh: Any, U: Any, S: Any, Vh: Any) -> Any:
    """Return what moves the vectors out of the space that the others span."""
    m, n, k = U._array.shape[-2], Vh._array.shape[-1], S._array.shape[-1]
    found = 0
    if of_U is not None and m > k:
        scaled = of_U / S.unsqueeze(-2)
        found = (scaled - U @ (U.mH @ scaled)) @ Vh
    if of_Vh is not None and n > k:
        scaled = of_Vh / S.unsqueeze(-1)
        found = found + U @ (scaled - (scaled @ Vh.mH) @ Vh)
    return found


def _skew(x: Any) -> Any:
    return x - x.mH


def _check_phase(name: str, turn_U: Any, turn_V: Any) -> None:
    """Check that the loss does not depend on the phases of the vectors, which are arbitrary."""
    total = 0
    for turn in (turn_U, turn_V):
        if turn is not None:
            total = total + turn.detach().diagonal(0, -2, -1).imag
    size = 1e-2 if total._key.dtype.itemsize == 4 else 1e-4  # type: ignore[attr-defined]  # one is given
    if occurs(ops.abs(total) > size):  # type: ignore[arg-type]  # likewise
        sentence = (
            f"{name}_backward: The singular vectors in the complex case are specified up to "
            "multiplication by e^{i phi}. The specified loss function depends on this phase term, "
            "making it ill-defined."
        )
        fail(LinAlgError, sentence, f"{name}: use absolute values or products with the adjoint.")


_svd.vjp(A=_svd_rule)


@primitive
def _svdvals(A: Tensor) -> Tensor:
    """Return the singular values alone: where nothing is recorded."""


_svdvals.vjp(A=None)


def _check_svd(A: Any) -> None:
    check_matrix("linalg.svd", A)
    check_floating("linalg.svd", A, half="linalg_svd_cpu")


@composite
def linalg_svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> svd_result:
    """Return the factors of ``A = U diag(S) Vh``: singular vectors and values.

    Args:
        A: ``(*, m, n)``, float32, float64 or complex.
        full_matrices: Complete the vectors to bases: U is ``(*, m, m)``, Vh ``(*, n, n)``.
        driver: Of CUDA alone.

    Returns:
        A named tuple of ``U``, ``(*, m, k)``, ``S``, real, ``(*, k)``, from the largest on, and
        ``Vh``, ``(*, k, n)``; ``k = min(m, n)``.

    Raises:
        LinAlgError: *A* is not finite.
        RuntimeError: shape or dtype does not fit, or *driver* is given.

    Gradient:
        Of the values, ``U diag(grad) Vh``. That of vectors divides by the differences of squared
        values: it exists where no two are equal (and, of oblong matrices, none is zero).

    >>> import chainrule as cr
    >>> cr.linalg.svd(cr.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    _check_svd(A)
    _check_driver("svd", driver)
    return _svd(A, full_matrices)


def _check_driver(name: str, driver: str | None) -> None:
    if driver is not None:
        sentence = (
            f"torch.linalg.{name}: keyword argument `driver=` is only supported on CUDA inputs "
            "with cuSOLVER backend."
        )
        fail(DTypeError, sentence, f"{name}: leave it out.")


@composite
def linalg_svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """Return the singular values, from the largest on.

    Args:
        A: ``(*, m, n)``, float32, float64 or complex.
        driver: Of CUDA alone.

    Returns:
        ``(*, min(m, n))``, real.

    Raises:
        LinAlgError: *A* is not finite.
        RuntimeError: shape or dtype does not fit.

    Gradient:
        ``U diag(grad) Vh``.

    >>> import chainrule as cr
    >>> cr.linalg.svdvals(cr.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    _check_svd(A)
    _check_driver("svd", driver)
    return _svd(A, False)[1] if recording((A,)) else _svdvals(A)


# Eigenvalues of Hermitian matrices


@primitive(nodes={"": "LinalgEighBackward0"})
def linalg_eigh(A: Tensor, UPLO: str = "L") -> eigh_result:
    """Return eigenvalues and eigenvectors of a Hermitian matrix.

    Args:
        A: ``(*, n, n)``, float32, float64 or complex; only one triangle is read.
        UPLO: Which: ``"L"`` or ``"U"``.

    Returns:
        A named tuple of ``eigenvalues``, real, ``(*, n)``, from the smallest on, and
        ``eigenvectors``, ``(*, n, n)``, one a column.

    Raises:
        RuntimeError: shape, dtype or *UPLO* does not fit.

    Gradient:
        ``V (diag(grad_L) + skew(V^H grad_V) / gaps) V^H``, where ``gaps[i, j] = L[j] - L[i]``: that
        of vectors exists where no two eigenvalues are equal. It is Hermitian, though one triangle
        alone is read.

    >>> import chainrule as cr
    >>> cr.linalg.eigh(cr.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """


@linalg_eigh.checks
def _check_eigh(A: Tensor, UPLO: str) -> None:
    check_square("linalg.eigh", A)
    check_kernel_dtype("eigh", A, "linalg_eigh_cpu")
    if UPLO.upper() not in {"L", "U"}:
        sentence = f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}"
        fail(ShapeError, sentence, "eigh: which triangle holds the matrix?")


def _eigh_rule(cotangents: Any, eigenvalues: Tensor, eigenvectors: Tensor) -> Any:
    of_L, of_V = cotangents
    L, V = eigenvalues, eigenvectors
    if of_V is None:
        return None if of_L is None else (V * of_L.to(V._key.dtype).unsqueeze(-2)) @ V.mH
    inner = V.mH @ of_V
    if V._key.complex:
        _check_phase("linalg_eigh", inner - inner.mH, None)
    gaps = L.unsqueeze(-2) - L.unsqueeze(-1)
    one = ops.eye(L._array.shape[-1], dtype=L._key.dtype, device=L._key.device)
    inner = (inner - inner.mH) / 2 / (gaps + one)  # what turns the vectors; its diagonal is zero
    if of_L is not None:
        inner = inner + of_L.to(V._key.dtype).diag_embed()
    return V @ (inner @ V.mH)


linalg_eigh.vjp(A=_eigh_rule)


@primitive
def _eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """Return the eigenvalues alone: where nothing is recorded."""


_eigvalsh.vjp(A=None)


@composite
def linalg_eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """Return the eigenvalues of a Hermitian matrix, from the smallest on.

    Args:
        A: ``(*, n, n)``, float32, float64 or complex; only one triangle is read.
        UPLO: Which: ``"L"`` or ``"U"``.

    Returns:
        ``(*, n)``, real.

    Raises:
        RuntimeError: shape, dtype or *UPLO* does not fit.

    Gradient:
        ``V diag(grad) V^H``.

    >>> import chainrule as cr
    >>> cr.linalg.eigvalsh(cr.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    _check_eigh(A, UPLO)
    return linalg_eigh(A, UPLO)[0] if recording((A,)) else _eigvalsh(A, UPLO)


# Eigenvalues


@primitive(nodes={"": "LinalgEigBackward0"})
def _eig(self: Tensor) -> eig_result:
    """Return eigenvalues and eigenvectors, complex."""


def _eig_rule(cotangents: Any, eigenvalues: Tensor, eigenvectors: Tensor) -> Any:
    """Return the gradient.

    Source:
        C. Boeddeker et al. (2017), On the computation of complex-valued gradients with application
        to statistically optimum beamforming, arXiv:1701.00392, section 4.77.
    """
    from .matrix_inverse import _solve_ex

    of_L, of_V = cotangents
    L, V = eigenvalues, eigenvectors
    if of_L is None and of_V is None:
        return None
    if of_V is None:
        inner = of_L.unsqueeze(-1) * V.mH
    else:
        turned = V.mH @ of_V
        _check_eigenvector_phase(turned)
        lengths = turned.diagonal(0, -2, -1).real.to(V._key.dtype)
        inner = turned - V.mH @ (V * lengths.unsqueeze(-2))
        gaps = conj(L.unsqueeze(-2) - L.unsqueeze(-1))
        one = ops.eye(L._array.shape[-1], dtype=L._key.dtype, device=L._key.device)
        inner = inner / (gaps + one) * (1 - one)
        if of_L is not None:
            inner = inner + of_L.diag_embed()
        inner = inner @ V.mH
    return _solve_ex(V.mH, inner)[0]


def _check_eigenvector_phase(turned: Any) -> None:
    imaginary = turned.detach().diagonal(0, -2, -1).imag
    size = 1e-2 if imaginary._key.dtype.itemsize == 4 else 1e-4
    if occurs(imaginary.abs() > size):
        sentence = (
            "linalg_eig_backward: The eigenvectors in the complex case are specified up to "
            "multiplication by e^{i phi}. The specified loss function depends on this quantity, so "
            "it is ill-defined."
        )
        fail(LinAlgError, sentence, "eig: use absolute values or products with the adjoint.")


_eig.vjp(self=_eig_rule)


@primitive
def _eigvals(self: Tensor) -> Tensor:
    """Return the eigenvalues alone: where nothing is recorded."""


_eigvals.vjp(self=None)


def _check_eig(name: str, A: Any) -> None:
    check_square(name, A)
    if not A._key.floating:
        sentence = f"Unknown Complex ScalarType for {A._key.dtype.scalar_name}"
        fail(DTypeError, sentence, "eig: convert with .to(torch.float32) first.")
    check_kernel_dtype("eig", A, "linalg_eig_out_cpu")
    if occurs(ops.isfinite(A.detach()).logical_not()):
        sentence = "torch.linalg.eig: input tensor should not contain infs or NaNs."
        fail(LinAlgError, sentence, "eig: look where they come from.")


@composite
def linalg_eig(self: Tensor) -> eig_result:
    """Return eigenvalues and eigenvectors of a square matrix.

    Args:
        self: ``(*, n, n)``, float32, float64 or complex.

    Returns:
        A named tuple of ``eigenvalues``, ``(*, n)``, and ``eigenvectors``, ``(*, n, n)``, one a
        column, of length 1; both complex.

    Raises:
        RuntimeError: shape or dtype does not fit, or *self* is not finite.

    Gradient:
        Exists where no two eigenvalues are equal, of functions that do not depend on the phases of
        the vectors.

    >>> import chainrule as cr
    >>> cr.linalg.eig(cr.tensor([[0.0, -1.0], [1.0, 0.0]])).eigenvalues
    tensor([0.+1.j, 0.-1.j])
    """
    _check_eig("linalg.eig", self)
    return _eig(self)


@composite
def linalg_eigvals(self: Tensor) -> Tensor:
    """Return the eigenvalues of a square matrix, complex, in no order.

    Args:
        self: ``(*, n, n)``, float32, float64 or complex.

    Returns:
        ``(*, n)``, complex.

    Raises:
        RuntimeError: shape or dtype does not fit, or *self* is not finite.

    Gradient:
        ``V^-H diag(grad) V^H``.

    >>> import chainrule as cr
    >>> cr.linalg.eigvals(cr.tensor([[0.0, -1.0], [1.0, 0.0]]))
    tensor([0.+1.j, 0.-1.j])
    """
    _check_eig("linalg.eigvals", self)
    return _eig(self)[0] if recording((self,)) else _eigvals(self)
