"""Kernels of the factorisations: what LAPACK has, batched, and LU and substitution of our own.

The namespace's ``linalg`` multiplies, solves and decomposes whole batches. It has neither an LU
factorisation nor a triangular solver, and where a matrix is singular it raises for all of a batch
without saying which: then the slow way here finds out. Loops run over the columns of a matrix (or
over blocks of them), never over a batch.
"""

from __future__ import annotations

from typing import Any

from chainrule.backend import Array, KernelSet

ks = KernelSet("xp")

#: Columns that are eliminated one by one before the rest is updated with one product.
PANEL = 32
#: Below this size a triangular system is solved row by row.
ROWS = 16


def batched(a: Array) -> Array:
    """Return *a* with its batch dimensions made one."""
    return a.reshape(-1, *a.shape[-2:]) if a.size else a.reshape(_count(a), *a.shape[-2:])


def _count(a: Array) -> int:
    count = 1
    for size in a.shape[:-2]:
        count *= size
    return count


def magnitude(xp: Any, x: Array) -> Array:
    """Return what LAPACK compares pivots by: |re| + |im|."""
    return xp.abs(x.real) + xp.abs(x.imag) if x.dtype.kind == "c" else xp.abs(x)


def substitute(xp: Any, a: Array, b: Array, *, unit: bool) -> Array:
    """Return X with ``a X = b`` for the lower triangles *a*; what is above them is not read."""
    n = a.shape[-1]
    if n > ROWS:
        half = n // 2
        top = substitute(xp, a[..., :half, :half], b[..., :half, :], unit=unit)
        rest = b[..., half:, :] - xp.matmul(a[..., half:, :half], top)
        bottom = substitute(xp, a[..., half:, half:], rest, unit=unit)
        return xp.concatenate([top, bottom], axis=-2)
    # A zero times b, broadcast: room for the result in its shape and dtype.
    x = xp.zeros((*xp.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), b.dtype)
    for i in range(n):
        row = b[..., i, :]
        if i:
            row = row - xp.matmul(a[..., i : i + 1, :i], x[..., :i, :])[..., 0, :]
        x[..., i, :] = row if unit else row / a[..., i, i, None]
    return x


def solve_triangular(
    xp: Any, a: Array, b: Array, *, upper: bool, left: bool = True, unit: bool = False
) -> Array:
    """Return X with ``a X = b`` (``X a = b`` if not *left*) for triangles *a*."""
    if not left:
        solved = solve_triangular(
            xp, a.swapaxes(-2, -1), b.swapaxes(-2, -1), upper=not upper, unit=unit
        )
        return solved.swapaxes(-2, -1)
    if upper:
        flipped = substitute(xp, a[..., ::-1, ::-1], b[..., ::-1, :], unit=unit)
        return xp.ascontiguousarray(flipped[..., ::-1, :])  # no stride is negative in PyTorch
    return substitute(xp, a, b, unit=unit)


@ks.family("cr::linalg_solve_triangular")
def linalg_solve_triangular(xp: Any) -> Any:
    def kernel(
        a: Array, b: Array, *, upper: bool, left: bool = True, unitriangular: bool = False
    ) -> Array:
        return solve_triangular(xp, a, b, upper=upper, left=left, unit=unitriangular)

    return kernel


# LU


def eliminate(xp: Any, a: Array) -> tuple[Array, Array, Array]:
    """Return both factors in one matrix, the pivots counted from 1, and the first zero pivot.

    Gaussian elimination with partial pivoting, right-looking, by panels.

    Source:
        G. H. Golub and C. F. Van Loan, Matrix Computations, section "Block LU with partial
        pivoting".
    """
    lu = xp.array(batched(a))
    count, m, n = lu.shape
    k = min(m, n)
    pivots = xp.zeros((count, k), xp.int32)
    info = xp.zeros((count,), xp.int32)
    every = xp.arange(count)
    for start in range(0, k, PANEL):
        stop = min(start + PANEL, k)
        for j in range(start, stop):
            pivots[:, j], zero = _eliminate_column(xp, lu, j, stop, every)
            info = xp.where(zero & (info == 0), j + 1, info)
        if stop < n:
            block = lu[:, start:stop, start:stop]
            lu[:, start:stop, stop:] = substitute(xp, block, lu[:, start:stop, stop:], unit=True)
            lu[:, stop:, stop:] -= xp.matmul(lu[:, stop:, start:stop], lu[:, start:stop, stop:])
    batch = a.shape[:-2]
    return (
        lu.reshape(a.shape),
        pivots.reshape(*batch, k),
        info.reshape(batch).astype(xp.int32),
    )


