"""Decompositions: what they are made of multiplies to the matrix, and derivatives of any order.

The generated tests cover the rest. Here stands what a generated test cannot know: that a function
must not depend on signs and phases, and that a Hermitian matrix stays one when it is varied.
"""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.autograd import grad, gradcheck, gradgradcheck
from chainrule.testing.maker import Maker
from chainrule.testing.samples.matrices import positive, regular

DTYPES = pytest.mark.parametrize("dtype", [cr.float64, cr.complex128], ids=str)
SHAPES = pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 2)], ids=str)


@pytest.fixture
def make(dtype):
    return Maker(dtype, requires_grad=True)


def hermitian(x):
    return (x + x.mH) / 2


def assert_derivatives(function, *inputs):
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def near(x, y):
    return bool(cr.allclose(x, y, rtol=1e-10, atol=1e-10))


@DTYPES
@SHAPES
def test_factors_multiply_to_the_matrix(make, shape):
    x = make(*shape).detach()
    (u, s, vh), (q, r), (p, lower, upper) = cr.linalg.svd(x), cr.linalg.qr(x), cr.linalg.lu(x)
    k = s.shape[-1]

    assert near((u[..., :k] * s.unsqueeze(-2)) @ vh[..., :k, :], x)
    assert near(q @ r, x)
    assert near(p.to(x.dtype) @ lower @ upper, x)


@DTYPES
@SHAPES
def test_derivatives_of_singular_vectors(make, shape):
    def function(x):
        u, s, vh = cr.linalg.svd(x, full_matrices=False)
        return u.abs(), s, vh.abs(), (u * s.unsqueeze(-2)) @ vh

    assert_derivatives(function, make(*shape))


@DTYPES
@pytest.mark.parametrize("upper", [False, True])
def test_matrix_with_a_nan_is_not_positive_definite(dtype, upper):
    x = cr.eye(2, dtype=dtype).expand(3, 2, 2).clone()
    x[1, 1, 1] = float("nan")

    assert cr.linalg.cholesky_ex(x, upper=upper).info.tolist() == [0, 2, 0]


@DTYPES
def test_derivatives_of_the_cholesky_factor_and_what_is_solved_with_it(make):
    for upper in (False, True):

        def function(x, b, upper=upper):
            factor = cr.linalg.cholesky(hermitian(x), upper=upper)
            inverse = cr.cholesky_inverse(factor, upper)
            return factor, cr.cholesky_solve(b, factor, upper), inverse

        assert_derivatives(function, positive(make, 3, 3), make(3, 2))


@DTYPES
def test_derivatives_of_hermitian_eigenvalues_and_eigenvectors(make):
    def function(x):
        values, vectors = cr.linalg.eigh(hermitian(x))
        return values, vectors.abs(), cr.linalg.eigvalsh(hermitian(x))

    assert_derivatives(function, make(3, 3))


@DTYPES
def test_derivatives_of_eigenvalues_and_eigenvectors(make):
    def function(x):
        values, vectors = cr.linalg.eig(x)
        return values.abs().sort()[0], (vectors * values.unsqueeze(-2)) @ cr.linalg.inv(vectors)

    assert_derivatives(function, make(3, 3))


@pytest.mark.parametrize("dtype", [cr.float64], ids=str)
def test_gradient_of_the_determinant_of_a_singular_matrix(make):
    x = cr.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=cr.float64, requires_grad=True)
    (plain,) = grad(cr.linalg.det(x), x)
    (recorded,) = grad(cr.linalg.det(x), x, create_graph=True)

    assert near(plain, cr.tensor([[4.0, -2.0], [-2.0, 1.0]], dtype=cr.float64))
    assert near(plain, recorded)
    assert_derivatives(cr.linalg.det, x)
    rank_one = (make(3, 1) @ make(1, 3)).detach().requires_grad_()
    assert_derivatives(cr.linalg.det, rank_one)


