"""Functions of matrices made of their decompositions: pseudo-inverse, rank, exponential, norms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import dtypes, ops
from ..errors import DTypeError, ShapeError
from ..op import NOT_IMPLEMENTED, composite, primitive
from ..shapes import wrap_dim
from ..typeinfo import finfo
from ..value import Value
from ._operands import occurs
from .complex import conj
from .linalg_checks import fail
from .linalg_matmul import _squeezed
from .matrix_checks import check_matrix, check_square
from .matrix_inverse import linalg_inv_ex
from .matrix_spectral import linalg_eigh, linalg_eigvalsh, linalg_svd, linalg_svdvals
from .norms import vector_norm
from .return_types import geqrf as geqrf_result
from .return_types import linalg_lstsq as lstsq_result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..dtypes import DType
    from ..tensor import Tensor

__all__ = [
    "geqrf", "linalg_cond", "linalg_householder_product", "linalg_lstsq", "linalg_matrix_exp",
    "linalg_matrix_norm", "linalg_matrix_rank", "linalg_norm", "linalg_pinv", "linalg_vander",
    "linalg_vecdot", "ormqr",
]  # fmt: skip

_INF = float("inf")


def _tolerances(A: Any, largest: Any, atol: Any, rtol: Any) -> Any:
    """Return up to which size a singular value counts as zero, per matrix."""
    relative: Any = rtol
    absolute: Any = 0.0 if atol is None else atol
    if rtol is None:
        relative = finfo(A._key.dtype).eps * max(A._array.shape[-2:])
        if isinstance(absolute, Value):
            given: Any = absolute
            relative = ops.where(given > 0, 0.0, relative)
        elif absolute > 0:
            relative = 0.0
    relative = (relative[..., None] if hasattr(relative, "_key") else relative) * largest
    if isinstance(absolute, Value):
        wide: Any = absolute
        return ops.maximum(wide[..., None].to(relative._key.dtype), relative)
    return relative.clamp(min=absolute)


# Pseudo-inverse


@composite(nodes={"": "LinalgPinvBackward0"})
def _pinv(self: Tensor, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Tensor:
    """Return the pseudo-inverse, from singular values (eigenvalues, if Hermitian)."""
    if hermitian:
        values, V = linalg_eigh(self)
        sizes = values.abs()
        largest = sizes.amax(-1, keepdim=True) if sizes.numel() else sizes
        kept = sizes > _tolerances(self, largest, atol, rtol)
        scaled: Tensor = V * _inverse_where(kept, values).to(V._key.dtype).unsqueeze(-2)
        return scaled @ V.mH
    U, S, Vh = linalg_svd(self, full_matrices=False)
    kept = _tolerances(self, S[..., :1], atol, rtol) < S
    made: Tensor = (Vh.mH * _inverse_where(kept, S).to(U._key.dtype).unsqueeze(-2)) @ U.mH
    return made


def _inverse_where(kept: Any, values: Any) -> Any:
    return ops.where(kept, 1 / ops.where(kept, values, 1), 0)


def pinv_rule(grad: Any, A: Any, P: Any) -> Any:
    """Return the gradient of a pseudo-inverse *P* of constant rank.

    Source:
        G. H. Golub and V. Pereyra (1973), SIAM J. Numer. Anal. 10, 413, theorem 4.3.
    """
    adjoint = grad.mH
    result = -(P.mH @ (grad @ P.mH))
    inner = (adjoint @ P) @ P.mH
    result = result + inner - A @ (P @ inner)
    inner = P.mH @ (P @ adjoint)
    return result + inner - (inner @ P) @ A


_pinv.vjp(self=lambda grad, self, result: pinv_rule(grad, self, result))


@composite
def linalg_pinv(
    self: Tensor,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
) -> Tensor:
    """Return the Moore-Penrose inverse.

    Args:
        self: ``(*, m, n)``, float32, float64 or complex.
        rcond: The older name of *rtol*.
        hermitian: Use that *self* is Hermitian: only its lower triangle is read.
        atol: Up to this size, a number or ``(*)``, a singular value counts as zero.
        rtol: Likewise, relative to the largest; by default ``max(m, n) * eps``, and 0 with *atol*.

    Returns:
        ``(*, n, m)``.

    Raises:
        RuntimeError: shape or dtype does not fit.

    Gradient:
        That of matrices of the same rank.

    >>> import chainrule as cr
    >>> cr.linalg.pinv(cr.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    shape = list(self._array.shape) if isinstance(self, Value) else []
    if len(shape) < 2 or not self._key.floating or self._key.dtype.itemsize == 2:
        sentence = (
            f"linalg.pinv({self._key.dtype.scalar_name}{{{shape}}}): expected a tensor with 2 or "
            "more dimensions of float, double, cfloat or cdouble types"
        )
        fail(DTypeError, sentence, "pinv: convert or reshape first.")
    if hermitian:
        check_square("linalg.pinv", self)
    return _pinv(self, atol, rcond if rtol is None else rtol, hermitian)


@composite
def linalg_matrix_rank(
    A: Tensor,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
) -> Tensor:
    """Return the number of singular values that are not zero, to rounding.

    Args:
        A: ``(*, m, n)``, float32, float64 or complex.
        tol: The older name of *atol*, with *rtol* 0.
        hermitian: Use that *A* is Hermitian.
        atol: Up to this size, a number or ``(*)``, a singular value counts as zero.
        rtol: Likewise, relative to the largest; by default ``max(m, n) * eps``, and 0 with *atol*.

    Returns:
        int64 ``(*)``.

    Raises:
        RuntimeError: shape or dtype does not fit.

    >>> import chainrule as cr
    >>> cr.linalg.matrix_rank(cr.ones(2, 2))
    tensor(1)
    """
    name = "torch.linalg.matrix_rank"
    check_matrix(name, A, "input")
    if not A._key.floating or A._key.dtype.itemsize == 2:
        sentence = "This function doesn't handle types other than float and double"
        fail(DTypeError, sentence, "matrix_rank: convert with .to(torch.float32) first.")
    A = A.detach()
    if tol is not None:
        atol, rtol = tol, 0.0
    if not A.numel():
        return ops.zeros(tuple(A._array.shape[:-2]), dtype=dtypes.int64, device=A.device)
    S: Any = linalg_eigvalsh(A).abs() if hermitian else linalg_svdvals(A)
    return (_tolerances(A, S.amax(-1, keepdim=True), atol, rtol) < S).sum(-1)


# Least squares


@primitive(
    nodes={"": "LinalgLstsqBackward0"},
    outputs=("solution", "rank", "singular_values"),
    saves=("solution",),
)
def _lstsq(self: Tensor, b: Tensor, *, rcond: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return the shortest solution for matrices *b*, the rank and the singular values."""


def _lstsq_rule_of_matrix(grad: Any, self: Any, b: Any) -> Any:
    return pinv_rule(grad @ b.mH, self, linalg_pinv(self))


def _adjoint_solution(grad: Any, self: Any) -> Any:
    inverse: Any = linalg_pinv(self)
    return inverse.mH @ grad


_lstsq.vjp(
    self=lambda grad, self, b: _lstsq_rule_of_matrix(grad, self, b),
    b=lambda grad, self: _adjoint_solution(grad, self),
)

_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


@composite
def linalg_lstsq(
    self: Tensor, b: Tensor, rcond: float | None = None, *, driver: str | None = None
) -> lstsq_result:
    """Return X for which ``|self X - b|`` is least, and of these the shortest.

    Args:
        self: ``(*, m, n)``, float32, float64 or complex.
        b: ``(*, m, k)``, or vectors ``(*, m)``; of the same dtype.
        rcond: Up to this part of the largest, a singular value counts as zero; by default
            ``max(m, n) * eps``.
        driver: ``"gelsy"`` (the default), ``"gels"``, ``"gelsd"`` or ``"gelss"``: which of the
            outputs are filled. The algorithm is the same.

    Returns:
        A named tuple of ``solution``, ``(*, n, k)``; ``residuals``, the squared lengths of what
        remains, ``(*, k)``, empty for ``"gelsy"``, and unless m > n and all have full rank;
        ``rank``, int64 ``(*)``, empty for ``"gels"``; ``singular_values``, empty but for the last
        two drivers.

    Raises:
        RuntimeError: shapes, dtypes or *driver* do not fit.

    Gradient:
        That of ``pinv(self) @ b``.

    Differs from PyTorch:
        Solves by singular values, whatever *driver* says.

    >>> import chainrule as cr
    >>> cr.linalg.lstsq(cr.tensor([[1.0], [1.0]]), cr.tensor([[1.0], [3.0]])).solution
    tensor([[2.0000]])
    """
    vector = _check_lstsq(self, b, driver)
    driver = driver or "gelsy"
    wide = b.unsqueeze(-1) if vector else b
    m, n = self._array.shape[-2:]
    if rcond is None:
        rcond = finfo(self._key.dtype).eps * max(m, n)
    solution, rank, values = _lstsq(self, wide, rcond=rcond)
    residuals = ops.empty(0, dtype=values._key.dtype, device=values.device)
    if m > n and driver != "gelsy" and not occurs(rank != n):
        away = self @ solution - wide
        residuals = (away * conj(away)).real.sum(-2)
    none = ops.empty(0, dtype=dtypes.int64, device=values.device)
    empty = ops.empty(0, dtype=values._key.dtype, device=values.device)
    return lstsq_result(
        (
            _squeezed(solution, -1) if vector else solution,
            residuals,
            none if driver == "gels" else rank,
            values.detach() if driver in {"gelsd", "gelss"} else empty,
        )
    )


def _check_lstsq(a: Any, b: Any, driver: str | None) -> bool:
    """Check the arguments; return whether *b* holds vectors."""
    problem = ""
    one, two = a._array.shape, b._array.shape
    if not a._key.floating or a._key.dtype.itemsize == 2:
        sentence = "This function doesn't handle types other than float and double"
        fail(DTypeError, sentence, "lstsq: convert with .to(torch.float32) first.")
    if len(one) < 2:
        problem = "input must have at least 2 dimensions."
    elif len(two) < 1:
        problem = "other must have at least 1 dimension."
    elif a._key.dtype is not b._key.dtype:
        names = a._key.dtype.scalar_name, b._key.dtype.scalar_name
        problem = (
            "Expected input and other to have the same dtype, but got input's dtype "
            f"{names[0]} and other's dtype {names[1]}"
        )
    elif not 0 <= len(one) - len(two) <= 1:
        problem = (
            "input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) "
            "<= 1"
        )
    elif driver is not None and driver not in _DRIVERS:
        problem = f"parameter `driver` should be one of ({', '.join(_DRIVERS)})"
    vector = len(one) - 1 == len(two) and tuple(two) == tuple(one[:-1])
    if not problem and one[-2] != two[-1 if vector or len(two) < len(one) else -2]:
        side = -1 if len(two) < len(one) else -2
        problem = f"input.size(-2) should match other.size({side})"
    if problem:
        fail(ShapeError, f"torch.linalg.lstsq: {problem}", "lstsq: see its Args.")
    return vector


# Exponential


@primitive(nodes={"": "LinalgMatrixExpBackward0"})
def linalg_matrix_exp(self: Tensor) -> Tensor:
    """Return the exponential of a square matrix.

    Args:
        self: ``(*, n, n)``, floating or complex.

    Returns:
        ``(*, n, n)``.

    Raises:
        RuntimeError: shape or dtype does not fit.

    Gradient:
        The upper right block of ``exp([[self^H, grad], [0, self^H]])``.

    Source:
        N. J. Higham (2005), SIAM J. Matrix Anal. Appl. 26, 1179; for the gradient I. Najfeld and
        T. F. Havel (1995), Adv. Appl. Math. 16, 321.

    >>> import chainrule as cr
    >>> cr.linalg.matrix_exp(cr.zeros(1, 1))
    tensor([[1.]])
    """


@linalg_matrix_exp.checks
def _check_exp(self: Tensor) -> None:
    check_square("linalg.matrix_exp", self)
    if not self._key.floating:
        sentence = (
            "linalg.matrix_exp: Expected a floating point or complex tensor as input. Got "
            f"{self._key.dtype.scalar_name}"
        )
        fail(DTypeError, sentence, "matrix_exp: convert with .to(torch.float32) first.")


def _exp_rule(grad: Any, self: Any) -> Any:
    n = self._array.shape[-1]
    adjoint = self.mH
    upper = ops.cat([adjoint, grad], -1)
    lower = ops.cat([adjoint * 0, adjoint], -1)
    return linalg_matrix_exp(ops.cat([upper, lower], -2))[..., :n, n:]


linalg_matrix_exp.vjp(self=_exp_rule)


# Norms


def _two_dims(name: str, A: Any, dim: Any) -> tuple[int, int]:
    ndim = len(A._array.shape)
    dims = tuple(dim)
    if len(dims) != 2:
        sentence = f"{name}: dim must be a 2-tuple. Got {', '.join(map(str, dims))}"
        fail(ShapeError, sentence, f"{name}: a matrix has two dimensions.")
    first, second = (wrap_dim(d, ndim) for d in dims)
    if first == second:
        sentence = f"{name}: dims must be different. Got ({dims[0]}, {dims[1]})"
        fail(ShapeError, sentence, f"{name}: rows and columns.")
    return first, second


@composite
def linalg_matrix_norm(
    self: Tensor,
    ord: float | str = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """Return the norm of matrices.

    Args:
        self: ``(*, m, n)``, floating or complex.
        ord: ``"fro"``: the length of all elements; ``"nuc"``: the sum of the singular values; 2 and
            -2: the largest and the smallest of them; 1 and -1: of the sums of absolute values over
            columns; ∞ and -∞: over rows.
        dim: Which dimensions are rows and columns.
        keepdim: Keep them with size 1.
        dtype: Cast to it first.

    Returns:
        ``(*)``, real.

    Raises:
        RuntimeError: shape, dtype, *ord* or *dim* does not fit.

    Gradient:
        That of `vector_norm`, of `svdvals`, or of `amax`.

    >>> import chainrule as cr
    >>> cr.linalg.matrix_norm(cr.tensor([[3.0, 0.0], [0.0, 4.0]]), "nuc")
    tensor(7.)
    """
    name = "linalg.matrix_norm"
    check_matrix(name, self)
    if not self._key.floating:
        sentence = (
            f"{name}: Expected a floating point or complex tensor as input. Got "
            f"{self._key.dtype.scalar_name}"
        )
        fail(DTypeError, sentence, "matrix_norm: convert with .to(torch.float32) first.")
    rows, columns = _two_dims(name, self, dim)
    if ord == "fro":
        return vector_norm(self, 2, (rows, columns), keepdim, dtype=dtype)
    A = self if dtype is None else self.to(dtype)
    if ord == "nuc" or (not isinstance(ord, str) and abs(ord) == 2):
        return _norm_of_values(A, ord, rows, columns, keepdim)
    if isinstance(ord, str) or abs(ord) not in {1, _INF}:
        sentence = (
            f"{name}: Order {ord if isinstance(ord, str) else format(ord, 'g')} not supported."
        )
        fail(ShapeError, sentence, "matrix_norm: see its Args.")
    if abs(ord) == _INF:
        rows, columns = columns, rows
    sums = vector_norm(A, 1, (rows,), keepdim, dtype=None)
    if columns > rows and not keepdim:
        columns -= 1
    return sums.amax(columns, keepdim) if ord > 0 else sums.amin(columns, keepdim)


def _norm_of_values(A: Any, ord: Any, rows: int, columns: int, keepdim: bool) -> Any:
    values = linalg_svdvals(A.movedim((rows, columns), (-2, -1)))
    extreme = values.sum if ord == "nuc" else values.amax if ord > 0 else values.amin
    if not keepdim:
        return extreme(-1)
    return extreme(-1, True).unsqueeze(-1).movedim((-2, -1), (rows, columns))


@composite
def linalg_norm(
    self: Tensor,
    ord: float | str | None = None,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """Return the norm of a vector or of a matrix, as *dim* and *ord* say.

    Args:
        self: ``(*)``, floating or complex.
        ord: That of `vector_norm`, or of `matrix_norm`; None for the length of all elements.
        dim: One dimension for vectors, two for matrices; None for all.
        keepdim: Keep the dimensions with size 1.
        dtype: Cast to it first.

    Returns:
        ``(*)``, real.

    Raises:
        RuntimeError: shape, dtype, *ord* or *dim* does not fit.

    Gradient:
        That of `vector_norm` or `matrix_norm`.

    >>> import chainrule as cr
    >>> cr.linalg.norm(cr.tensor([3.0, 4.0]))
    tensor(5.)
    """
    ndim = len(self._array.shape)
    dims = (dim,) if isinstance(dim, int) else dim
    if dims is not None and len(dims) not in {1, 2} and ord is not None:
        sentence = (
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}"
        )
        fail(ShapeError, sentence, "norm: one for vectors, two for matrices.")
    if dims is None and ord is not None and not isinstance(ord, str) and ndim not in {1, 2}:
        sentence = (
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
            f"{ndim}D."
        )
        fail(ShapeError, sentence, "norm: say which dimensions are meant.")
    if isinstance(ord, str) or (
        ord is not None and ((dims is not None and len(dims) == 2) or (dims is None and ndim == 2))
    ):
        pair: Any = (-2, -1) if dims is None else dims
        return linalg_matrix_norm(self, ord, pair, keepdim, dtype=dtype)
    return vector_norm(self, 2 if ord is None else ord, dims, keepdim, dtype=dtype)


@composite
def linalg_cond(self: Tensor, p: float | str | None = None) -> Tensor:
    """Return the condition number: the norm of a matrix times that of its inverse.

    Args:
        self: ``(*, m, n)``; square, if *p* is neither None nor 2 nor -2.
        p: The order of the norm, as in `matrix_norm`; None for 2.

    Returns:
        ``(*)``, real; infinite for singular matrices.

    Raises:
        RuntimeError: shape, dtype or *p* does not fit.

    >>> import chainrule as cr
    >>> cr.linalg.cond(cr.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(1.3333)
    """
    if len(self._array.shape) < 2:
        sentence = "linalg.cond: The input tensor must have at least 2 dimensions."
        fail(ShapeError, sentence, "cond: expected a matrix or a batch of them.")
    if p is None or (not isinstance(p, str) and abs(p) == 2):
        values = linalg_svdvals(self)
        large, small = values[..., :1], values[..., -1:]
        return (small / large if p == -2 else large / small).squeeze(-1)
    if isinstance(p, str) and p not in {"fro", "nuc"}:
        sentence = f"linalg.cond got an invalid norm type: {p}"
        fail(ShapeError, sentence, "cond: expected a number, 'fro' or 'nuc'.")
    named = p if isinstance(p, str) else format(p, "g")
    check_square(f"linalg.cond(ord={named})", self)
    if not self.numel():
        return ops.zeros(tuple(self._array.shape[:-2]), dtype=self._key.dtype.to_real())
    inverse, info = linalg_inv_ex(self)
    inverse = ops.where((info != 0)[..., None, None], _INF, inverse)
    product = linalg_matrix_norm(self, p) * linalg_matrix_norm(inverse, p)
    return product.nan_to_num(_INF, _INF, -_INF)


# Others


@composite
def linalg_vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Return the inner product of vectors: the sum of ``conj(x) * y`` over *dim*.

    Args:
        x: ``(*, n)``, floating or complex.
        y: ``(*, n)`` that broadcasts with *x*, of the same dtype.
        dim: The dimension of the vectors.

    Returns:
        ``(*)``.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    >>> import chainrule as cr
    >>> cr.linalg.vecdot(cr.ones(2, 3), cr.ones(3))
    tensor([3., 3.])
    """
    if x._key.dtype is not y._key.dtype or not x._key.floating:
        names = x._key.dtype.scalar_name, y._key.dtype.scalar_name
        sentence = (
            f"linalg.vecdot: Expected a floating point or complex tensor as input. Got {names[0]}"
            if names[0] == names[1]
            else "linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{names[0]} and y of type {names[1]} instead"
        )
        fail(DTypeError, sentence, "vecdot: convert one of them.")
    if len(x._array.shape) == len(y._array.shape) == 1:
        return ops.vdot(x, y)
    return (conj(x) * y).sum(dim)


@composite
def linalg_vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Return the powers 0 to N - 1 of the elements, as rows.

    Args:
        x: ``(*, n)``.
        N: The number of columns; None for n.

    Returns:
        ``(*, n, N)``, in int64 for integers.

    Raises:
        RuntimeError: *N* is smaller than 2, or *x* has no dimension.

    >>> import chainrule as cr
    >>> cr.linalg.vander(cr.tensor([2, 3]), N=3)
    tensor([[1, 2, 4],
            [1, 3, 9]])
    """
    shape = tuple(x._array.shape)
    count = (shape[-1] if shape else 1) if N is None else N
    if count <= 1:
        fail(ShapeError, "N must be greater than 1.", f"vander: got {count}.")
    if not shape:
        x, shape = x.reshape(1), (1,)
    if not x._key.floating:
        x = x.to(dtypes.int64)
    powers = x.unsqueeze(-1).expand(*shape, count - 1).cumprod(-1)
    return ops.cat([ops.ones_like(powers[..., :1]), powers], -1)


# Reflections


@primitive(nodes={"": "LinalgHouseholderProductBackward0"}, saves=("result",))
def linalg_householder_product(input: Tensor, tau: Tensor) -> Tensor:
    """Return the first columns of a product of reflections, as `geqrf` gives them.

    Args:
        input: ``(*, m, n)``: below its diagonal the vectors of the reflections.
        tau: ``(*, k)``: their factors.

    Returns:
        ``(*, m, n)``.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    Gradient:
        Pulled back through one reflection after the other.

    >>> import chainrule as cr
    >>> cr.linalg.householder_product(cr.tensor([[0.0], [1.0]]), cr.tensor([1.0]))
    tensor([[ 0.],
            [-1.]])
    """


@linalg_householder_product.checks
def _check_householder(input: Tensor, tau: Tensor) -> None:
    name = "torch.linalg.householder_product"
    shape, count = input._array.shape, tau._array.shape[-1] if tau._array.shape else 0
    problem = ""
    if len(shape) < 2:
        problem = "input must have at least 2 dimensions."
    elif shape[-2] < shape[-1]:
        problem = "input.shape[-2] must be greater than or equal to input.shape[-1]"
    elif shape[-1] < count:
        problem = "input.shape[-1] must be greater than or equal to tau.shape[-1]"
    elif input._key.dtype is not tau._key.dtype:
        names = tau._key.dtype.scalar_name, input._key.dtype.scalar_name
        problem = f"tau dtype {names[0]} does not match input dtype {names[1]}"
    if problem:
        fail(ShapeError, f"{name}: {problem}", "householder_product: expected what geqrf() gives.")


def _reflectors(A: Any, count: int) -> list[Any]:
    """Return the vectors of the reflections, as columns: zeros, a one, what is below."""
    one = ops.eye(*A._array.shape[-2:], dtype=A._key.dtype, device=A.device)
    lower = A.tril(-1) + one
    return [lower[..., :, i : i + 1] for i in range(count)]


def householder_rule(grad: Any, input: Any, tau: Any) -> Any:
    """Return the gradients of the vectors and the factors.

    The product is built from the last reflection on: ``Z[i] = Z[i+1] - tau v v^H Z[i+1]``.
    """
    count = tau._array.shape[-1]
    vectors = _reflectors(input, count)
    one = ops.eye(*input._array.shape[-2:], dtype=input._key.dtype, device=input.device)
    partial = [one.expand(input._array.shape)]
    for i in reversed(range(count)):
        z = partial[-1]
        partial.append(z - tau[..., i, None, None] * (vectors[i] @ (vectors[i].mH @ z)))
    of_vectors, of_tau = [], []
    for i in range(count):
        z, v, factor = partial[count - 1 - i], vectors[i], tau[..., i, None, None]
        inner, pulled = v.mH @ z, v.mH @ grad
        of_tau.append(-(conj(inner) * pulled).sum((-2, -1)))
        of_v = -conj(factor) * (grad @ inner.mH) - factor * (z @ pulled.mH)
        rows = ops.arange(input._array.shape[-2], device=input.device)[:, None]
        of_vectors.append(ops.where(rows > i, of_v, 0))
        grad = grad - conj(factor) * (v @ pulled)
    if not count:
        return input * 0, tau * 0
    of_A = ops.cat(of_vectors, -1)
    missing = input._array.shape[-1] - count
    if missing:
        of_A = ops.cat([of_A, (input * 0)[..., :, count:]], -1)
    return of_A, ops.stack(of_tau, -1)


linalg_householder_product.vjp(
    input=lambda grad, input, tau: householder_rule(grad, input, tau)[0],  # noqa: A006 - PyTorch's name
    tau=lambda grad, input, tau: householder_rule(grad, input, tau)[1],  # noqa: A006 - likewise
)


@primitive
def geqrf(self: Tensor) -> geqrf_result:
    """Return a QR factorisation as LAPACK holds it: R, and the reflections below it.

    Args:
        self: ``(*, m, n)``, float32, float64 or complex.

    Returns:
        A named tuple of ``a``, ``(*, m, n)``, and ``tau``, ``(*, min(m, n))``.

    Raises:
        RuntimeError: shape or dtype does not fit; in the backward pass: use `linalg.qr`.

    >>> import chainrule as cr
    >>> cr.geqrf(cr.tensor([[3.0], [4.0]])).a[0].abs()
    tensor([5.])
    """


geqrf.vjp(self=NOT_IMPLEMENTED("use linalg.qr()"))


@composite(nodes={"": "OrmqrBackward0"}, saves=("result",))
def _ormqr(
    self: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False
) -> Tensor:
    """Return the product with the orthogonal matrix."""
    Q = linalg_householder_product(_square(self), input2)
    Q = Q.mH if transpose else Q
    return Q @ input3 if left else input3 @ Q


def _square(A: Any) -> Any:
    """Return *A* with zero columns, so that it is square: the whole orthogonal matrix is wanted."""
    m, k = A._array.shape[-2:]
    if k == m:
        return A
    rest = ops.zeros(*A._array.shape[:-1], m - k, dtype=A._key.dtype, device=A.device)
    return ops.cat([A, rest], -1)


def _ormqr_rule(
    grad: Any, self: Any, input2: Any, input3: Any, left: bool, transpose: bool
) -> tuple[Any, Any]:
    """Return the gradients of the reflections and their factors."""
    of_Q = grad @ input3.mH if left else input3.mH @ grad
    of_A, of_tau = householder_rule(of_Q.mH if transpose else of_Q, _square(self), input2)
    return of_A[..., : self._array.shape[-1]], of_tau


_ormqr.vjp(
    self=lambda grad, self, input2, input3, left, transpose: _ormqr_rule(
        grad, self, input2, input3, left, transpose
    )[0],
    input2=lambda grad, self, input2, input3, left, transpose: _ormqr_rule(
        grad, self, input2, input3, left, transpose
    )[1],
    input3=lambda grad, self, input2, left, transpose: _ormqr(
        self, input2, grad, left, not transpose
    ),
)


@composite
def ormqr(
    self: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False
) -> Tensor:
    """Return the product of *input3* with the orthogonal matrix that `geqrf` gives.

    Args:
        self: ``(*, m, k)``, the reflections.
        input2: ``(*, k)``, their factors.
        input3: ``(*, m, n)``, or ``(*, n, m)`` if not *left*.
        left: The orthogonal matrix stands on the left.
        transpose: Take its adjoint.

    Returns:
        As *input3*.

    Gradient:
        Through `linalg.householder_product`.

    >>> import chainrule as cr
    >>> a, tau = cr.geqrf(cr.eye(2))
    >>> cr.ormqr(a, tau, cr.ones(2, 1)).abs()
    tensor([[1.],
            [1.]])
    """
    if len(self._array.shape) < 2:
        sentence = "torch.ormqr: input must have at least 2 dimensions."
        fail(ShapeError, sentence, "ormqr: expected what geqrf() gives.")
    rows = input3._array.shape[-2 if left else -1] if len(input3._array.shape) > 1 else 0
    if input2._array.shape[-1:] != (min(rows, self._array.shape[-1]),):
        where = "-2" if left else "-1"
        sentence = (
            "torch.ormqr: tau.shape[-1] must be equal to min(other.shape["
            f"{where}], input.shape[-1])"
        )
        fail(ShapeError, sentence, "ormqr: expected what geqrf() gives.")
    return _ormqr(self, input2, input3, left, transpose)