def _eliminate_column(xp: Any, lu: Array, j: int, stop: int, every: Array) -> tuple[Array, Array]:
    """Swap the largest element of column *j* to the diagonal, and clear what is below it."""
    pivot = xp.argmax(magnitude(xp, lu[:, j:, j]), axis=1) + j
    top = xp.array(lu[:, j])
    lu[:, j] = lu[every, pivot]
    lu[every, pivot] = top
    diagonal = lu[:, j, j]
    zero = diagonal == 0
    lu[:, j + 1 :, j] /= xp.where(zero, xp.ones_like(diagonal), diagonal)[:, None]
    lu[:, j + 1 :, j + 1 : stop] -= lu[:, j + 1 :, j, None] * lu[:, j, None, j + 1 : stop]
    return pivot + 1, zero


def permutation(xp: Any, pivots: Array, m: int) -> Array:
    """Return the order of the rows that *pivots* stand for: row i of P^T A is row order[i] of A."""
    flat = pivots.reshape(-1, pivots.shape[-1]) if pivots.size else pivots.reshape(
        _count(pivots[..., None]), pivots.shape[-1]
    )  # fmt: skip
    every = xp.arange(flat.shape[0])
    order = xp.zeros((flat.shape[0], m), xp.int64) + xp.arange(m)
    for j in range(flat.shape[1]):
        other = flat[:, j] - 1
        top = xp.array(order[:, j])
        order[:, j] = order[every, other]
        order[every, other] = top
    return order.reshape(*pivots.shape[:-1], m)


@ks.family("cr::_lu_factor_ex")
def lu_factor_ex(xp: Any) -> Any:
    def kernel(a: Array, *, pivot: bool = True) -> tuple[Array, Array, Array]:
        return eliminate(xp, a)

    return kernel


@ks.family("cr::_pivots_to_matrix")
def pivots_to_matrix(xp: Any) -> Any:
    def kernel(pivots: Array, like: Array, *, m: int) -> Array:
        order = permutation(xp, pivots, m)
        return (order[..., None, :] == xp.arange(m)[:, None]).astype(like.dtype)

    return kernel


@ks.family("cr::_lu_solve")
def lu_solve(xp: Any) -> Any:
    def kernel(
        lu: Array, pivots: Array, b: Array, *, left: bool = True, adjoint: bool = False
    ) -> Array:
        return solve_factored(xp, lu, pivots, b, left=left, adjoint=adjoint)

    return kernel


def solve_factored(
    xp: Any, lu: Array, pivots: Array, b: Array, *, left: bool = True, adjoint: bool = False
) -> Array:
    """Return X with ``A X = b`` from the factors of A (A^H if *adjoint*; X from the other side)."""
    if not left:
        # X A = B is A^H X^H = B^H.
        right = solve_factored(xp, lu, pivots, _adjoint(b), adjoint=not adjoint)
        return _adjoint(right)
    m = lu.shape[-1]
    order = permutation(xp, pivots, m)[..., None]
    shape = (*xp.broadcast_shapes(lu.shape[:-2], b.shape[:-2]), *b.shape[-2:])
    wide = xp.broadcast_to(b, shape)
    order = xp.broadcast_to(order, (*shape[:-1], 1))
    if not adjoint:
        rows = xp.take_along_axis(wide, order, axis=-2)
        lower = solve_triangular(xp, lu, rows, upper=False, unit=True)
        return solve_triangular(xp, lu, lower, upper=True)
    upper = solve_triangular(xp, _adjoint(lu), wide, upper=False)
    lower = solve_triangular(xp, _adjoint(lu), upper, upper=True, unit=True)
    return xp.take_along_axis(lower, xp.argsort(order, axis=-2), axis=-2)


def _adjoint(x: Array) -> Array:
    turned = x.swapaxes(-2, -1)
    return turned.conj() if x.dtype.kind == "c" else turned


# Inverse, determinant, solution


def no_info(xp: Any, a: Array) -> Array:
    return xp.zeros(a.shape[:-2], xp.int32)


@ks.family("cr::linalg_inv_ex")
def linalg_inv_ex(xp: Any) -> Any:
    def kernel(a: Array, *, check_errors: bool = False) -> tuple[Array, Array]:
        try:
            return xp.linalg.inv(a), no_info(xp, a)
        except xp.linalg.LinAlgError:
            lu, pivots, info = eliminate(xp, a)
            identity = xp.broadcast_to(xp.eye(a.shape[-1], dtype=a.dtype), a.shape)
            return solve_factored(xp, lu, pivots, identity), info

    return kernel


