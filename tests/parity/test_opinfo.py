"""PyTorch's own samples of its operators (OpInfo), where chainrule has one of the same name."""

from __future__ import annotations

import itertools
import operator
import warnings

import numpy as np
import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

import chainrule
from chainrule.testing.tolerances import TOLERANCES

SAMPLES = 8
SEED = 42  # some of PyTorch's OpInfos set this one themselves
LARGEST = 400  # elements: what is larger tests patience, not correctness

#: OpInfos that are left out, and why.
NOT_COMPARED = {
    "as_strided_partial_views": "its samples lie in a larger memory, which is not brought over",
    "empty": "it gives whatever the memory held",
    "empty_like": "likewise",
    "empty_strided": "likewise",
    "normal_in_place": "it is the method normal_, which writes",
    "nn_functional_triplet_margin_with_distance_loss": "its samples bring modules of PyTorch",
    "rand_like": "its OpInfo draws normal numbers",
    "norm_nuc": "it needs singular values, which are not there yet",
}
#: How much looser the tolerance is where PyTorch's own result is off.
LOOSER = {"polygamma": 200}  # PyTorch's trigamma is right to nine digits
#: Ops of whose results only the first is compared: the indices of ties are anybody's choice.
TIES = ("kthvalue", "topk", "mode", "median", "nanmedian")
#: OpInfos whose tensor stands first, where the function takes it later.
ORDER = {
    "einsum": lambda tensors, equation: (equation, *tensors),
    "normal_number_mean": lambda std, mean, *size: (mean, std, *size),
    "nn.functional.embedding": lambda weight, index, **_: (index, weight),
    "polygamma": lambda tensor, n: (n, tensor),
    "where": lambda tensor, condition, other: (condition, tensor, other),
}


def ours(name):
    """Return what chainrule has of that name, or None."""
    try:
        return operator.attrgetter(name)(chainrule)
    except (AttributeError, ImportError):
        return None


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    CASES = [
        pytest.param(info, dtype, id=f"{info.formatted_name}-{str(dtype).removeprefix('torch.')}")
        for info in op_db
        if callable(ours(info.name)) and info.formatted_name not in NOT_COMPARED
        for dtype in (torch.float64, torch.float32, torch.int64)
        if dtype in info.dtypes
    ]


def samples(info, dtype):
    """Return the first small samples of *info*."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        every = info.sample_inputs("cpu", dtype, requires_grad=False)
        return list(itertools.islice((s for s in every if is_small(s)), SAMPLES))


def is_small(sample):
    return all(
        t.numel() <= LARGEST
        for t in tensors_in([sample.input, *sample.args, *sample.kwargs.values()])
    )


def tensors_in(item):
    if isinstance(item, torch.Tensor):
        return [item]
    return [t for part in item for t in tensors_in(part)] if isinstance(item, (list, tuple)) else []


def to_ours(item):
    """Return *item* with chainrule's tensors and dtypes in place of PyTorch's."""
    if isinstance(item, torch.Tensor):
        return chainrule.tensor(item.detach().resolve_conj().numpy()).requires_grad_(
            item.requires_grad
        )
    if isinstance(item, (list, tuple)):
        return type(item)([to_ours(part) for part in item])
    if isinstance(item, torch.dtype):
        return getattr(chainrule, str(item).removeprefix("torch."))
    return item


def outcome(function, args, kwargs):
    """Return the result, or the exception that was raised."""
    torch.manual_seed(SEED)
    chainrule.manual_seed(SEED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **kwargs), None
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        return None, error


@pytest.mark.parametrize(("info", "dtype"), CASES)
def test_pytorchs_own_samples_give_the_same(info, dtype):
    for sample in samples(info, dtype):
        args = [to_ours(sample.input), *to_ours(sample.args)]
        kwargs = {name: to_ours(value) for name, value in sample.kwargs.items()}
        expected, refused = outcome(info.op, [sample.input, *sample.args], sample.kwargs)
        found, error = outcome(ours(info.name), reorder_of(info)(*args), kwargs)
        text = f"{info.name}{args}, {kwargs}"

        assert (error is None) == (refused is None), (
            f"{text}\nours: {error!r}\nPyTorch: {refused!r}"
        )
        if refused is None and info.name in TIES and isinstance(expected, tuple):
            found, expected = found[0], expected[0]
        if refused is None:
            assert_same(found, expected, dtype, text, 5 * LOOSER.get(info.name, 1))


def reorder_of(info):
    return ORDER.get(info.formatted_name) or ORDER.get(info.name) or (lambda *args: args)


def assert_same(found, expected, dtype, text, looser):
    if isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), text
        for mine, other in zip(found, expected, strict=True):
            assert_same(mine, other, dtype, text, looser)
        return
    if not isinstance(expected, torch.Tensor):
        assert found == expected, text
        return
    assert str(found.dtype) == str(expected.dtype), text
    assert tuple(found.shape) == tuple(expected.shape), text
    names = {str(d).removeprefix("torch.") for d in (dtype, expected.dtype)}
    relative, absolute = (max(TOLERANCES[name][i] for name in names) for i in (0, 1))
    np.testing.assert_allclose(
        found.detach().numpy(), expected.detach().resolve_conj().numpy(),
        rtol=looser * relative, atol=looser * absolute, err_msg=text,
    )  # fmt: skip
