"""PyTorch's own samples of its operators (OpInfo), where chainrule has one of the same name.

What is left out stands in tools/opinfo_coverage.py, which writes docs/reference/parity.md.
"""

from __future__ import annotations

import importlib.util
import itertools
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import chainrule
from chainrule.testing.tolerances import TOLERANCES

pytestmark = pytest.mark.opinfo

_TOOL = Path(__file__).parents[2] / "tools" / "opinfo_coverage.py"
_SPEC = importlib.util.spec_from_file_location("opinfo_coverage", _TOOL)
coverage = sys.modules[_SPEC.name] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(coverage)
ours = coverage.ours

SAMPLES = 6
SAMPLES_WITH_DERIVATIVES = 3
SEED = 42  # some of PyTorch's OpInfos set this one themselves
LARGEST = 400  # elements: what is larger tests patience, not correctness
LARGEST_WITH_DERIVATIVES = 100

#: How much looser the tolerance is, and why.
LOOSER = {
    "polygamma": 200,  # PyTorch's trigamma is right to nine digits
    "special.polygamma": 200,  # likewise
    "matrix_exp": 1e4,  # of matrices with elements near 10: the condition of the problem
    "linalg.matrix_exp": 1e4,  # likewise
    "linalg.cond": 1e3,  # of nearly singular matrices
    "special.zeta": 1e2,  # PyTorch's is a cut-off series
    # PyTorch's Bessel functions are off by 2e-7 around x = 5; SciPy's and mpmath's agree with ours.
    **dict.fromkeys([f"special.bessel_{kind}" for kind in ("j0", "j1", "y0", "y1")], 1e7),
    "special.airy_ai": 1e7,  # likewise, by 3e-9 near x = -3
}
#: Ops of whose results only the first is compared: the indices of ties are anybody's choice.
TIES = ("kthvalue", "topk", "mode", "median", "nanmedian")
#: OpInfos whose tensor stands first, where the function takes it later.
ORDER = {
    "einsum": lambda tensors, equation: (equation, *tensors),
    "normal_number_mean": lambda std, mean, *size: (mean, std, *size),
    "nn.functional.embedding": lambda weight, index, **_: (index, weight),
    "polygamma": lambda tensor, n: (n, tensor),
    "special_polygamma_special_polygamma_n_0": lambda tensor, n: (n, tensor),
    "where": lambda tensor, condition, other: (condition, tensor, other),
}
DTYPES = (torch.float64, torch.float32, torch.int64, torch.complex128)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    INFOS = coverage.compared()
    CASES = [
        pytest.param(info, dtype, id=f"{info.formatted_name}-{str(dtype).removeprefix('torch.')}")
        for info in INFOS
        for dtype in DTYPES
        if dtype in info.dtypes
    ]
    DERIVED = [
        pytest.param(info, id=info.formatted_name)
        for info in INFOS
        if torch.float64 in info.dtypes
        and info.supports_autograd
        and info.formatted_name not in coverage.NO_DERIVATIVES
    ]
    REFUSING = [
        pytest.param(info, id=info.formatted_name)
        for info in INFOS
        if info.error_inputs_func and info.formatted_name not in coverage.OTHER_REFUSALS
    ]


def samples(info, dtype, count=SAMPLES, largest=LARGEST, *, requires_grad=False):
    """Return the first small samples of *info*."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        every = info.sample_inputs("cpu", dtype, requires_grad=requires_grad)
        return list(itertools.islice((s for s in every if is_small(s, largest)), count))


def is_small(sample, largest):
    return all(
        t.numel() <= largest
        for t in tensors_in([sample.input, *sample.args, *sample.kwargs.values()])
    )


def tensors_in(item, kind=torch.Tensor):
    if isinstance(item, kind):
        return [item]
    if isinstance(item, dict):
        item = list(item.values())
    return (
        [t for part in item for t in tensors_in(part, kind)]
        if isinstance(item, (list, tuple))
        else []
    )


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


def call_of(info, sample):
    """Return the arguments of *sample*, as chainrule's function takes them."""
    args = [to_ours(sample.input), *to_ours(sample.args)]
    kwargs = {name: to_ours(value) for name, value in sample.kwargs.items()}
    return reorder_of(info)(*args), kwargs, f"{info.name}{args}, {kwargs}"


