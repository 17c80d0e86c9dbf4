"""Transforms nested in every order give PyTorch's numbers, and gradients for what is outside."""

from __future__ import annotations

import itertools
import random
import warnings

import numpy as np
import pytest
import torch

import chainrule

with warnings.catch_warnings():  # what forward mode imports when first used is deprecated
    warnings.simplefilter("ignore")
    torch.func.jvp(torch.sin, (torch.ones(1),), (torch.ones(1),))


def base(lib, weight):
    """Return a function of a vector that uses a parameter outside of it."""

    def function(x):
        kept = lib.zeros_like(x)
        kept[1:] = x[:-1] * weight[1:]
        mixed = lib.where(x > 0.5, lib.sin(x) * x.roll(1), x**2)
        return mixed + lib.softmax(x * weight, 0) + kept.cumsum(0)

    return function


#: Each makes of a function of a vector another one.
TRANSFORMS = {
    "grad": lambda lib, f: lib.func.grad(lambda x: f(x).sum()),
    "jvp": lambda lib, f: lambda x: lib.func.jvp(f, (x,), (lib.cos(x),))[1],
    "vjp": lambda lib, f: lambda x: lib.func.vjp(f, x)[1](lib.cos(x))[0],
    "vmap": lambda lib, f: lambda x: lib.vmap(f)(lib.stack([x, 2 * x, x + 1])).sum(0),
    "vmap1": lambda lib, f: (
        lambda x: lib.vmap(f, in_dims=1, out_dims=1)(lib.stack([x, 2 * x], 1)).sum(1)
    ),
    "jacrev": lambda lib, f: lambda x: lib.func.jacrev(f)(x).sum(0),
    "jacfwd": lambda lib, f: lambda x: lib.func.jacfwd(f)(x).sum(1),
}


def outcome(lib, names):
    """Return value, gradient by the input, and gradient by the parameter outside."""
    weight = lib.tensor([0.5, -1.0, 2.0], dtype=lib.float64, requires_grad=True)
    x = lib.tensor([0.3, 1.1, -0.7], dtype=lib.float64, requires_grad=True)
    function = base(lib, weight)
    for name in reversed(names):
        function = TRANSFORMS[name](lib, function)
    value = function(x)
    gradients = lib.autograd.grad(value.sum(), (x, weight))
    return [tensor.detach().numpy() for tensor in (value, *gradients)]


PAIRS = list(itertools.product(TRANSFORMS, repeat=2))
TRIPLES = random.Random(0).sample(list(itertools.product(TRANSFORMS, repeat=3)), 60)  # noqa: S311 - a choice of tests


@pytest.mark.parametrize("names", [*PAIRS, *TRIPLES], ids="-".join)
def test_nested_transforms_agree_with_pytorch(names):
    for found, expected in zip(outcome(chainrule, names), outcome(torch, names), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def small_network(lib):
    generator = np.random.default_rng(0)
    shapes = {
        "conv": (4, 2, 3, 3), "scale": (4,), "shift": (4,), "out": (3, 4 * 4 * 4), "bias": (3,),
    }  # fmt: skip
    params = {name: lib.tensor(generator.normal(size=shape)) for name, shape in shapes.items()}
    images = lib.tensor(generator.normal(size=(5, 2, 6, 6)))
    labels = lib.tensor([0, 2, 1, 1, 0])

    def loss(params, image, label):
        functional = lib.nn.functional
        hidden = functional.conv2d(image.unsqueeze(0), params["conv"])
        hidden = functional.group_norm(hidden, 2, params["scale"], params["shift"]).relu()
        scores = functional.linear(hidden.flatten(1), params["out"], params["bias"])
        return functional.cross_entropy(scores, label.unsqueeze(0))

    return params, images, labels, loss


def test_gradients_per_sample_of_a_convolutional_network_agree_with_pytorch():
    found, expected = (
        lib.vmap(lib.func.grad(loss), in_dims=(None, 0, 0))(params, images, labels)
        for lib in (chainrule, torch)
        for params, images, labels, loss in [small_network(lib)]
    )

    for name, gradient in expected.items():
        np.testing.assert_allclose(found[name].numpy(), gradient.numpy(), rtol=1e-8, atol=1e-10)


def test_tangents_of_a_convolutional_network_agree_with_pytorch():
    def change(lib):
        params, images, labels, loss = small_network(lib)

        def of_all(params):
            return lib.vmap(loss, in_dims=(None, 0, 0))(params, images, labels)

        tangents = {name: lib.cos(p) for name, p in params.items()}
        return lib.func.jvp(of_all, (params,), (tangents,))[1].numpy()

    np.testing.assert_allclose(change(chainrule), change(torch), rtol=1e-8)


@pytest.mark.parametrize(
    "tree",
    [
        {"b": (1, [2, None]), "a": ()},
        [1, (2, {3: 4})],
        5,
        (),
    ],
    ids=str,
)
def test_trees_are_taken_apart_as_pytorch_takes_them(tree):
    ours, theirs = chainrule.utils._pytree, torch.utils._pytree
    found, expected = ours.tree_flatten(tree), theirs.tree_flatten(tree)

    assert found[0] == expected[0]
    assert str(found[1]) == str(expected[1])
    assert ours.tree_unflatten(found[0], found[1]) == tree
    paths = [ours.keystr(path) for path, _ in ours.tree_flatten_with_path(tree)[0]]
    assert paths == [theirs.keystr(path) for path, _ in theirs.tree_flatten_with_path(tree)[0]]
