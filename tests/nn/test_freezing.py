"""Freezing a module by assignment, where PyTorch takes the line and does nothing."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.nn.utils import freeze, frozen, unfreeze


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


NEAR = ["require_grad", "requires_grads", "required_grad", "requires_gradient", "requiresgrad"]


@pytest.mark.parametrize("name", NEAR)
def test_setting_what_looks_like_requires_grad_warns(name):
    for target in (cr.nn.Linear(1, 1), cr.nn.Parameter(cr.ones(1)), cr.ones(1)):
        assert not hasattr(target, name)
        with pytest.warns(UserWarning, match="Did you mean requires_grad?"):
            setattr(target, name, False)
        assert getattr(target, name) is False
        delattr(target, name)
        assert not hasattr(target, name)


# By names


@pytest.fixture
def model():
    return cr.nn.Sequential(cr.nn.Linear(2, 2), cr.nn.Sequential(cr.nn.Linear(2, 2)))


def trainable(model):
    return [name for name, parameter in model.named_parameters() if parameter.requires_grad]


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        ([], []),
        (["*"], []),
        (["0"], ["1.0.weight", "1.0.bias"]),
        (["1"], ["0.weight", "0.bias"]),
        (["*.bias"], ["0.weight", "1.0.weight"]),
        (["0.weight", "1.0.bias"], ["0.bias", "1.0.weight"]),
        (["?.weight"], ["0.bias", "1.0.weight", "1.0.bias"]),
    ],
)
def test_patterns_choose_parameters_by_name(model, patterns, left):
    before = trainable(model)
    changed = freeze(model, *patterns)

    assert trainable(model) == left
    assert sorted([*changed, *left]) == sorted(before)
    assert unfreeze(model) == changed
    assert trainable(model) == before


def test_freezing_twice_changes_nothing_the_second_time(model):
    freeze(model, "0")

    assert freeze(model, "0") == []


def test_a_pattern_that_fits_nothing_is_refused_and_nothing_changes(model):
    with pytest.raises(ValueError, match=r"got 'encoder'. There are 0.weight, 0.bias, "):
        freeze(model, "0", "encoder")
    assert len(trainable(model)) == 4


def test_a_block_restores_what_was_frozen_before(model):
    freeze(model, "0.bias")

    def fail():
        with frozen(model, "0") as same:
            assert same is model
            assert trainable(model) == ["1.0.weight", "1.0.bias"]
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert trainable(model) == ["0.weight", "1.0.weight", "1.0.bias"]


def test_gradients_pass_through_a_frozen_module(model):
    x = cr.ones(1, 2, requires_grad=True)
    with frozen(model):
        model(x).sum().backward()

    assert x.grad is not None
    assert model[0].weight.grad is None


OPTIMIZERS = [
    name for name in cr.optim.__all__
    if isinstance(getattr(cr.optim, name), type)
    and issubclass(getattr(cr.optim, name), cr.optim.Optimizer)
    and name not in {"Optimizer", "LBFGS", "SparseAdam"}
]  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_frozen_parameter_stays_where_it_is(name):
    kept, trained = (cr.nn.Parameter(cr.ones(2, 2)) for _ in range(2))
    kind = getattr(cr.optim, name)
    decay = {} if name == "Rprop" else {"weight_decay": 0.1}  # that one has none
    optimizer = kind([kept, trained], lr=0.1, **decay)
    for _ in range(2):
        (kept * trained * 3).sum().backward()
        optimizer.step()
    kept.requires_grad = False
    before = kept.tolist()
    for zero in (True, False):
        optimizer.zero_grad(set_to_none=zero)
        (kept * trained * 3).sum().backward()
        optimizer.step()

    assert kept.tolist() == before
    assert trained.tolist() != before
