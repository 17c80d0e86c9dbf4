"""Clipping gradients; all parameters as one vector."""

from __future__ import annotations

import math

import pytest


@pytest.fixture
def weights(lib):
    made = [lib.zeros(1, requires_grad=True), lib.zeros(1, 1, requires_grad=True)]
    made[0].grad, made[1].grad = lib.tensor([3.0]), lib.tensor([[-4.0]])
    return made


def test_clipping_scales_all_gradients_by_one_factor(lib, weights):
    norm = lib.nn.utils.clip_grad_norm_(weights, max_norm=1.0)

    assert norm.item() == 5.0
    assert weights[0].grad.item() == pytest.approx(0.6, rel=1e-5)
    assert weights[1].grad.item() == pytest.approx(-0.8, rel=1e-5)


def test_clipping_leaves_small_gradients_as_they_are(lib, weights):
    lib.nn.utils.clip_grad_norm_(weights, max_norm=10.0)

    assert [w.grad.item() for w in weights] == [3.0, -4.0]


@pytest.mark.parametrize(("order", "norm"), [(1, 7.0), (math.inf, 4.0), (3, 91 ** (1 / 3))])
def test_norms_of_any_order(lib, weights, order, norm):
    grads = [weight.grad for weight in weights]

    assert lib.nn.utils.get_total_norm(grads, order).item() == pytest.approx(norm)


def test_the_norm_of_every_sample_in_a_map(lib):
    samples = lib.tensor([[3.0, 4.0], [0.0, 1.0]])
    norms = lib.func.vmap(lambda x: lib.nn.utils.get_total_norm([x, 2 * x], foreach=False))(samples)

    assert norms.tolist() == pytest.approx([125**0.5, 5**0.5])


def test_gradients_of_several_dtypes_that_are_views_are_clipped_alike(lib):
    weights = [lib.zeros(2, 1, requires_grad=True), lib.zeros(1, requires_grad=True)]
    weights[1] = weights[1].detach().double().requires_grad_()
    whole = lib.tensor([[3.0, 4.0]])
    weights[0].grad, weights[1].grad = whole.t(), lib.tensor([12.0], dtype=lib.float64)

    assert lib.nn.utils.clip_grad_norm_(weights, 1.0).item() == pytest.approx(13.0)
    assert whole.reshape(-1).tolist() == pytest.approx([3 / 13, 4 / 13], rel=1e-5)
    assert weights[1].grad.item() == pytest.approx(12 / 13, rel=1e-5)


def test_clipping_by_a_norm_known_already(lib, weights):
    lib.nn.utils.clip_grads_with_norm_(weights, 1.0, lib.tensor(10.0))

    assert weights[0].grad.item() == pytest.approx(0.3)


def test_clipping_takes_one_tensor_and_skips_those_without_gradient(lib, weights):
    assert lib.nn.utils.clip_grad_norm_(weights[0], 1.0).item() == 3.0
    assert lib.nn.utils.clip_grad_norm_([lib.zeros(1, requires_grad=True)], 1.0).item() == 0.0


def test_norm_that_is_not_finite_may_be_refused(lib, raises, weights):
    weights[0].grad = lib.tensor([math.nan])
    sentence = "The total norm of order 2.0 for gradients from `parameters` is non-finite, so it"

    with raises(RuntimeError, sentence):
        lib.nn.utils.clip_grad_norm_(weights, 1.0, error_if_nonfinite=True)
    assert math.isnan(lib.nn.utils.clip_grad_norm_(weights, 1.0).item())


def test_empty_generator_of_parameters_warns(lib, warns):
    with warns(UserWarning, "`parameters` is an empty generator, no gradient clipping will occur."):
        lib.nn.utils.clip_grad_norm_((p for p in ()), 1.0)


def test_clipping_by_value_limits_every_element(lib, weights):
    lib.nn.utils.clip_grad_value_(weights, 3.5)

    assert [w.grad.item() for w in weights] == [3.0, -3.5]


def test_parameters_become_one_vector_with_a_gradient(lib):
    weights = [lib.ones(1, 2, requires_grad=True), lib.zeros(1, requires_grad=True)]
    vector = lib.nn.utils.parameters_to_vector(weights)
    (vector * lib.tensor([1.0, 2.0, 3.0])).sum().backward()

    assert vector.tolist() == [1.0, 1.0, 0.0]
    assert weights[0].grad.tolist() == [[1.0, 2.0]]
    assert weights[1].grad.tolist() == [3.0]


def test_vector_becomes_the_data_of_parameters(lib, raises):
    weights = [lib.ones(1, 2, requires_grad=True), lib.zeros(1, requires_grad=True)]
    lib.nn.utils.vector_to_parameters(lib.tensor([5.0, 6.0, 7.0]), weights)

    assert [w.tolist() for w in weights] == [[[5.0, 6.0]], [7.0]]
    assert all(w.is_leaf and w.requires_grad for w in weights)
    with raises(TypeError, "expected torch.Tensor, but got: list"):
        lib.nn.utils.vector_to_parameters([1.0], weights)
