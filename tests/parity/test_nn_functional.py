"""Functions of `nn.functional` on PyTorch's own samples: values, gradients, nodes."""

from __future__ import annotations

import itertools
import operator
import warnings

import numpy as np
import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

import chainrule

SAMPLES = 40
LARGEST = 2000  # elements: what is larger tests patience, not correctness
SEED = 42

#: OpInfos that are left out, and why.
NOT_COMPARED = {
    "nn.functional.triplet_margin_with_distance_loss": "its samples bring modules of PyTorch",
    "nn.functional.scaled_mm": "float8 is no dtype here",
    "nn_functional_linear_cross_entropy_chunked": "PyTorch's chunks lose second derivatives",
    "nn_functional_linear_cross_entropy_chunked_none": "PyTorch's chunks refuse second derivatives",
}
#: OpInfos whose tensor stands first, where the function takes it later.
#: What PyTorch computes with a constant rounded to float32, even in float64.
COARSE = {"nn.functional.hardsigmoid": 1e-6}
#: Nodes that differ on purpose.
OTHER_NODES = {
    "nn.functional.cross_entropy": "DivBackward0",  # of soft labels, by a number
    "nn.functional.linear_cross_entropy": "DivBackward0",  # likewise
    "nn.functional.pad": "CatBackward0",
    "nn.functional.native_channel_shuffle": "",
}
ORDER = {"nn.functional.embedding": lambda weight, index, *rest: (index, weight, *rest)}


def ours(name):
    try:
        return operator.attrgetter(name)(chainrule)
    except (AttributeError, ImportError):
        return None


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    CASES = [
        pytest.param(info, id=info.formatted_name)
        for info in op_db
        if info.name.startswith("nn.functional.")
        and callable(ours(info.name))
        and not NOT_COMPARED.keys() & {info.name, info.formatted_name}
        and torch.float64 in info.dtypes
    ]


def tensors_in(item):
    if isinstance(item, torch.Tensor | chainrule.Tensor):
        return [item]
    return [t for part in item for t in tensors_in(part)] if isinstance(item, (list, tuple)) else []


def to_ours(item):
    if isinstance(item, torch.Tensor):
        made = chainrule.tensor(item.detach().resolve_conj().numpy())
        return made.requires_grad_(item.requires_grad)
    if isinstance(item, (list, tuple)):
        return type(item)([to_ours(part) for part in item])
    if isinstance(item, torch.dtype):
        return getattr(chainrule, str(item).removeprefix("torch."))
    return item


def samples_of(info):
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        every = info.sample_inputs("cpu", torch.float64, requires_grad=True)
        small = (
            s
            for s in every
            if all(t.numel() <= LARGEST for t in tensors_in([s.input, *s.args, *s.kwargs.values()]))
        )
        return list(itertools.islice(small, SAMPLES))


def results(library, function, args, kwargs):
    """Return the outputs, the gradients of a sum that weighs them, and those of the gradients."""
    library.manual_seed(SEED)
    leaves = [t for t in tensors_in([*args, *kwargs.values()]) if t.requires_grad]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = tensors_in(function(*args, **kwargs))
    found = [outputs]
    smooth = [t for t in outputs if t.requires_grad]
    if not smooth:
        return found, None
    node = smooth[0].grad_fn
    total = sum((t.sin().sum() for t in smooth), start=library.zeros((), dtype=library.float64))
    first = library.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
    found.append(first)
    again = [t for t in first if t is not None and t.requires_grad]
    if again:
        total = sum((t.sin().sum() for t in again), start=library.zeros((), dtype=library.float64))
        try:
            found.append(library.autograd.grad(total, leaves, allow_unused=True))
        except (RuntimeError, NotImplementedError):
            found.append(None)
    return found, node.name() if node is not None else None


def same(found, expected, text, relative=1e-8):
    assert len(found) == len(expected), text
    for mine, other in zip(found, expected, strict=True):
        if other is None or mine is None:
            zero = mine if other is None else other
            assert zero is None or not bool((zero != 0).any()), text
            continue
        assert tuple(mine.shape) == tuple(other.shape), text
        # What is summed up is as exact as its largest terms.
        largest = float(other.detach().abs().max()) if other.numel() else 0.0
        np.testing.assert_allclose(
            mine.detach().numpy(), other.detach().numpy(), rtol=relative,
            atol=0.1 * relative * max(1.0, largest if largest < np.inf else 1.0), err_msg=text,
            equal_nan=True,
        )  # fmt: skip


@pytest.mark.parametrize("info", CASES)
def test_values_and_gradients_of_both_orders_are_pytorchs(info):
    for sample in samples_of(info):
        args = [sample.input, *sample.args]
        mine = ORDER.get(info.name, lambda *a: a)(*to_ours(args))
        kwargs = {name: to_ours(value) for name, value in sample.kwargs.items()}
        text = f"{info.name}{mine}, {kwargs}"
        expected, node = results(torch, info.op, args, sample.kwargs)
        found, own_node = results(chainrule, ours(info.name), mine, kwargs)

        for order, (a, b) in enumerate(zip(found, expected, strict=False)):
            if a is not None and b is not None:
                same(a, b, f"{text}\norder {order}", COARSE.get(info.name, 1e-8))
        assert own_node in {node, OTHER_NODES.get(info.name)}, text
