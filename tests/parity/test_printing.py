"""Tensors print as PyTorch's do, to the character."""

from __future__ import annotations

import math

import pytest
import torch

import chainrule

VALUES = {
    "number": 1.5,
    "whole": [1.0, -2.0, 300.0],
    "fractions": [[0.1, -22.25], [3.0, 4.125]],
    "tiny and huge": [1e-7, 1.0, 1e9],
    "wide range": [0.001, 123456.0],
    "tiny": [1e-5, 2e-5],
    "large whole": [1e7, 2e7],
    "very large whole": [1e10, 1.0],
    "nan and inf": [math.nan, math.inf, -math.inf, 1.5],
    "nan and inf and whole": [math.nan, math.inf, 2.0],
    "zeros": [0.0, -0.0],
    "empty": [],
    "rows of nothing": [[], []],
    "three dimensions": [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.5]]],
    "long row": [i / 7 for i in range(40)],
    "integers": [1, -20, 300],
    "truths": [[True, False]],
    "complex": [1 + 2j, -0.5 + 0.25j],
    "complex whole": [1 + 2j, 3 - 4j],
}


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_values_print_the_same(values):
    assert repr(chainrule.tensor(values)) == repr(torch.tensor(values))


@pytest.mark.parametrize("name", ["float16", "float64", "int32", "uint8", "complex128"])
def test_dtypes_that_are_not_the_default_are_named(name):
    ours = chainrule.tensor([1, 2], dtype=getattr(chainrule, name))

    assert repr(ours) == repr(torch.tensor([1, 2], dtype=getattr(torch, name)))


@pytest.mark.parametrize(
    "shape", [(), (1,), (0,), (2, 0), (0, 3), (3, 4), (1001,), (40, 30), (7, 8, 20)]
)
def test_shapes_print_the_same(shape):
    count = math.prod(shape)
    ours = chainrule.arange(count).reshape(shape) * 0.5
    theirs = torch.arange(count).reshape(shape) * 0.5

    assert repr(ours) == repr(theirs)
    assert repr(ours.to(chainrule.int64)) == repr(theirs.to(torch.int64))


def with_history(lib):
    x = lib.tensor([1.5, 2.0], requires_grad=True)
    base = x * 2
    base[0] = 1.0
    yield x
    yield x * 2
    yield (x * 2).sum()
    yield x.exp().detach()
    yield x.reshape(2, 1).t()
    yield base
    yield lib.nn.Parameter(lib.tensor([[1.0, 2.0]]))
    yield lib.ones(30, requires_grad=True) * lib.tensor([1.25])
    yield lib.tensor([1.0, 3.0], requires_grad=True).max(0)
    yield lib.Size([2, 3])
    yield lib.float32
    yield lib.device("cpu")


@pytest.mark.parametrize("number", range(12))
def test_history_is_printed_the_same(number):
    ours, theirs = ([*with_history(lib)][number] for lib in (chainrule, torch))

    assert repr(ours) == repr(theirs)


OPTIONS = [
    {"precision": 2},
    {"precision": 8},
    {"threshold": 5, "edgeitems": 1},
    {"linewidth": 30},
    {"sci_mode": True},
    {"sci_mode": False},
    {"profile": "short"},
    {"profile": "full"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
def test_options_of_printing_do_the_same(options):
    texts = []
    for lib in (chainrule, torch):
        lib.set_printoptions(**options)
        row = lib.tensor([1e-6, 0.5, 100.0, 2.0, 3.0, 4.0, 5.0])
        texts.append([repr(row), repr(lib.stack([row, row])), repr(lib.tensor([1, 22, 3] * 400))])
        lib.set_printoptions(profile="default")

    assert texts[0] == texts[1]


def test_numbers_are_formatted_alike():
    for lib in (chainrule, torch):
        x = lib.tensor(3.14159)
        assert f"{x:.2f}" == "3.14"
        assert f"{lib.tensor([1.0])}" == "tensor([1.])"
        assert f"{lib.tensor(2)}" == "2"


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("count", [2, 5])
def test_dual_tensors_print_the_same(count):
    def shown(lib):
        x = lib.arange(float(count))
        with lib.autograd.forward_ad.dual_level():
            dual = lib.autograd.forward_ad.make_dual(x, lib.ones(count))
            return repr(dual), repr(dual * 2.5)

    assert shown(chainrule) == shown(torch)