@DTYPES
def test_pseudo_inverse_of_a_matrix_without_full_rank_has_a_gradient(make):
    def function(left, right):
        return cr.linalg.pinv(left @ right, rtol=1e-8)

    assert_derivatives(function, regular(make, 4, 2), regular(make, 2, 3))


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (cr.linalg.inv, "linalg.inv: (Batch element 1): The diagonal element 1 is zero"),
        (lambda x: cr.linalg.solve(x, x), "torch.linalg.solve: (Batch element 1): The solver"),
        (cr.linalg.cholesky, "linalg.cholesky: (Batch element 1): The factorization could not"),
        (cr.linalg.lu_factor, "torch.linalg.lu_factor: (Batch element 1): U[1,1] is zero"),
    ],
)
def test_a_singular_matrix_is_named(function, sentence):
    x = cr.stack([cr.eye(2), cr.zeros(2, 2)])

    with pytest.raises(cr.linalg.LinAlgError) as caught:
        function(x)
    assert str(caught.value).startswith(sentence)


def test_what_can_be_inverted_is_inverted_beside_what_cannot():
    x = cr.stack([2 * cr.eye(2), cr.zeros(2, 2)])
    inverse, info = cr.linalg.inv_ex(x)
    factor, minors = cr.linalg.cholesky_ex(x)

    assert info.tolist() == [0, 1] == minors.tolist()
    assert near(inverse[0], 0.5 * cr.eye(2))
    assert cr.allclose(factor[0] @ factor[0].mT, x[0])


def test_infinite_and_missing_numbers_raise_where_an_algorithm_cannot_end():
    x = cr.full((2, 2), float("nan"))

    for function in (cr.linalg.svd, cr.linalg.svdvals, cr.linalg.eig):
        with pytest.raises(cr.linalg.LinAlgError):
            function(x)
    assert bool(cr.linalg.eigh(x).eigenvalues.isnan().all())


def test_a_loss_that_depends_on_the_phase_of_a_vector_is_refused():
    x = Maker(cr.complex128, requires_grad=True)(3, 3)
    u, _, _ = cr.linalg.svd(x)

    with pytest.raises(RuntimeError, match="svd_backward: The singular vectors"):
        u.imag.sum().backward()


def test_qr_says_where_it_has_no_derivative():
    x = cr.ones(3, 2, requires_grad=True)

    with pytest.raises(RuntimeError, match="not differentiable when mode='complete'"):
        cr.linalg.qr(x, "complete").R.sum().backward()
    with pytest.raises(RuntimeError, match="depends on Q, which is not computed"):
        cr.linalg.qr(x, "r").R.sum().backward()


def test_a_large_matrix_goes_through_panels_and_blocks():
    x = Maker(cr.float64)(100, 100)
    p, lower, upper = cr.linalg.lu(x)
    right = Maker(cr.float64, seed=1)(100, 3)

    assert near(p @ lower @ upper, x)
    assert near(upper @ cr.linalg.solve_triangular(upper, right, upper=True), right)
    assert cr.allclose(x @ cr.linalg.lu_solve(*cr.linalg.lu_factor(x), right), right, atol=1e-8)


def test_methods_and_functions_of_the_top_level_are_those_of_linalg():
    x = regular(Maker(cr.float64), 3, 3)

    assert near(x.det(), cr.linalg.det(x))
    assert near(x.inverse() @ x, cr.eye(3, dtype=cr.float64))
    assert near(cr.svd(x).V.mT, cr.linalg.svd(x).Vh)
    assert repr(x.slogdet()).startswith("torch.return_types.linalg_slogdet(")


def test_result_is_written_into_out():
    x, out = regular(Maker(cr.float64), 3, 3), cr.empty(3, 3, dtype=cr.float64)

    assert cr.linalg.inv(x, out=out) is out
    assert near(out @ x, cr.eye(3, dtype=cr.float64))


def test_least_squares_of_a_vector_is_no_view():
    x, y = regular(Maker(cr.float64), 4, 2), Maker(cr.float64)(4)
    with cr.no_grad():
        solution = cr.linalg.lstsq(x, y).solution

    assert not solution._is_view()
    assert solution.shape == (2,)


