"""Freezing a module by assignment, where PyTorch takes the line and does nothing."""

from __future__ import annotations

import pytest

import chainrule as cr


def test_assigning_requires_grad_to_a_module_freezes_it():
    model = cr.nn.Sequential(cr.nn.Linear(2, 2), cr.nn.Linear(2, 1))
    model.requires_grad = False

    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert not model(cr.ones(1, 2)).requires_grad


def test_module_requires_grad_if_any_parameter_does():
    model = cr.nn.Linear(2, 2)
    assert model.requires_grad
    model.weight.requires_grad = False
    assert model.requires_grad
    model.bias.requires_grad = False
    assert not model.requires_grad
    model.requires_grad = True
    assert model.weight.requires_grad


def test_module_without_parameters_requires_no_grad():
    assert cr.nn.ReLU().requires_grad is False


@pytest.mark.parametrize("name", ["require_grad", "requires_grads"])
def test_setting_what_looks_like_requires_grad_warns(name):
    for target in (cr.nn.Linear(1, 1), cr.nn.Parameter(cr.ones(1))):
        assert not hasattr(target, name)
        with pytest.warns(UserWarning, match="Did you mean requires_grad?"):
            setattr(target, name, False)
        assert getattr(target, name) is False
        delattr(target, name)
        assert not hasattr(target, name)
