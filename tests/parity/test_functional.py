"""`autograd.functional` beside PyTorch's: results, history, structure and refusals."""

from __future__ import annotations

import itertools
import re

import pytest
import torch

import chainrule as cr

FUNCTIONS = {
    "squares": lambda m: lambda x: x * x,
    "number": lambda m: lambda x: (x * x * x).sum(),
    "linear": lambda m: lambda x: (2 * x).sum(),
    "constant": lambda m: lambda x: m.ones(2),
    "two inputs": lambda m: lambda x, y: (x * y).sum(),
    "two outputs": lambda m: lambda x, y: (x * y, (x + 1).sum()),
    "second unused": lambda m: lambda x, y: (x * x).sum(),
    "no tensor": lambda m: lambda x: 3,
    "tuple": lambda m: lambda x: ((x * x).sum(),),
    "wide": lambda m: lambda x: (x.reshape(-1, 1) * x).sin(),
}
INPUTS = {
    "vector": lambda m: m.tensor([1.0, 2.0]),
    "number": lambda m: m.tensor([3.0]),
    "pair": lambda m: (m.tensor([1.0, 2.0]), m.tensor([3.0, 4.0])),
    "recorded pair": lambda m: (
        m.tensor([1.0, 2.0], requires_grad=True),
        m.tensor([3.0, 4.0], requires_grad=True),
    ),
    "tuple of one": lambda m: (m.tensor([1.0, 2.0]),),
    "no tensor": lambda m: 3,
}
VECTORS = {
    "none": lambda m, given: None,
    "like the inputs": lambda m, given: given,
    "too long": lambda m, given: m.tensor([1.0, 1.0, 1.0]),
    "no tensor": lambda m, given: 5,
}


def structure(result):
    if isinstance(result, tuple):
        return tuple(map(structure, result))
    rounded = [round(v, 4) for v in result.detach().reshape(-1).tolist()]
    return tuple(result.shape), result.requires_grad, str(result.dtype), rounded


def outcome(module, function, name, given, options):
    """Return the structure of the result, or the types and the first line of the error."""
    arguments = INPUTS[given](module)
    options = dict(options)
    if "v" in options:
        options["v"] = VECTORS[options["v"]](module, arguments)
    try:
        found = getattr(module.autograd.functional, name)(
            FUNCTIONS[function](module), arguments, **options
        )
    except Exception as error:  # noqa: BLE001 - whatever is raised is compared
        text = re.sub(r"<class '.*?'>", "<class>", str(error).split("\n")[0])
        kinds = [kind for kind in type(error).__mro__ if kind.__module__ == "builtins"]
        return kinds, text
    return structure(found)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", ["vjp", "jvp", "vhp", "hvp"])
def test_products_are_those_of_pytorch(function, name):
    for given, v, create_graph, strict in itertools.product(
        INPUTS, VECTORS, (False, True), (False, True)
    ):
        options = {"v": v, "create_graph": create_graph, "strict": strict}
        ours = outcome(cr, function, name, given, options)
        theirs = outcome(torch, function, name, given, options)
        assert_same(ours, theirs, (given, options))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", ["jacobian", "hessian"])
def test_matrices_are_those_of_pytorch(function, name):
    for given, create_graph, strict, vectorize in itertools.product(
        INPUTS, (False, True), (False, True), (False, True)
    ):
        options = {"create_graph": create_graph, "strict": strict, "vectorize": vectorize}
        ours = outcome(cr, function, name, given, options)
        theirs = outcome(torch, function, name, given, options)
        assert_same(ours, theirs, (given, options))


def assert_same(ours, theirs, what):
    if isinstance(theirs[0], list):
        assert set(theirs[0]) <= set(ours[0]), (what, ours, theirs)
        assert ours[1] == theirs[1], what
    else:
        assert ours == theirs, what
