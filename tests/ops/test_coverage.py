"""Promises about the set of ops: each has samples, each kernel an op, each op is run."""

from __future__ import annotations

import pytest

import chainrule
from chainrule import backend as registry
from chainrule.op import Op, all_ops
from chainrule.ops import _late
from chainrule.testing import checks, walk
from chainrule.testing.samples import all_cases

chainrule.ops.load_late()
CASES = list(all_cases())
CORE_OPS = {name: op for name, op in all_ops.items() if name.startswith("cr::")}

#: Those that are imported at once, and those that come late.
PUBLIC = [*chainrule.ops.__all__, *(name for name in _late.WHERE if name[0] != "_")]

#: Public names of `chainrule.ops` that need no samples, and why.
WITHOUT_SAMPLES = {
    "from_dlpack": "tests/ops/test_exchange.py, with arrays of other libraries",
    "from_cupy": "tests/cupy, where CuPy is installed",
    "get_default_device": "a setting: nothing is computed",
    "set_default_device": "a setting: nothing is computed",
    "range": "tests/ops/test_memory_layout.py: it warns",
    **dict.fromkeys(
        (
            "dim_order",
            "is_set_to",
            "new_empty_strided",
            "storage",
            "storage_offset",
            "untyped_storage",
        ),
        "tests/ops/test_memory_layout.py: about the memory, not about values",
    ),
}

#: Ops that no sample runs, since they give nothing back and write; and where they are tested.
WITHOUT_RESULT = {
    **dict.fromkeys(
        (
            "_count_steps_",
            "_fused_adadelta_",
            "_fused_adagrad_",
            "_fused_adam_",
            "_fused_adam_on_device_",
            "_fused_adamax_",
            "_fused_nadam_",
            "_fused_radam_",
            "_fused_rmsprop_",
            "_fused_sgd_",
            "_fused_sgd_on_device_",
            "_zeros_beside_",
        ),
        "tests/optim",
    ),
    "_write_at_": "tests/semantics, as the assignment to an item",
    **dict.fromkeys(
        (
            "bernoulli",
            "cauchy",
            "exponential",
            "geometric",
            "log_normal",
            "normal",
            "random",
            "uniform",
        ),
        "tests/core and tests/parity/test_random.py, as the methods with an underscore",
    ),
}


def covered():
    """Return all that a case names: a function that asks equals the one it stands for."""
    return {case.operation() for case in CASES}


def test_every_public_op_has_samples():
    known = covered()
    bare = [
        name
        for name in PUBLIC
        if getattr(chainrule.ops, name) not in known and name not in WITHOUT_SAMPLES
    ]

    assert bare == []


def test_every_name_that_is_excused_exists_and_has_no_samples():
    known = covered()

    assert set(WITHOUT_SAMPLES) <= set(PUBLIC)
    assert [n for n in WITHOUT_SAMPLES if getattr(chainrule.ops, n) in known] == []


def test_no_two_cases_have_one_name():
    names = [case.name for case in CASES]

    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_every_kernel_has_an_op(backend):
    kernels = {name for table in registry.by_name(backend).kernels.values() for name in table}

    assert sorted(name for name in kernels - all_ops.keys() if name.startswith("cr::")) == []


def test_every_op_has_a_kernel_or_a_body(backend):
    live = registry.by_name(backend)
    bare = [
        name
        for name, op in CORE_OPS.items()
        if op.kind == "primitive" and not live.find_kernel(name)
    ]

    assert bare == []


def is_elementwise(case):
    op = case.operation()
    return isinstance(op, Op) and op.promote is not None


@pytest.mark.cases(suits=is_elementwise)
def test_elementwise_op_is_sampled_with_no_dimension_and_with_no_element(case, device):
    shapes = [
        tuple(tensor.shape)
        for sample in walk.samples(case, case.dtypes[0], device)
        for tensor in walk.tensors_of(sample)
    ]

    assert () in shapes
    assert any(0 in shape for shape in shapes)


@pytest.mark.parametrize("op", CORE_OPS.values(), ids=lambda op: op.name)
def test_every_floating_input_has_a_rule_or_says_that_it_has_none(op):
    if op.kind == "composite" and not op.rules:
        return  # its parts have the rules

    assert set(op.differentiable) - op.rules.keys() == set()


def test_every_op_is_run_by_some_sample(backend, device):
    """Forward and twice backward over all samples, with every op's kernel forgotten before."""
    live = registry.by_name(backend)
    for op in CORE_OPS.values():
        op.reset(live.index)
    for case in CASES:
        name = next((d for d in ("float64", *case.dtypes) if d in case.dtypes), None)
        for sample in walk.samples(case, name, device, requires_grad=case.grad):
            checks.with_derivatives(case, sample)
    never = {name.removeprefix("cr::") for name, op in CORE_OPS.items() if is_unused(op, live)}

    assert never <= WITHOUT_RESULT.keys() <= {n.removeprefix("cr::") for n in CORE_OPS}


def is_unused(op, live):
    """Return whether *op* has a kernel that was not asked for since it was forgotten."""
    forgotten = getattr(op.table[live.index], "__qualname__", "").startswith("Op.reset.")
    return forgotten and live.find_kernel(op.name) is not None
