"""Every module of PyTorch's own table of modules: the same numbers, gradients, names and text."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest
import torch
from torch.testing._internal.common_modules import module_db

import chainrule

SAMPLES = 6


def name_of(info):
    return info.module_cls.__name__


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    INFOS = [
        pytest.param(info, train, id=f"{info.formatted_name}-{'train' if train else 'eval'}")
        for info in module_db
        if hasattr(torch.nn, name_of(info))
        for train in ((True, False) if info.train_and_eval_differ else (True,))
    ]


def is_tensor(item):
    return isinstance(item, torch.Tensor)


def to_ours(item, made):  # noqa: PLR0911 - a kind of argument per return
    """Return *item* with chainrule's tensors, modules and functions in place of PyTorch's.

    A tensor that occurs twice is one tensor here too.
    """
    if isinstance(item, torch.Tensor):
        if id(item) not in made:
            found = chainrule.tensor(item.detach().numpy().copy())
            made[id(item)] = (item, found.requires_grad_(item.requires_grad))
        return made[id(item)][1]
    if isinstance(item, (list, tuple)) and type(item) in {list, tuple}:
        return type(item)(to_ours(part, made) for part in item)
    if isinstance(item, torch.dtype):
        return getattr(chainrule, str(item).removeprefix("torch."))
    if isinstance(item, torch.device):
        return chainrule.device(str(item))
    if isinstance(item, torch.nn.Module):
        return own_module(item)
    name = getattr(item, "__name__", "")
    if name and getattr(torch.nn.functional, name, None) is item:
        return getattr(chainrule.nn.functional, name)
    return item


def own_module(module):
    """Return our module of the same class that a test passes as an argument, without options."""
    if isinstance(module, torch.nn.TransformerEncoderLayer | torch.nn.TransformerDecoderLayer):
        layer = getattr(chainrule.nn, type(module).__name__)(
            module.linear1.in_features,
            module.self_attn.num_heads,
            module.linear1.out_features,
            module.dropout.p,
            module.activation.__name__,
            batch_first=module.self_attn.batch_first,
            norm_first=module.norm_first,
            bias=module.linear1.bias is not None,
            dtype=chainrule.float64,
        )
        state = {k: chainrule.tensor(v.numpy()) for k, v in module.state_dict().items()}
        layer.load_state_dict(state)
        return layer
    return getattr(chainrule.nn, type(module).__name__)()


def floating(module):
    return module.to((torch if isinstance(module, torch.nn.Module) else chainrule).float64)


def is_waiting(module):
    """Return whether a lazy module has no parameters yet."""
    lazy = getattr(module, "has_uninitialized_params", None)
    return lazy is not None and lazy()


def samples_of(info, train):
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        every = info.module_inputs_func(
            info, device="cpu", dtype=torch.float64, requires_grad=True, training=train
        )
        return [s for s in every if s.forward_input is not None][:SAMPLES]


def built(library, cls, args, kwargs, train):
    """Return a module made from a seed, in double precision where its samples do not say."""
    library.manual_seed(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = cls(*args, **kwargs)
    module.train(train)
    return module


def outputs_of(result):
    kinds = (torch.Tensor, chainrule.Tensor)
    if isinstance(result, kinds):
        return [result]
    parts = result if isinstance(result, (list, tuple)) else []
    return [t for part in parts for t in outputs_of(part)]


def run(library, module, args, kwargs):
    """Return outputs, and the gradients of all parameters and inputs that require one."""
    library.manual_seed(11)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = outputs_of(module(*args, **kwargs))
    leaves = [
        *module.parameters(),
        *(t for t in outputs_of([*args, *kwargs.values()]) if t.requires_grad),
    ]
    smooth = [t for t in outputs if t.requires_grad]
    grads = []
    if smooth and leaves:
        total = sum((t.sin().sum() for t in smooth), start=library.zeros((), dtype=library.float64))
        grads = library.autograd.grad(total, leaves, allow_unused=True)
    return outputs, grads


def same(found, expected, text):
    assert len(found) == len(expected), text
    for mine, other in zip(found, expected, strict=True):
        if mine is None or other is None:
            left = other if mine is None else mine
            assert left is None or not bool((left != 0).any()), text
            continue
        assert tuple(mine.shape) == tuple(other.shape), text
        np.testing.assert_allclose(
            mine.detach().numpy(), other.detach().numpy(), rtol=1e-5, atol=1e-6, err_msg=text,
            equal_nan=True,
        )  # fmt: skip


@pytest.mark.parametrize(("info", "train"), INFOS)
def test_module_is_pytorchs(info, train):
    cls = getattr(chainrule.nn, name_of(info))
    for sample in samples_of(info, train):
        given, fed = sample.constructor_input, sample.forward_input
        text = f"{name_of(info)}{given.args}{given.kwargs} of {fed.args} {fed.kwargs}"
        theirs = built(torch, info.module_cls, given.args, given.kwargs, train)
        kwargs = {k: to_ours(v, {}) for k, v in given.kwargs.items()}
        ours = built(chainrule, cls, to_ours(list(given.args), {}), kwargs, train)

        assert repr(ours) == repr(theirs), text
        assert list(ours.state_dict()) == list(theirs.state_dict()), text
        assert dict(ours.state_dict()._metadata) == dict(theirs.state_dict()._metadata), text
        if not is_waiting(theirs):  # from the same seed, the same numbers
            same(list(ours.state_dict().values()), list(theirs.state_dict().values()), text)

        made = {}
        args = to_ours(list(fed.args), made)
        named = {k: to_ours(v, made) for k, v in fed.kwargs.items()}
        theirs, ours = floating(theirs), floating(ours)
        if not is_waiting(theirs):
            state = {k: chainrule.tensor(v.numpy()) for k, v in theirs.state_dict().items()}
            ours.load_state_dict(state)
        expected, wanted = run(torch, theirs, list(fed.args), fed.kwargs)
        found, grads = run(chainrule, ours, args, named)
        same(found, expected, text)
        same(grads, wanted, text)
        same(list(ours.buffers()), list(theirs.buffers()), text)


def test_every_module_of_pytorch_is_here_or_is_listed():
    missing = {
        name
        for name in torch.nn.modules.__all__
        if inspect.isclass(getattr(torch.nn, name)) and not hasattr(chainrule.nn, name)
    }

    assert missing == {"Container"}
