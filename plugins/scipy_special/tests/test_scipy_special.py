"""Promises of our own, beside what the conformance kit checks."""

from __future__ import annotations

import math

import pytest

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

    assert m.grad.tolist() == pytest.approx([math.pi / 8])
    assert z.grad.tolist() == [-1.0]


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


@pytest.mark.parametrize("name", ["ellipk", "exp1", "dawsn", "spence"])
def test_ops_are_what_their_statements_say(name):
    assert set(opcheck(getattr(ops, name), (leaf(0.3, 0.7),)).values()) == {"SUCCESS"}
