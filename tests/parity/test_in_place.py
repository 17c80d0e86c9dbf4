"""Every in-place method on PyTorch's own samples: values, version, node, gradients, refusals."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

import chainrule
from chainrule.errors import AbsentError

SAMPLES = 6
DTYPES = (torch.float64, torch.complex128, torch.int64, torch.bool)

#: Methods that are left out, and why.
NOT_COMPARED = {
    "abs_": "PyTorch refuses complex tensors, chainrule keeps their dtype",
    "addbmm_": "PyTorch's may give its target another shape",
    "addr_": "the sentence for a target of another shape differs",
    "index_reduce_": "its node of a 0-d tensor differs",
    "ldexp_": "the sentence for integers differs",
    "logical_and_": "PyTorch's keeps the old history, and with it a wrong gradient",
    "logical_not_": "likewise",
    "logical_or_": "likewise",
    "logical_xor_": "likewise",
    "masked_scatter_": "the sentence for a mask of another shape differs",
    "mvlgamma_": "the sentence for integers differs",
    "bernoulli_": "the numbers drawn are compared in test_random.py",
    "geometric_": "likewise",
}
#: Methods whose gradient PyTorch does not have in place.
NO_GRADIENT = {"acosh_", "asinh_", "atanh_"}


def method_of(info):
    return f"{info.name.rsplit('.', 1)[-1]}_"


def cases():
    """Yield every in-place method with every dtype that it takes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for info in op_db:
            name = method_of(info)
            if (
                info.inplace_variant is not None
                and hasattr(torch.Tensor, name)
                and not info.variant_test_name
                and name not in NOT_COMPARED
            ):
                for dtype in DTYPES:
                    if dtype in info.dtypes:
                        yield pytest.param(
                            info, dtype, id=f"{name}-{str(dtype).removeprefix('torch.')}"
                        )


def samples(info, dtype, differentiated):
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        every = info.sample_inputs("cpu", dtype, requires_grad=differentiated)
        small = (s for s in every if isinstance(s.input, torch.Tensor) and s.input.numel() < 300)
        return list(itertools.islice(small, SAMPLES))


def brought(item, lib):
    """Return *item* with its tensors and dtypes as those of *lib*, anew."""
    if isinstance(item, torch.Tensor):
        values = item.detach().resolve_conj().resolve_neg().numpy().copy()
        return lib.tensor(values).requires_grad_(item.requires_grad)
    if isinstance(item, torch.dtype):
        return getattr(lib, str(item).removeprefix("torch."))
    if isinstance(item, (list, tuple)):
        return type(item)([brought(part, lib) for part in item])
    return item


def leaves_in(item, kind):
    if isinstance(item, kind):
        return [item]
    parts = item if isinstance(item, (list, tuple)) else ()
    return [leaf for part in parts for leaf in leaves_in(part, kind)]


def outcome(lib, name, sample, differentiated):
    """Return what the method does to its target, and the gradients; or how it is refused."""
    lib.manual_seed(1)
    target, args, kwargs = (
        brought(part, lib) for part in (sample.input, sample.args, list(sample.kwargs.values()))
    )
    leaves = [x for part in (target, args, kwargs) for x in leaves_in(part, lib.Tensor)]
    target = target * 1 if differentiated and target.requires_grad else target
    try:
        same = getattr(target, name)(*args, **dict(zip(sample.kwargs, kwargs, strict=True)))
    except (RuntimeError, TypeError, IndexError, ValueError) as error:
        return {"refused": str(error).partition("\n")[0]}
    node = target.grad_fn
    found = {
        "returned": same is target, "dtype": str(target.dtype), "version": target._version,
        "values": target.detach().numpy().copy(), "requires_grad": target.requires_grad,
        "node": node and node.name(),
    }  # fmt: skip
    if differentiated and target.requires_grad and name not in NO_GRADIENT:
        weights = lib.tensor(np.linspace(1.0, 2.0, target.numel())).reshape(tuple(target.shape))
        loss = (target * weights).sum()
        (loss.abs() if loss.is_complex() else loss).backward()
        found["gradients"] = [
            None if x.grad is None else (x.grad + 0).resolve_conj().numpy() for x in leaves
        ]
    return found


def same(mine, other):
    if isinstance(other, np.ndarray):
        return mine.shape == other.shape and np.allclose(
            mine, other, rtol=1e-6, atol=1e-8, equal_nan=True
        )
    if isinstance(other, list):
        return len(mine) == len(other) and all(map(same, mine, other))
    return mine == other


@pytest.mark.filterwarnings("ignore")  # both libraries warn of what samples do on purpose
@pytest.mark.parametrize(("info", "dtype"), list(cases()))
def test_method_does_to_its_target_what_pytorchs_does(info, dtype):
    name = method_of(info)
    differentiated = info.supports_autograd and (dtype.is_floating_point or dtype.is_complex)
    for sample in samples(info, dtype, differentiated):
        ours, theirs = (outcome(lib, name, sample, differentiated) for lib in (chainrule, torch))
        assert ours.keys() == theirs.keys(), f"{sample}\nours:    {ours}\nPyTorch: {theirs}"
        for what, found in ours.items():
            assert same(found, theirs[what]), (
                f"{what} of {name}, {sample}\nours:    {found}\nPyTorch: {theirs[what]}"
            )


def test_every_in_place_method_of_pytorch_is_there():
    for name in dir(torch.Tensor):
        if name.endswith("_") and not name.startswith("_"):
            assert hasattr(chainrule.Tensor, name)


@pytest.mark.parametrize(
    "name", ["resize_as_sparse_", "sparse_resize_", "sparse_resize_and_clear_"]
)
def test_in_place_methods_of_sparse_tensors_say_that_there_are_none(name):
    with pytest.raises(AbsentError, match="There are no sparse tensors"):
        getattr(chainrule.ones(1), name)()