def test_least_squares_fills_the_outputs_that_the_driver_has():
    x, y = regular(Maker(cr.float64), 4, 2), Maker(cr.float64)(4, 1)
    found = {d: cr.linalg.lstsq(x, y, driver=d) for d in ("gels", "gelsy", "gelsd", "gelss")}

    assert {d: r.rank.numel() for d, r in found.items()} == {
        "gels": 0,
        "gelsy": 1,
        "gelsd": 1,
        "gelss": 1,
    }
    assert near(found["gelsd"].singular_values, cr.linalg.svdvals(x))
    assert near(found["gels"].residuals, ((x @ found["gels"].solution - y) ** 2).sum(0))
    with pytest.raises(RuntimeError, match="parameter `driver` should be one of"):
        cr.linalg.lstsq(x, y, driver="qr")


def test_solution_of_a_triangular_system_steps_forward_through_memory():
    triangle = cr.tensor([[2.0, 1.0], [0.0, 4.0]])

    solved = cr.linalg.solve_triangular(triangle, cr.eye(2), upper=True)

    assert min(solved.stride()) > 0


@DTYPES
@pytest.mark.parametrize("hermitian", [False, True])
def test_factors_of_symmetric_matrices_solve_systems(make, dtype, hermitian):
    x = make(3, 5, 5).detach()
    x, right = (x + x.mH if hermitian else x + x.mT), make(3, 5, 2)
    factors = cr.linalg.ldl_factor(x, hermitian=hermitian)
    solution = cr.linalg.ldl_solve(*factors, right, hermitian=hermitian)

    assert near(x @ solution, right)
    assert_derivatives(lambda b: cr.linalg.ldl_solve(*factors, b, hermitian=hermitian), right)


def test_block_of_two_is_chosen_where_the_diagonal_is_zero():
    factor, pivots = cr.linalg.ldl_factor(
        cr.tensor([[0.0, 2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    )

    assert pivots.tolist() == [-2, -2, 3]
    assert factor.tolist() == [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]


def test_block_that_is_zero_is_told():
    x = cr.zeros(2, 2)

    assert cr.linalg.ldl_factor_ex(x).info.item() == 1
    with pytest.raises(cr.linalg.LinAlgError, match=r"torch.linalg.ldl_factor: D\[1,1\] is zero"):
        cr.linalg.ldl_factor(x)
    with pytest.raises(cr.linalg.LinAlgError, match=r"\(Batch element 1\): D\[1,1\] is zero"):
        cr.linalg.ldl_factor_ex(cr.stack([cr.eye(2), x]), check_errors=True)


@DTYPES
@SHAPES
def test_few_singular_values_span_a_matrix_of_low_rank(make, shape):
    x = make(*shape).detach()
    low = x[..., :1] @ x[..., :1, :]
    for u, s, v in (
        cr.svd_lowrank(low, q=2),
        cr.svd_lowrank(low + 1, q=2, M=cr.ones_like(low[:1])),
    ):
        assert near((u * s.unsqueeze(-2)) @ v.mH, low)


@DTYPES
def test_principal_directions_are_those_of_the_centred_samples(make):
    x = make(6, 3).detach()
    u, s, v = cr.pca_lowrank(x)

    assert near((u * s.unsqueeze(-2)) @ v.mH, x - x.mean(0))
    with pytest.raises(ValueError, match="q\\(=4\\) must be non-negative integer"):
        cr.pca_lowrank(x, q=4)


@DTYPES
@pytest.mark.parametrize("largest", [True, False])
def test_extreme_eigenvalues_solve_the_generalised_problem(make, largest):
    x, weight = hermitian(make(6, 6)), positive(make, 6, 6).detach()
    values, vectors = cr.lobpcg(x, 2, weight, largest=largest)

    assert near(x @ vectors, weight @ vectors * values)
    assert bool(values[0] > values[1]) is largest
    assert_derivatives(lambda a: cr.lobpcg(hermitian(a), 2, weight)[0], x)
