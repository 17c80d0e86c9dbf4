"""Kernels of QR, singular and eigenvalues, least squares and the exponential of a matrix."""

from __future__ import annotations

from typing import Any

from chainrule.backend import Array, KernelSet
from chainrule.errors import LinAlgError

from .decompositions import _adjoint

ks = KernelSet("xp")


def _failed(name: str, a: Array, xp: Any) -> LinAlgError:
    """Return the error for an algorithm that did not converge, in PyTorch's words."""
    finite = bool(xp.all(xp.isfinite(a)).item())
    reason = (
        "the input matrix is ill-conditioned or has too many repeated singular values"
        if finite
        else "the input matrix contained non-finite values"
    )
    return LinAlgError(
        f"linalg.{name}: The algorithm failed to converge because {reason}.\n"
        f"{name}: got a matrix of shape {tuple(a.shape)}."
    )


@ks.family("cr::_qr")
def qr(xp: Any) -> Any:
    def kernel(a: Array, *, mode: str = "reduced") -> tuple[Array, Array]:
        m, n = a.shape[-2:]
        if not a.size:
            return _empty_qr(xp, a, m, n, mode)
        if mode == "r":
            return xp.zeros((0,), a.dtype), xp.linalg.qr(a, mode="r")
        q, r = xp.linalg.qr(a, mode=mode)
        return q, r

    return kernel


def _empty_qr(xp: Any, a: Array, m: int, n: int, mode: str) -> tuple[Array, Array]:
    k = m if mode == "complete" else min(m, n)
    q = xp.zeros((*a.shape[:-2], m, k), a.dtype) + xp.eye(m, k, dtype=a.dtype)
    return (xp.zeros((0,), a.dtype) if mode == "r" else q), xp.zeros((*a.shape[:-2], k, n), a.dtype)


@ks.family("cr::_svd")
def svd(xp: Any) -> Any:
    def kernel(a: Array, *, full_matrices: bool = False) -> tuple[Array, Array, Array]:
        if not a.size:
            return _empty_svd(xp, a, full_matrices=full_matrices)
        try:
            u, s, vh = xp.linalg.svd(a, full_matrices=full_matrices)
        except xp.linalg.LinAlgError:
            raise _failed("svd", a, xp) from None
        return u, s, vh

    return kernel


def _empty_svd(xp: Any, a: Array, *, full_matrices: bool) -> tuple[Array, Array, Array]:
    (*batch, m, n), k = a.shape, min(a.shape[-2:])
    rows, columns = (m, n) if full_matrices else (k, k)
    u = xp.zeros((*batch, m, rows), a.dtype) + xp.eye(m, rows, dtype=a.dtype)
    vh = xp.zeros((*batch, columns, n), a.dtype) + xp.eye(columns, n, dtype=a.dtype)
    return u, xp.zeros((*batch, k), a.real.dtype), vh


@ks.family("cr::_svdvals")
def svdvals(xp: Any) -> Any:
    def kernel(a: Array) -> Array:
        if not a.size:
            return xp.zeros((*a.shape[:-2], min(a.shape[-2:])), a.real.dtype)
        try:
            return xp.linalg.svd(a, compute_uv=False)
        except xp.linalg.LinAlgError:
            raise _failed("svd", a, xp) from None

    return kernel


@ks.family("cr::linalg_eigh")
def linalg_eigh(xp: Any) -> Any:
    def kernel(a: Array, *, UPLO: str = "L") -> tuple[Array, Array]:
        if not a.size:
            return xp.zeros(a.shape[:-1], a.real.dtype), xp.zeros(a.shape, a.dtype)
        try:
            values, vectors = xp.linalg.eigh(a, UPLO=UPLO.upper())
        except xp.linalg.LinAlgError:
            if bool(xp.all(xp.isfinite(a)).item()):
                raise _failed("eigh", a, xp) from None
            nan = a * 0 * xp.nan
            return nan[..., 0].real, nan
        return values, vectors

    return kernel


