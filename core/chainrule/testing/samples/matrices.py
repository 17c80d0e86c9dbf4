"""Samples of the decompositions: chainrule/ops/matrix_*.py.

Matrices are near a multiple of the identity, so that finite differences are near the truth. What
reads one triangle of a Hermitian matrix has its derivatives checked in tests/ops/test_matrices.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import linalg, ops
from ..cases import ErrorSample, OpCase, Sample
from .arithmetic import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...tensor import Tensor
    from ..maker import Maker

DTYPES = ("float32", "float64", "complex64", "complex128")
REAL = ("float32", "float64")
#: Several products and quotients in a row.
LOOSE = {"float32": 2e-5, "complex64": 2e-5, "float64": 1e-11, "complex128": 1e-11}


def regular(make: Maker, *shape: int, by: float = 3.0) -> Tensor:
    """Return matrices of *shape* that are well conditioned."""
    drawn = make(*shape, low=-1.0, high=1.0, requires_grad=False)
    one = ops.eye(*shape[-2:], dtype=drawn.dtype, device=drawn.device)
    made: Tensor = drawn + by * one
    return made.requires_grad_(make.requires_grad)


def positive(make: Maker, *shape: int) -> Tensor:
    """Return Hermitian positive-definite matrices."""
    half = regular(make, *shape).detach()
    made: Tensor = half @ half.mH
    return made.requires_grad_(make.requires_grad)


def _square(make: Maker) -> Iterator[Sample]:
    yield Sample(regular(make, 3, 3))
    yield Sample(regular(make, 2, 2, 2))
    yield Sample(make(0, 0))
    yield Sample(make(0, 2, 2))
    yield Sample(regular(make, 3, 3).detach().transpose(0, 1).requires_grad_(make.requires_grad))


def _filled(make: Maker) -> Iterator[Sample]:
    yield from (s for s in _square(make) if s.args[0].numel())


def _oblong(make: Maker) -> Iterator[Sample]:
    yield Sample(regular(make, 3, 3))
    yield Sample(regular(make, 4, 2))
    yield Sample(regular(make, 2, 4))
    yield Sample(regular(make, 2, 3, 2))


def _or_empty(make: Maker) -> Iterator[Sample]:
    yield from _oblong(make)
    yield Sample(make(0, 3))
    yield Sample(make(3, 0))
    yield Sample(make(0, 2, 3))


def _hermitian(make: Maker) -> Iterator[Sample]:
    yield Sample(positive(make, 3, 3))
    yield Sample(positive(make, 2, 2, 2))
    yield Sample(make(0, 0))


def _systems(make: Maker) -> Iterator[Sample]:
    yield Sample(regular(make, 3, 3), make(3, 2))
    yield Sample(regular(make, 3, 3), make(3))
    yield Sample(regular(make, 2, 3, 3), make(2, 3))
    yield Sample(regular(make, 2, 3, 3), make(3, 2))
    yield Sample(regular(make, 3, 3), make(2, 3), left=False)
    yield Sample(make(0, 0), make(0, 2))


def _solve(np: Any, a: Any, b: Any, left: bool = True) -> Any:
    if b.ndim == 1 or b.shape == a.shape[:-1]:
        return np.linalg.solve(a, b[..., None])[..., 0]
    if left:
        return np.linalg.solve(a, b)
    return np.swapaxes(np.linalg.solve(np.swapaxes(a, -2, -1), np.swapaxes(b, -2, -1)), -2, -1)


def _triangular(make: Maker) -> Iterator[Sample]:
    for left in (True, False):
        for upper in (True, False):
            yield Sample(regular(make, 3, 3), make(3, 3), upper=upper, left=left)
    yield Sample(regular(make, 2, 2, 2), make(2, 3), upper=False, unitriangular=True)
    yield Sample(regular(make, 20, 20, by=9.0), make(20, 1), upper=False)
    yield Sample(make(0, 0), make(0, 2), upper=True)


def _triangle(
    np: Any, a: Any, b: Any, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    a = np.triu(a) if upper else np.tril(a)
    if unitriangular:
        n = a.shape[-1]
        a = a * (1 - np.eye(n)) + np.eye(n)
    return _solve(np, a, b, left)


def _factored(make: Maker) -> Iterator[Sample]:
    LU, pivots = linalg.lu_factor(make(3, 3).detach())
    for left in (True, False):
        for adjoint in (True, False):
            yield Sample(
                LU.clone().requires_grad_(make.requires_grad), pivots, make(3, 3),
                left=left, adjoint=adjoint,
            )  # fmt: skip
    LU, pivots = linalg.lu_factor(regular(make, 2, 2, 2).detach())
    yield Sample(LU.requires_grad_(make.requires_grad), pivots, make(2, 1))


def _held(make: Maker) -> Iterator[Sample]:
    LU, pivots = linalg.lu_factor(make(3, 2).detach())
    yield Sample(LU, pivots)
    yield Sample(LU, pivots, False)
    yield Sample(LU, pivots, True, False)


def _solved_by_factors(make: Maker) -> Iterator[Sample]:
    LU, pivots = linalg.lu_factor(make(3, 3).detach())
    yield Sample(make(3, 1), LU, pivots)


def _cholesky_factors(make: Maker) -> Iterator[Sample]:
    for upper in (False, True):
        factor = linalg.cholesky(positive(make, 3, 3).detach(), upper=upper)
        yield Sample(factor, upper)


def _cholesky_systems(make: Maker) -> Iterator[Sample]:
    for sample in _cholesky_factors(make):
        yield Sample(make(3, 2), *sample.args)


def _reflections(make: Maker) -> Iterator[Sample]:
    for shape, count in (((3, 3), 3), ((4, 3), 2), ((2, 3, 2), 2)):
        yield Sample(make(*shape), make(*shape[:-2], count))


def _turned(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 3), make(3), make(3, 2))
    yield Sample(make(3, 2), make(2), make(3, 2), True, True)
    yield Sample(make(3, 2), make(2), make(2, 3), False)


def _least_squares(make: Maker) -> Iterator[Sample]:
    yield Sample(regular(make, 4, 2), make(4, 3))
    yield Sample(regular(make, 2, 4), make(2, 1))
    yield Sample(regular(make, 2, 3, 3), make(2, 3))
    yield Sample(regular(make, 4, 2), make(4, 1), driver="gels")


def _norms(make: Maker) -> Iterator[Sample]:
    for order in ("fro", "nuc", 2, -2, 1, -1, float("inf"), -float("inf")):
        yield Sample(regular(make, 3, 2), order)
    yield Sample(regular(make, 2, 3, 2), "nuc", (0, 2), True)
    yield Sample(regular(make, 2, 3, 2), 1, (2, 1))


def _mixed_norms(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3))
    yield Sample(make(3), 3)
    yield Sample(regular(make, 3, 3), "nuc")
    yield Sample(regular(make, 3, 3), 2)
    yield Sample(make(2, 3), 1, 1)
    yield Sample(make(2, 3, 2), float("inf"), (0, 1), True)


def _vandermonde(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3))
    yield Sample(make(2, 3), N=4)


def _inner(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3), make(3))
    yield Sample(make(2, 3), make(3))
    yield Sample(make(2, 3), make(2, 3), dim=0)


def _tensors(make: Maker) -> Iterator[Sample]:
    yield Sample(regular(make, 4, 4).detach().reshape(2, 2, 4).requires_grad_(make.requires_grad))
    yield Sample(regular(make, 3, 3), ind=1)


def _tensor_systems(make: Maker) -> Iterator[Sample]:
    flat = regular(make, 4, 4).detach()
    yield Sample(flat.reshape(2, 2, 4).requires_grad_(make.requires_grad), make(2, 2))
    yield Sample(
        flat.reshape(2, 2, 4).movedim(1, 2).requires_grad_(make.requires_grad), make(2, 2), (1,)
    )


def _diagonals(make: Maker) -> Iterator[Sample]:
    yield Sample(make(2, 3))
    yield Sample(make(2, 3, 3), offset=1)
    yield Sample(make(2, 3, 3), dim1=0, dim2=1)


def _wrong_square(name: str) -> Callable[[Maker], Iterator[ErrorSample]]:
    def errors(make: Maker) -> Iterator[ErrorSample]:
        sizes = "A must be batches of square matrices, but they are 2 by 3 matrices"
        yield refused(Sample(make(2, 3)), f"linalg.{name}: {sizes}")
        ndim = "The input tensor A must have at least 2 dimensions."
        yield refused(Sample(make(3)), f"linalg.{name}: {ndim}")

    return errors


def _singular(make: Maker) -> Iterator[ErrorSample]:
    yield from _wrong_square("inv")(make)


def _indefinite(make: Maker) -> Iterator[Sample]:
    """Give symmetric matrices that have blocks of two, one in a batch, one of no rows."""
    for shape in ((4, 4), (2, 3, 3), (0, 0)):
        x = make(*shape).detach()
        yield Sample(x - x.tril(-1) + x.triu(1).mT, hermitian=False)
    x = make(3, 3).detach()
    yield Sample(x + x.mH, hermitian=True)
    yield Sample(make.of([[0.0, 1.0], [1.0, 0.0]]).detach())


def _symmetric_systems(make: Maker) -> Iterator[Sample]:
    for sample in _indefinite(make):
        factors, width = linalg.ldl_factor(*sample.args, **sample.kwargs), sample.args[0].shape
        yield Sample(*factors, make(*width[:-1], 2), **sample.kwargs)


def _no_square(make: Maker) -> Iterator[ErrorSample]:
    words = "torch.linalg.ldl_factor_ex: A must be batches of square matrices"
    yield refused(Sample(make(2, 3)), words)
    yield refused(Sample(make(2)), "torch.linalg.ldl_factor_ex: The input tensor A must have")


def _pivots_of_another(make: Maker) -> Iterator[ErrorSample]:
    LD, pivots = linalg.ldl_factor(positive(make, 2, 2).detach())
    words = "torch.linalg.ldl_solve: Expected "
    yield refused(Sample(LD, pivots[:1], make(2, 1)), words + "LD.shape")
    yield refused(Sample(LD, pivots.double(), make(2, 1)), words + "pivots to be integers")
    yield refused(Sample(LD, pivots, make(3, 1)), "Incompatible matrix sizes")
    yield refused(Sample(LD, pivots, make(2, 1).double()), "Expected b and A to have the same")


def _few(make: Maker) -> Iterator[Sample]:
    yield Sample(make(5, 3).detach(), 2)
    yield Sample(make(2, 3, 5).detach(), q=2, niter=1)


def _few_values(make: Maker) -> Iterator[Sample]:
    yield Sample(positive(make, 6, 6).detach(), 2)
    yield Sample(
        positive(make, 2, 3, 3).detach(), 1, positive(make, 2, 3, 3).detach(), largest=False
    )


def plain(samples: Callable[[Maker], Iterator[Sample]]) -> Callable[[Maker], Iterator[Sample]]:
    """Return *samples* of which nothing requires grad: what is made of them is arbitrary."""

    def detached(make: Maker) -> Iterator[Sample]:
        for sample in samples(make):
            yield Sample(*(a.detach() for a in sample.args), **sample.kwargs)

    return detached


def _of(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda np, a, **_: function(np.linalg)(a)


def matrix(name: str, samples: Any, reference: Any = None, **options: Any) -> OpCase:
    """Return the case of a function of matrices."""
    options.setdefault("tolerance", LOOSE)
    return OpCase(name, samples, reference, options.pop("dtypes", DTYPES), **options)


def _matrix_powers(make: Maker) -> Iterator[Sample]:
    yield Sample(regular(make, 3, 3), -2)


cases = [
    matrix("linalg.inv", _square, _of(lambda la: la.inv), errors=_singular),
    matrix("linalg.inv_ex", _square, errors=_singular),
    matrix("linalg.det", _square, _of(lambda la: la.det), errors=_wrong_square("det")),
    matrix("linalg.slogdet", _square, errors=_wrong_square("slogdet")),
    matrix("logdet", _hermitian, dtypes=REAL),
    matrix("linalg.solve", _systems, _solve),
    matrix("linalg.solve_ex", _systems),
    matrix("linalg.solve_triangular", _triangular, _triangle),
    matrix("linalg.cholesky", _hermitian, _of(lambda la: la.cholesky), grad=False,
           errors=_wrong_square("cholesky")),
    matrix("linalg.cholesky_ex", _hermitian, grad=False),
    matrix("cholesky", _hermitian, grad=False),
    matrix("cholesky_solve", _cholesky_systems, grad=False),
    matrix("cholesky_inverse", _cholesky_factors, grad=False),
    matrix("linalg.qr", _or_empty),
    matrix("qr", _oblong),
    # Vectors are LAPACK's up to a sign or a phase: tests/ops/test_matrices.py.
    matrix("linalg.svd", plain(_or_empty), grad=False, deterministic=False),
    matrix("svd", plain(_oblong), grad=False, deterministic=False),
    matrix("linalg.svdvals", _or_empty, lambda np, a: np.linalg.svd(a, compute_uv=False) if a.size
           else np.zeros((*a.shape[:-2], min(a.shape[-2:])))),
    matrix("linalg.eigh", plain(_hermitian), grad=False, deterministic=False,
           errors=_wrong_square("eigh")),
    matrix("linalg.eigvalsh", _hermitian, _of(lambda la: la.eigvalsh), grad=False),
    matrix("linalg.eig", _filled, grad=False, deterministic=False),
    matrix("linalg.eigvals", _filled, grad=False, deterministic=False),
    matrix("linalg.pinv", _or_empty, _of(lambda la: la.pinv)),
    matrix("pinverse", _oblong, _of(lambda la: la.pinv)),
    matrix("linalg.matrix_rank", _oblong, _of(lambda la: la.matrix_rank), grad=False),
    matrix("linalg.lstsq", _least_squares),
    matrix("linalg.matrix_exp", _square, errors=_wrong_square("matrix_exp")),
    matrix("linalg.matrix_norm", _norms),
    matrix("linalg.norm", _mixed_norms),
    matrix("linalg.cond", _filled, _of(lambda la: la.cond)),
    matrix("linalg.vander", _vandermonde),
    matrix("linalg.vecdot", _inner),
    matrix("linalg.tensorinv", _tensors),
    matrix("linalg.tensorsolve", _tensor_systems),
    matrix("linalg.diagonal", _diagonals),
    matrix("linalg.lu", _or_empty),
    matrix("linalg.lu_factor", _oblong),
    matrix("linalg.lu_factor_ex", _or_empty),
    matrix("linalg.lu_solve", _factored),
    matrix("linalg.ldl_factor", _indefinite, grad=False),
    matrix("linalg.ldl_factor_ex", _indefinite, grad=False, errors=_no_square),
    matrix("linalg.ldl_solve", _symmetric_systems, errors=_pivots_of_another),
    # Vectors up to a sign or a phase, and random numbers: tests/ops/test_matrices.py.
    matrix("lobpcg", _few_values, dtypes=REAL, grad=False, deterministic=False),
    matrix("svd_lowrank", _few, grad=False, deterministic=False),
    matrix("pca_lowrank", _few, grad=False, deterministic=False),
    matrix("lu", _oblong, grad=False),
    matrix("lu_solve", _solved_by_factors, grad=False),
    matrix("lu_unpack", _held, grad=False),
    matrix("triangular_solve", lambda make: [Sample(make(3, 2), regular(make, 3, 3))]),
    matrix("linalg.householder_product", _reflections),
    matrix("geqrf", plain(_oblong), grad=False),
    matrix("ormqr", _turned),
    matrix("linalg.matrix_power", _matrix_powers),
]  # fmt: skip
