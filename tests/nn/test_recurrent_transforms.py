"""Recurrent layers under function transforms."""

from __future__ import annotations

import pytest

import chainrule as cr

LAYERS = {
    "LSTM": lambda: cr.nn.LSTM(2, 3, 2, bidirectional=True),
    "GRU": lambda: cr.nn.GRU(2, 3),
    "RNN": lambda: cr.nn.RNN(2, 3),
}


@pytest.fixture(params=LAYERS)
def layer(request):
    cr.manual_seed(0)
    return LAYERS[request.param]().double()


def loss(layer):
    return lambda x: (layer(x)[0] ** 2).sum()


def test_batched_layer_gives_what_each_sample_gives(layer):
    x = cr.randn(3, 4, 2, 2, dtype=cr.float64)
    together = cr.func.vmap(lambda sample: layer(sample)[0])(x)

    assert cr.allclose(together, cr.stack([layer(sample)[0] for sample in x]))


def test_gradients_of_each_sample_are_those_it_has_alone(layer):
    x = cr.randn(3, 4, 2, 2, dtype=cr.float64)
    params = {name: parameter.detach() for name, parameter in layer.named_parameters()}

    def loss_of(parameters, sample):
        return (cr.func.functional_call(layer, parameters, (sample,))[0] ** 2).sum()

    together = cr.func.vmap(cr.func.grad(loss_of), in_dims=(None, 0))(params, x)
    for number, sample in enumerate(x):
        alone = cr.func.grad(loss_of)(params, sample)
        for name, gradient in alone.items():
            assert cr.allclose(together[name][number], gradient)


def test_hessian_is_that_of_reverse_mode_twice(layer):
    x = cr.randn(2, 1, 2, dtype=cr.float64)
    forward_over_reverse = cr.func.hessian(loss(layer))(x)
    reverse_twice = cr.autograd.functional.hessian(loss(layer), x)

    assert cr.allclose(forward_over_reverse, reverse_twice)