@ks.family("cr::_eigvalsh")
def eigvalsh(xp: Any) -> Any:
    def kernel(a: Array, *, UPLO: str = "L") -> Array:
        if not a.size:
            return xp.zeros(a.shape[:-1], a.real.dtype)
        try:
            return xp.linalg.eigvalsh(a, UPLO=UPLO.upper())
        except xp.linalg.LinAlgError:
            return (a[..., 0] * 0 * xp.nan).real

    return kernel


def _complex_of(xp: Any, a: Array) -> Any:
    return xp.complex64 if a.real.dtype.itemsize == 4 else xp.complex128


@ks.family("cr::_eig")
def eig(xp: Any) -> Any:
    def kernel(a: Array) -> tuple[Array, Array]:
        wide = _complex_of(xp, a)
        if not a.size:
            return xp.zeros(a.shape[:-1], wide), xp.zeros(a.shape, wide)
        try:
            values, vectors = xp.linalg.eig(a)
        except xp.linalg.LinAlgError:
            raise _failed("eig", a, xp) from None
        return values.astype(wide), vectors.astype(wide)

    return kernel


@ks.family("cr::_eigvals")
def eigvals(xp: Any) -> Any:
    def kernel(a: Array) -> Array:
        wide = _complex_of(xp, a)
        if not a.size:
            return xp.zeros(a.shape[:-1], wide)
        try:
            return xp.linalg.eigvals(a).astype(wide)
        except xp.linalg.LinAlgError:
            raise _failed("eigvals", a, xp) from None

    return kernel


@ks.family("cr::_lstsq")
def lstsq(xp: Any) -> Any:
    solve = svd(xp)

    def kernel(a: Array, b: Array, *, rcond: float) -> tuple[Array, Array, Array]:
        u, s, vh = solve(a)
        largest = xp.max(s, axis=-1, keepdims=True) if s.shape[-1] else s
        kept = s > rcond * largest
        inverse = xp.where(kept, 1 / xp.where(kept, s, xp.ones_like(s)), xp.zeros_like(s))
        projected = inverse[..., None] * xp.matmul(_adjoint(u), b)
        return xp.matmul(_adjoint(vh), projected), xp.sum(kept, axis=-1), s

    return kernel


#: Numerator of the diagonal Padé approximant of order 13 to exp, lowest power first.
PADE = [
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000,
    10559470521600, 670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
]  # fmt: skip
#: Largest 1-norm at which the approximant is exact to float64.
PADE_REACH = 5.371920351148152


@ks.family("cr::linalg_matrix_exp")
def linalg_matrix_exp(xp: Any) -> Any:
    def kernel(a: Array) -> Array:
        if not a.size:
            return xp.array(a)
        half = a.dtype.kind == "f" and a.dtype.itemsize == 2
        return exponential(xp, a.astype(xp.float32) if half else a).astype(a.dtype)

    return kernel


def exponential(xp: Any, a: Array) -> Array:
    """Return the exponentials of square matrices.

    Source:
        N. J. Higham (2005), SIAM J. Matrix Anal. Appl. 26, 1179: scaling and squaring.
    """
    norm = xp.max(xp.sum(xp.abs(a), axis=-2), axis=-1)
    steps = xp.ceil(xp.log2(xp.maximum(norm / PADE_REACH, 1.0)))
    steps = xp.where(xp.isfinite(steps), steps, 0.0)[..., None, None]
    x = a / xp.exp2(steps).astype(a.real.dtype)
    result = _pade(xp, x)
    for step in range(int(xp.max(steps).item())):
        result = xp.where(steps > step, xp.matmul(result, result), result)
    return result


def _pade(xp: Any, x: Array) -> Array:
    b = [float(c) for c in PADE]
    one = xp.eye(x.shape[-1], dtype=x.dtype)
    x2 = xp.matmul(x, x)
    x4 = xp.matmul(x2, x2)
    x6 = xp.matmul(x4, x2)
    high = xp.matmul(x6, b[13] * x6 + b[11] * x4 + b[9] * x2)
    odd = xp.matmul(x, high + b[7] * x6 + b[5] * x4 + b[3] * x2 + b[1] * one)
    even = xp.matmul(x6, b[12] * x6 + b[10] * x4 + b[8] * x2)
    even = even + b[6] * x6 + b[4] * x4 + b[2] * x2 + b[0] * one
    return xp.linalg.solve(even - odd, even + odd)
