"""Recurrent layers beside PyTorch's: results, first and second gradients."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import chainrule as cr

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def run(library, kind, settings, *, packed, batch_first):
    """Return results, gradients and second gradients as arrays, from one seed."""
    library.manual_seed(0)
    layer = getattr(library.nn, kind)(2, 5, batch_first=batch_first, **settings).double()
    x = library.randn(4, 3, 2, dtype=library.float64, requires_grad=True)
    given = x
    if packed:
        lengths = [2, 4, 3] if not batch_first else [2, 3, 1, 3]
        given = library.nn.utils.rnn.pack_padded_sequence(
            x, lengths, batch_first=batch_first, enforce_sorted=False
        )
    output, last = layer(given)
    results = [output.data if packed else output, *(last if kind == "LSTM" else [last])]
    leaves = [x, *layer.parameters()]
    loss = sum((result**2).sum() for result in results)
    grads = library.autograd.grad(loss, leaves, create_graph=True)
    seconds = library.autograd.grad(sum((g * g).sum() for g in grads), leaves)
    return [np.array(t.detach().tolist()) for t in (*results, *grads, *seconds)]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        *itertools.product(
            ["LSTM", "GRU", "RNN"],
            [
                {},
                {"bias": False, "num_layers": 2},
                {"bidirectional": True},
                {"bidirectional": True, "num_layers": 2, "dropout": 0.25},
            ],
        ),
        ("RNN", {"nonlinearity": "relu", "bidirectional": True}),
        ("LSTM", {"proj_size": 2, "num_layers": 2}),
        ("LSTM", {"proj_size": 2, "bidirectional": True, "num_layers": 2}),
    ],
)
def test_layer_gives_the_same_results_and_gradients_twice_over(kind, settings, packed):
    for batch_first in (False, True):
        ours, theirs = (
            run(library, kind, settings, packed=packed, batch_first=batch_first)
            for library in (cr, torch)
        )
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * abs(other).max())


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_state_dict_has_the_names_and_shapes_of_its_namesake(kind):
    found = [
        {
            name: tuple(tensor.shape)
            for name, tensor in getattr(library.nn, kind)(2, 3, 2, bidirectional=True)
            .state_dict()
            .items()
        }
        for library in (cr, torch)
    ]

    assert list(found[0].items()) == list(found[1].items())


def test_cells_leave_the_nodes_of_their_namesakes():
    for library in (cr, torch):
        x = library.ones(2, 3)
        hidden, cell = library.nn.LSTMCell(3, 4)(x)
        names = [
            tensor.grad_fn.name()
            for tensor in (hidden, cell, library.nn.GRUCell(3, 4)(x), library.nn.RNNCell(3, 4)(x))
        ]

        assert names == ["MulBackward0", "AddBackward0", "AddBackward0", "TanhBackward0"]


@pytest.mark.parametrize("name", ["pack_padded_sequence", "pad_packed_sequence", "pad_sequence"])
def test_function_of_sequences_has_the_arguments_of_its_namesake(name):
    import inspect

    ours, theirs = (
        [
            (p.name, p.kind, p.default)
            for p in inspect.signature(getattr(library.nn.utils.rnn, name)).parameters.values()
        ]
        for library in (cr, torch)
    )

    assert ours == theirs
