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
def square(lib):
    made = lib.nn.Linear(3, 3)
    lib.nn.utils.parametrize.register_parametrization(made, "weight", symmetric(lib))
    return made


def test_parametrized_weight_is_computed_whenever_it_is_read(lib, square):
    assert lib.equal(square.weight, square.weight.mT)
    assert square.weight is not square.weight
    square.parametrizations.weight.original.data.fill_(2.0)
    assert square.weight.tolist() == [[2.0] * 3] * 3


def test_gradient_reaches_the_tensor_behind_a_parametrized_one(lib, square):
    square(lib.ones(1, 3)).sum().backward()

    assert square.parametrizations.weight.original.grad.tolist() == [
        [1.0, 2.0, 2.0],
        [0.0, 1.0, 2.0],
        [0.0, 0.0, 1.0],
    ]


def test_setting_a_parametrized_weight_sets_what_is_behind_it(lib, square):
    value = lib.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [3.0, 5.0, 6.0]])
    square.weight = value

    assert square.weight.tolist() == value.tolist()


def test_weight_is_computed_once_while_cached(lib, square):
    with lib.nn.utils.parametrize.cached():
        assert square.weight is square.weight
    assert square.weight is not square.weight


def test_optimizer_trains_what_is_behind_a_parametrized_weight(lib, square):
    optimizer = lib.optim.SGD(square.parameters(), lr=0.1)
    before = square.weight.tolist()
    square(lib.ones(1, 3)).sum().backward()
    optimizer.step()

    assert square.weight.tolist() != before
    assert lib.equal(square.weight, square.weight.mT)


def test_removing_a_parametrization_leaves_a_plain_layer(lib, square):
    value = square.weight.tolist()
    lib.nn.utils.parametrize.remove_parametrizations(square, "weight")

    assert type(square) is lib.nn.Linear
    assert isinstance(square.weight, lib.nn.Parameter)
    assert square.weight.tolist() == value
    assert set(square.state_dict()) == {"weight", "bias"}


def test_copy_of_a_parametrized_layer_is_independent(lib, square):
    other = copy.deepcopy(square)
    other.parametrizations.weight.original.data.zero_()

    assert other.weight.abs().sum().item() == 0.0
    assert square.weight.abs().sum().item() > 0.0


def test_parametrization_must_keep_the_shape(lib, raises):
    class Cut(lib.nn.Module):
        def forward(self, x):
            return x[:1]

    with raises(ValueError, "Registering a parametrization may not change the shape of the tensor"):
        lib.nn.utils.parametrize.register_parametrization(lib.nn.Linear(3, 3), "weight", Cut())


def test_normalized_weight_has_the_length_it_is_given(lib):
    square = lib.nn.utils.parametrizations.weight_norm(lib.nn.Linear(4, 3))
    square.parametrizations.weight.original0.data.fill_(2.0)

    assert square.weight.norm(dim=1).tolist() == pytest.approx([2.0] * 3)


def test_normalized_vector_has_a_length_per_element(lib):
    layer = lib.nn.Linear(2, 3)
    before = layer.bias.detach().clone()
    lib.nn.utils.parametrizations.weight_norm(layer, "bias")
    length = layer.parametrizations.bias.original0
    layer.bias.sum().backward()

    assert layer.bias.tolist() == before.tolist()
    assert length.tolist() == before.abs().tolist()
    assert length.grad.tolist() == before.sign().tolist()


def test_spectrally_normalized_weight_has_the_largest_singular_value_one(lib):
    lib.manual_seed(0)
    square = lib.nn.utils.parametrizations.spectral_norm(lib.nn.Linear(4, 3), n_power_iterations=30)

    assert lib.linalg.svdvals(square.weight)[0].item() == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)])
def test_orthogonal_weight_stays_orthogonal_while_it_is_trained(lib, kind, shape):
    lib.manual_seed(0)
    square = lib.nn.utils.parametrizations.orthogonal(lib.nn.Linear(*shape), orthogonal_map=kind)
    optimizer = lib.optim.SGD(square.parameters(), lr=0.1)
    target = lib.randn(shape[1], shape[0])
    before = (square.weight * target).sum().item()
    for _ in range(5):
        optimizer.zero_grad()
        (square.weight * target).sum().backward()
        optimizer.step()
    weight = square.weight.detach()
    gram = weight @ weight.T if shape[0] > shape[1] else weight.T @ weight

    assert (weight * target).sum().item() < before
    assert lib.allclose(gram, lib.eye(min(shape)), atol=1e-5)


def test_pruned_elements_stay_zero_while_the_weight_is_trained(lib):
    from importlib import import_module

    prune = import_module(f"{lib.__name__}.nn.utils.prune")
    square = prune.l1_unstructured(lib.nn.Linear(3, 3), "weight", amount=4)
    optimizer = lib.optim.SGD(square.parameters(), lr=0.5)
    square(lib.ones(1, 3)).sum().backward()
    optimizer.step()
    square(lib.ones(1, 3))

    assert prune.is_pruned(square)
    assert (square.weight == 0).sum().item() == 4
    assert set(square.state_dict()) == {"bias", "weight_orig", "weight_mask"}
