"""Changing all tensors of a module at once: dtype, training mode, gradients."""

from __future__ import annotations

import pytest


@pytest.fixture
def network(lib):
    made = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.Dropout(0.5))
    made.register_buffer("steps", lib.tensor([1]))
    return made


def test_conversion_keeps_the_identity_of_parameters(lib, network):
    weight = network[0].weight

    assert network.double() is network
    assert network[0].weight is weight
    assert weight.dtype is lib.float64
    assert (weight.is_leaf, weight.requires_grad) == (True, True)


def test_conversion_takes_gradients_along(lib, network):
    network[0](lib.ones(1, 2)).sum().backward()
    network.to(lib.float64)

    assert network[0].weight.grad.dtype is lib.float64


def test_conversion_leaves_integers_alone(lib, network):
    network.to(lib.float64)

    assert network.steps.dtype is lib.int64
    assert network.float()[0].weight.dtype is lib.float32
    assert network.half()[0].bias.dtype is lib.float16


def test_conversion_follows_another_tensor(lib, network):
    network.to(lib.ones(1, dtype=lib.float64))

    assert network[0].weight.dtype is lib.float64


def test_conversion_to_integers_is_refused(lib, raises, network):
    sentence = (
        "nn.Module.to only accepts floating point or complex dtypes, but got desired "
        "dtype=torch.int64"
    )

    with raises(TypeError, sentence):
        network.to(lib.int64)


def test_type_converts_everything(lib, network):
    assert network.type(lib.float64).steps.dtype is lib.float64


def test_to_empty_keeps_shapes_and_identity(lib, network):
    weight = network[0].weight
    network.to_empty(device=weight.device)

    assert network[0].weight is weight
    assert weight.shape == (2, 2)


def test_training_mode_goes_down_the_tree(network):
    assert network.eval() is network
    assert [module.training for module in network.modules()] == [False, False, False]
    network.train()
    assert [module.training for module in network.modules()] == [True, True, True]


def test_training_mode_must_be_a_bool(raises, network):
    with raises(ValueError, "training mode is expected to be boolean"):
        network.train(1)


def test_freezing_leaves_no_gradient_behind(lib, network):
    network[0].requires_grad_(False)

    assert not network[0](lib.ones(1, 2)).requires_grad
    assert all(p.requires_grad for p in network.requires_grad_().parameters())


def test_zero_grad_drops_gradients_or_fills_them_with_zeros(lib, network):
    for set_to_none, expected in ((False, [0.0, 0.0]), (True, None)):
        network[0](lib.ones(1, 2)).sum().backward()
        network.zero_grad(set_to_none)
        grad = network[0].bias.grad

        assert (grad if grad is None else grad.tolist()) == expected
