"""Promises of our own, beside what the conformance kit checks."""

from __future__ import annotations

import math
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import scipy.special
from chainrule_scipy_special import cases, slopes
from chainrule_scipy_special.ops import OPS

import chainrule as cr
from chainrule.errors import KernelNotFoundError
from chainrule.testing import opcheck

ops = cr.ops.scipy_special


def leaf(*values):
    return cr.tensor(values, dtype=cr.float64, requires_grad=True)


def test_a_bessel_function_solves_bessels_equation():
    x = leaf(0.5, 2.0, 7.0)
    y = ops.jv(2, x)
    (first,) = cr.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = cr.autograd.grad(first.sum(), x)

    assert (x**2 * second + x * first + (x**2 - 4) * y).abs().max().item() < 1e-10


def test_the_order_may_be_a_tensor_and_has_no_gradient():
    order, x = leaf(1.0, 2.0), leaf(0.5, 3.0)
    y = ops.jv(order, x)
    with pytest.raises(NotImplementedError, match="the derivative for 'jv' is not implemented"):
        y.sum().backward()


def test_limits_at_removable_singularities():
    m = leaf(0.0)
    ops.ellipk(m).backward()
    z = leaf(1.0)
    ops.spence(z).backward()

    x = leaf(0.0, 0.0)
    ops.struve(cr.tensor([0.0, 2.0]), x).sum().backward()

    assert m.grad.tolist() == pytest.approx([math.pi / 8])
    assert z.grad.tolist() == [-1.0]
    assert x.grad.tolist() == pytest.approx([2 / math.pi, 0.0])


def test_gradients_next_to_removable_singularities_lose_no_digits():
    m, z = leaf(1e-13), leaf(1 + 1e-13)
    ops.ellipk(m).backward()
    ops.spence(z).backward()

    assert m.grad.tolist() == pytest.approx([math.pi / 8], rel=1e-12)
    assert z.grad.tolist() == pytest.approx([-1.0], rel=1e-12)


def test_fresnel_gives_two_results_and_both_carry_gradients():
    x = leaf(0.3, 1.2)
    sine, cosine = ops.fresnel(x)
    (2 * sine + 3 * cosine).sum().backward()
    angle = math.pi / 2 * x.detach() ** 2

    assert cr.allclose(x.grad, 2 * angle.sin() + 3 * angle.cos())


def test_saved_names_are_readable():
    x = leaf(0.5)

    assert ops.dawsn(x).grad_fn._saved_x is x


def test_a_backend_without_scipy_says_who_has_a_kernel():
    with pytest.raises(KernelNotFoundError, match=r"numpy \(chainrule-scipy-special 0.1.0\)"):
        ops.exp1(cr.ones(2, device="sim"))


def test_real_numbers_are_refused_where_a_complex_one_is_needed():
    with pytest.raises(RuntimeError, match="expected a complex tensor"):
        ops.wofz(leaf(1.0))


REAL_ONLY = (
    "ive", "struve", "ellipk", "ellipe", "ellipd", "expn", "gammainc", "gammaincc", "gammaincinv",
    "gammainccinv", "gammainc_slope", "betainc", "betaincinv", "betainc_slopes", "owens_t",
    "voigt_profile",
)  # fmt: skip


@pytest.mark.parametrize("name", REAL_ONLY)
def test_complex_numbers_are_refused_where_scipy_knows_none(name):
    op = getattr(ops, name)
    count = 1 if name == "expn" else len(op.schema.tensors)
    z = cr.tensor([0.5 + 0.5j])
    with pytest.raises(RuntimeError, match=f"{name}: expected real tensors, got a complex one"):
        op(*[z] * count, *[1] * (name == "expn"))


def test_every_op_has_a_kernel_on_numpy_and_samples():
    sampled = {case.name for case in cases.cases}
    for op in OPS:
        assert cr.explain(op.name, backend="numpy").how == "own kernel", op.name
        assert op.name in sampled


# Incomplete gamma and beta functions: derivatives in the parameters


def positive():
    return leaf(0.5, 2.0, 7.0), leaf(1.5, 0.7, 3.0), leaf(0.2, 0.6, 0.9)


@pytest.mark.parametrize("name", ["gammainc", "gammaincc", "gammaincinv", "gammainccinv"])
def test_gamma_functions_have_gradients_in_both_arguments(name):
    a, _, x = positive()

    assert cr.autograd.gradcheck(getattr(ops, name), (a, x))
    assert cr.autograd.gradcheck(getattr(ops, name), (a[:, None], x))


@pytest.mark.parametrize("name", ["betainc", "betaincinv"])
def test_beta_functions_have_gradients_in_all_arguments(name):
    a, b, x = positive()
    op = getattr(ops, name)

    assert cr.autograd.gradcheck(op, (a, b, x))
    assert cr.autograd.gradcheck(op, (a[:, None], b, x))
    assert cr.autograd.gradcheck(lambda b: op(2.0, b, x.detach()), (b,))


def test_mixed_second_derivative_in_parameter_and_end():
    a, b, x = positive()
    (by_a,) = cr.autograd.grad(ops.betainc(a, b, x).sum(), a, create_graph=True)
    (by_a_x,) = cr.autograd.grad(by_a.sum(), x)
    (by_x,) = cr.autograd.grad(ops.betainc(a, b, x).sum(), x, create_graph=True)
    (by_x_a,) = cr.autograd.grad(by_x.sum(), a)

    assert cr.allclose(by_a_x, by_x_a, rtol=1e-12)