@pytest.mark.parametrize(("info", "dtype"), CASES)
def test_pytorchs_own_samples_give_the_same(info, dtype):
    for sample in samples(info, dtype):
        args, kwargs, text = call_of(info, sample)
        expected, refused = outcome(info.op, [sample.input, *sample.args], sample.kwargs)
        found, error = outcome(ours(info.name), args, kwargs)

        assert (error is None) == (refused is None), (
            f"{text}\nours: {error!r}\nPyTorch: {refused!r}"
        )
        if refused is None and info.name in TIES and isinstance(expected, tuple):
            found, expected = found[0], expected[0]
        if refused is None:
            assert_same(found, expected, dtype, text, 5 * LOOSER.get(info.name, 1))


@pytest.mark.parametrize("info", DERIVED)
def test_first_and_second_derivatives_over_pytorchs_samples(info):
    for sample in samples(
        info, torch.float64, SAMPLES_WITH_DERIVATIVES, LARGEST_WITH_DERIVATIVES, requires_grad=True
    ):
        args, kwargs, text = call_of(info, sample)
        process = sample.output_process_fn_grad or (lambda x: x)
        expected, refused = outcome(info.op, [sample.input, *sample.args], sample.kwargs)
        found, error = outcome(ours(info.name), args, kwargs)
        if refused is not None or error is not None:
            continue  # what raises is compared above
        theirs = derivatives(
            torch.autograd.grad,
            floating(tensors_in(process(expected))),
            wanted(tensors_in([sample.input, *sample.args, *sample.kwargs.values()])),
            second=info.supports_gradgrad,
        )
        mine = derivatives(
            chainrule.autograd.grad,
            floating(tensors_in(process(found), chainrule.Tensor)),
            wanted(tensors_in([*args, *kwargs.values()], chainrule.Tensor)),
            second=info.supports_gradgrad,
        )
        if isinstance(theirs, Exception):
            continue  # PyTorch has no derivative here; ours are checked by finite differences

        assert not isinstance(mine, Exception), f"{text}\n{mine!r}"
        for own, other in zip(mine, theirs, strict=False):
            if own is None or other is None:
                zero = other if own is None else own
                assert zero is None or not bool((zero.detach() != 0).any()), text
                continue
            assert_same(own, other, torch.float64, text, 1e4 * LOOSER.get(info.name, 1))


def floating(tensors):
    return [t for t in tensors if t.requires_grad]


wanted = floating


def derivatives(grad, outputs, inputs, *, second):
    """Return the gradients of a weighted sum, and those of theirs; or the exception."""
    if not outputs or not inputs:
        return []
    found = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            weights = [o.detach() * 0 + 0.75 for o in outputs]
            first = grad(outputs, inputs, weights, create_graph=second, allow_unused=True)
            found.extend(first)
            again = [g for g in first if g is not None and g.requires_grad]
            if second and again:
                weights = [g.detach() * 0 + 1.25 for g in again]
                found.extend(grad(again, inputs, weights, allow_unused=True))
    except (RuntimeError, NotImplementedError) as error:
        return error
    return found


@pytest.mark.parametrize("info", REFUSING)
def test_wrong_calls_of_pytorchs_raise_the_same(info):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = list(itertools.islice(info.error_inputs("cpu"), 12))
    for error_input in wrong:
        sample = error_input.sample_input
        try:
            args, kwargs, text = call_of(info, sample)
        except (TypeError, RuntimeError, ValueError):
            continue  # a tensor that cannot be brought over: on another device, sparse
        _, refused = outcome(info.op, [sample.input, *sample.args], sample.kwargs)
        _, error = outcome(ours(info.name), args, kwargs)
        if refused is None:
            continue
        kind = builtin_of(type(refused))

        assert error is not None, f"{text}\nnothing was raised\nPyTorch: {refused!r}"
        assert isinstance(error, kind), f"{text}\nours: {error!r}\nPyTorch: {refused!r}"


def builtin_of(kind):
    """Return the built-in exception that *kind* is, or derives from."""
    return next(c for c in kind.__mro__ if c.__module__ == "builtins")


def test_the_page_of_coverage_is_current():
    assert coverage.PAGE.read_text(encoding="utf-8") == coverage.page(), (
        "run tools/opinfo_coverage.py"
    )


def test_what_is_left_out_exists():
    names = {info.formatted_name for info in coverage.op_db}

    assert coverage.NOT_COMPARED.keys() - names == set()
    assert coverage.NO_DERIVATIVES.keys() - names == set()
    assert coverage.OTHER_REFUSALS.keys() - names == set()


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
        found.detach().numpy(), expected.detach().resolve_conj().numpy(force=True),
        rtol=looser * relative, atol=looser * absolute, err_msg=text,
    )  # fmt: skip