@ks.family("cr::linalg_det")
def linalg_det(xp: Any) -> Any:
    def kernel(a: Array) -> Array:
        return xp.linalg.det(a)

    return kernel


@ks.family("cr::linalg_slogdet")
def linalg_slogdet(xp: Any) -> Any:
    def kernel(a: Array) -> tuple[Array, Array]:
        sign, logarithm = xp.linalg.slogdet(a)
        return sign, logarithm

    return kernel


@ks.family("cr::_solve_ex")
def solve_ex(xp: Any) -> Any:
    def kernel(a: Array, b: Array, *, left: bool = True) -> tuple[Array, Array]:
        if b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1]):
            result, info = kernel(a, b[..., None])
            return result[..., 0], info
        try:
            if left:
                return xp.linalg.solve(a, b), no_info(xp, a)
            solved = xp.linalg.solve(a.swapaxes(-2, -1), b.swapaxes(-2, -1))
            return solved.swapaxes(-2, -1), no_info(xp, a)
        except xp.linalg.LinAlgError:
            lu, pivots, info = eliminate(xp, a)
            return solve_factored(xp, lu, pivots, b, left=left), info

    return kernel


# Cholesky


@ks.family("cr::_cholesky_ex")
def cholesky_ex(xp: Any) -> Any:
    def kernel(a: Array, *, upper: bool = False) -> tuple[Array, Array]:
        if upper:
            lower, info = kernel(_adjoint(a))
            return _adjoint(lower), info
        if not a.size:
            return xp.zeros(a.shape, a.dtype), no_info(xp, a)
        try:
            lower = xp.linalg.cholesky(a)
        except xp.linalg.LinAlgError:
            return cholesky_by_columns(xp, a)
        missing = xp.isnan(xp.diagonal(lower, axis1=-2, axis2=-1))  # where not told to fail
        first = xp.argmax(missing, axis=-1) + 1
        return lower, xp.where(missing.any(axis=-1), first, 0).astype(xp.int32)

    return kernel


def cholesky_by_columns(xp: Any, a: Array) -> tuple[Array, Array]:
    """Return the factors, and the order of the first minor that is not positive."""
    lower = xp.tril(batched(a))
    count, n = lower.shape[:2]
    info = xp.zeros((count,), xp.int32)
    for j in range(n):
        row = lower[:, j, :j]
        minor = lower[:, j, j].real - xp.sum((row * row.conj()).real, axis=-1)
        info = xp.where((info == 0) & ~(minor > 0), j + 1, info)
        good = info == 0
        root = xp.sqrt(xp.where(good, minor, 1.0))
        product = xp.matmul(lower[:, j + 1 :, :j], row.conj()[..., None])[..., 0]
        column = lower[:, j + 1 :, j] - product
        lower[:, j + 1 :, j] = xp.where(
            good[:, None], column / root[:, None].astype(a.dtype), lower[:, j + 1 :, j]
        )
        first = info == j + 1
        lower[:, j, j] = xp.where(good, root, xp.where(first, minor, lower[:, j, j].real))
    return lower.reshape(a.shape), info.reshape(a.shape[:-2]).astype(xp.int32)


# Reflections


@ks.family("cr::geqrf")
def geqrf(xp: Any) -> Any:
    def kernel(a: Array) -> tuple[Array, Array]:
        if not a.size:
            return xp.array(a), xp.zeros((*a.shape[:-2], min(a.shape[-2:])), a.dtype)
        turned, tau = xp.linalg.qr(a, mode="raw")
        return turned.swapaxes(-2, -1), tau

    return kernel


@ks.family("cr::linalg_householder_product")
def linalg_householder_product(xp: Any) -> Any:
    def kernel(a: Array, tau: Array) -> Array:
        made = xp.zeros(a.shape, a.dtype) + xp.eye(*a.shape[-2:], dtype=a.dtype)
        for i in reversed(range(tau.shape[-1])):
            v = reflector(xp, a, i)
            inner = xp.matmul(_adjoint(v), made)
            made = made - tau[..., i, None, None] * (v * inner)
        return made

    return kernel


def reflector(xp: Any, a: Array, i: int) -> Array:
    """Return the vector of the reflection *i*: zeros, a one, and what is below the diagonal."""
    v = xp.array(a[..., :, i : i + 1])
    v[..., :i, :] = 0
    v[..., i, :] = 1
    return v
