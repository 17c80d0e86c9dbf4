"""Parameters that are computed from others, normalised and pruned ones."""

from __future__ import annotations

import copy

import pytest


def symmetric(lib):
    class Symmetric(lib.nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).mT

        def right_inverse(self, x):
            return x.triu()

    return Symmetric()


@pytest.fixture
def layer(lib):
    made = lib.nn.Linear(3, 3)
    lib.nn.utils.parametrize.register_parametrization(made, "weight", symmetric(lib))
    return made


def test_parametrized_weight_is_computed_whenever_it_is_read(lib, layer):
    assert lib.equal(layer.weight, layer.weight.mT)
    assert layer.weight is not layer.weight
    layer.parametrizations.weight.original.data.fill_(2.0)
    assert layer.weight.tolist() == [[2.0] * 3] * 3


def test_gradient_reaches_the_tensor_behind_a_parametrized_one(lib, layer):
    layer(lib.ones(1, 3)).sum().backward()

    assert layer.parametrizations.weight.original.grad.tolist() == [
        [1.0, 2.0, 2.0],
        [0.0, 1.0, 2.0],
        [0.0, 0.0, 1.0],
    ]


def test_setting_a_parametrized_weight_sets_what_is_behind_it(lib, layer):
    value = lib.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [3.0, 5.0, 6.0]])
    layer.weight = value

    assert layer.weight.tolist() == value.tolist()


def test_weight_is_computed_once_while_cached(lib, layer):
    with lib.nn.utils.parametrize.cached():
        assert layer.weight is layer.weight
    assert layer.weight is not layer.weight


def test_optimizer_trains_what_is_behind_a_parametrized_weight(lib, layer):
    optimizer = lib.optim.SGD(layer.parameters(), lr=0.1)
    before = layer.weight.tolist()
    layer(lib.ones(1, 3)).sum().backward()
    optimizer.step()

    assert layer.weight.tolist() != before
    assert lib.equal(layer.weight, layer.weight.mT)


def test_removing_a_parametrization_leaves_a_plain_layer(lib, layer):
    value = layer.weight.tolist()
    lib.nn.utils.parametrize.remove_parametrizations(layer, "weight")

    assert type(layer) is lib.nn.Linear
    assert isinstance(layer.weight, lib.nn.Parameter)
    assert layer.weight.tolist() == value
    assert set(layer.state_dict()) == {"weight", "bias"}


def test_copy_of_a_parametrized_layer_is_independent(lib, layer):
    other = copy.deepcopy(layer)
    other.parametrizations.weight.original.data.zero_()

    assert other.weight.abs().sum().item() == 0.0
    assert layer.weight.abs().sum().item() > 0.0


def test_parametrization_must_keep_the_shape(lib, raises):
    class Cut(lib.nn.Module):
        def forward(self, x):
            return x[:1]

    with raises(ValueError, "Registering a parametrization may not change the shape of the tensor"):
        lib.nn.utils.parametrize.register_parametrization(lib.nn.Linear(3, 3), "weight", Cut())


def test_normalized_weight_has_the_length_it_is_given(lib):
    layer = lib.nn.utils.parametrizations.weight_norm(lib.nn.Linear(4, 3))
    layer.parametrizations.weight.original0.data.fill_(2.0)

    assert layer.weight.norm(dim=1).tolist() == pytest.approx([2.0] * 3)


def test_spectrally_normalized_weight_has_the_largest_singular_value_one(lib):
    lib.manual_seed(0)
    layer = lib.nn.utils.parametrizations.spectral_norm(lib.nn.Linear(4, 3), n_power_iterations=30)

    assert lib.linalg.svdvals(layer.weight)[0].item() == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)])
def test_orthogonal_weight_stays_orthogonal_while_it_is_trained(lib, kind, shape):
    lib.manual_seed(0)
    layer = lib.nn.utils.parametrizations.orthogonal(lib.nn.Linear(*shape), orthogonal_map=kind)
    optimizer = lib.optim.SGD(layer.parameters(), lr=0.1)
    target = lib.randn(shape[1], shape[0])
    before = (layer.weight * target).sum().item()
    for _ in range(5):
        optimizer.zero_grad()
        (layer.weight * target).sum().backward()
        optimizer.step()
    weight = layer.weight.detach()
    gram = weight @ weight.T if shape[0] > shape[1] else weight.T @ weight

    assert (weight * target).sum().item() < before
    assert lib.allclose(gram, lib.eye(min(shape)), atol=1e-5)


def test_pruned_elements_stay_zero_while_the_weight_is_trained(lib):
    from importlib import import_module

    prune = import_module(f"{lib.__name__}.nn.utils.prune")
    layer = prune.l1_unstructured(lib.nn.Linear(3, 3), "weight", amount=4)
    optimizer = lib.optim.SGD(layer.parameters(), lr=0.5)
    layer(lib.ones(1, 3)).sum().backward()
    optimizer.step()
    layer(lib.ones(1, 3))

    assert prune.is_pruned(layer)
    assert (layer.weight == 0).sum().item() == 4
    assert set(layer.state_dict()) == {"bias", "weight_orig", "weight_mask"}