@pytest.mark.parametrize("name", ["gammainc", "betainc"])
def test_second_derivative_in_a_parameter_says_that_there_is_none(name):
    a, b, x = positive()
    arguments = (a, x) if name == "gammainc" else (a, b, x)
    (by_a,) = cr.autograd.grad(getattr(ops, name)(*arguments).sum(), a, create_graph=True)
    with pytest.raises(NotImplementedError, match=r"slopes?' is not implemented"):
        by_a.sum().backward()


@pytest.mark.parametrize("a", [0.01, 0.5, 1.0, 3.3, 20.0, 1000.0])
def test_slopes_of_gamma_agree_with_high_precision(a):
    slope = slopes.gammainc_slope(np, scipy.special)
    x = max(a, 1.0) * np.array([1e-6, 0.3, 0.9, 1.0, 1.1, 3.0])
    expected = cases._gammainc_slope_reference(np, a, x)

    np.testing.assert_allclose(slope(np.full_like(x, a), x), expected, rtol=1e-11, atol=1e-280)


@pytest.mark.parametrize("a", [0.05, 0.7, 3.0, 300.0])
@pytest.mark.parametrize("b", [0.05, 0.7, 3.0, 300.0])
def test_slopes_of_beta_agree_with_high_precision(a, b):
    slope = slopes.betainc_slopes(np, scipy.special)
    x = np.array([1e-8, 0.3, 0.5, 0.77, 0.999])
    expected = cases._betainc_slopes_reference(np, a, b, x)

    for found, exact in zip(slope(a, b, x), expected, strict=True):
        np.testing.assert_allclose(found, exact, rtol=1e-11, atol=1e-100)


def test_the_second_elliptic_integral_that_cupy_gets_is_scipys():
    m = np.array([-5.0, 0.0, 1e-9, 0.5, 0.99, 1 - 1e-9])

    np.testing.assert_allclose(
        slopes.ellipe(np, scipy.special)(m), scipy.special.ellipe(m), rtol=1e-14
    )


def test_slopes_at_the_ends_and_outside():
    a = cr.tensor([1.0, 2.0, 0.0, -1.0, 0.5, 3.0], dtype=cr.float64)
    x = cr.tensor([0.0, math.inf, 1.0, 1.0, -1.0, math.nan], dtype=cr.float64)
    found = ops.gammainc_slope(a, x).tolist()
    ends, outside = ops.betainc_slopes(1.0, 1.0, cr.tensor([0.0, 1.0, 2.0, -1.0, math.nan]))

    assert found[:2] == [0.0, 0.0]
    assert found[2] == pytest.approx(-scipy.special.exp1(1.0))
    assert all(math.isnan(value) for value in found[3:])
    for slope in (ends, outside):
        assert slope[:2].tolist() == [0.0, 0.0]
        assert slope[2:].isnan().all()


def test_a_quantile_undoes_its_distribution():
    a, b, x = positive()

    assert cr.allclose(ops.gammaincinv(a, ops.gammainc(a, x)), x)
    assert cr.allclose(ops.betaincinv(a, b, ops.betainc(a, b, x)), x)


# Others


def test_lamberts_function_is_real_where_its_branch_is():
    found = ops.lambertw(cr.tensor([-1.0, -0.1, 0.0, math.e], dtype=cr.float64))

    assert math.isnan(found[0].item())
    assert cr.allclose((found * found.exp())[1:], cr.tensor([-0.1, 0.0, math.e], dtype=cr.float64))


def test_lamberts_gradient_at_zero_is_one():
    x = leaf(0.0)
    ops.lambertw(x).backward()

    assert x.grad.tolist() == [1.0]


def test_voigt_profile_has_first_and_second_derivatives_in_all_arguments():
    arguments = leaf(-1.0, 0.0, 2.0), leaf(0.5, 1.0, 2.0), leaf(0.1, 1.0, 0.4)

    assert cr.autograd.gradcheck(ops.voigt_profile, arguments)
    assert cr.autograd.gradgradcheck(ops.voigt_profile, arguments)


def test_a_voigt_profile_without_cauchy_part_is_the_normal_density():
    x = leaf(-1.0, 0.0, 2.0)
    normal = cr.exp(-x * x / 2) / math.sqrt(2 * math.pi)

    assert cr.allclose(ops.voigt_profile(x, 1.0, 0.0), normal)


def test_scaled_bessel_functions_neither_overflow_nor_underflow():
    x = leaf(0.5, 30.0, 800.0)
    for op in (ops.ive, ops.kve):
        assert op(1.5, x).log().isfinite().all()
        assert cr.autograd.gradgradcheck(partial(op, 1.5), (x,))


def test_the_readme_prints_what_it_says(capsys):
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 2
    for code, printed in blocks:
        exec(code, {})  # noqa: S102 - our own README
        assert capsys.readouterr().out == printed


@pytest.mark.parametrize("name", ["ellipk", "exp1", "dawsn", "spence", "lambertw"])
def test_ops_are_what_their_statements_say(name):
    assert set(opcheck(getattr(ops, name), (leaf(0.3, 0.7),)).values()) == {"SUCCESS"}
