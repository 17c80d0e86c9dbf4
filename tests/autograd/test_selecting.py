"""Promises of `safe_where`: values of `where`, gradients without NaN."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.autograd import safe_where


@pytest.fixture
def x(device):
    return cr.tensor([-1.0, 0.0, 4.0], device=device, requires_grad=True)


@pytest.mark.parametrize("function", [cr.log, cr.sqrt, cr.reciprocal])
def test_gradients_are_zero_where_the_function_is_not_selected(x, function):
    y = safe_where(x > 0, function, x, 0.0)
    y.sum().backward()
    z = x.detach()[2:].requires_grad_()
    function(z).sum().backward()

    assert y.tolist() == [0.0, 0.0, function(z).item()]
    assert x.grad.tolist() == [0.0, 0.0, z.grad.item()]


def test_plain_where_has_the_trap(x):
    cr.where(x > 0, x.abs().log(), 0.0).sum().backward()

    assert x.grad[1].isnan().item()


def test_the_other_branch_has_its_gradient(x):
    other = cr.ones(3, device=x.device, requires_grad=True)
    safe_where(x > 0, cr.log, x, other).sum().backward()

    assert other.grad.tolist() == [1.0, 1.0, 0.0]


def test_second_derivatives_are_finite(x):
    (first,) = cr.autograd.grad(safe_where(x > 0, cr.log, x, 0.0).sum(), x, create_graph=True)
    (second,) = cr.autograd.grad(first.sum(), x)

    assert second.tolist() == [0.0, 0.0, -1 / 16]


def test_functions_that_are_unhappy_at_one_get_another_fill(x):
    y = safe_where(x > 1, lambda t: 1 / (t - 1), x, 0.0, fill=3.0)
    y.sum().backward()

    assert x.grad.tolist() == pytest.approx([0.0, 0.0, -1 / 9])
