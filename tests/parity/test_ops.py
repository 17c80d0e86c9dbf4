"""Every sample of every op, beside PyTorch: values, dtypes, derivatives, graph, errors."""

from __future__ import annotations

import contextlib
import itertools
import re

import numpy as np
import pytest
import torch

from chainrule import autograd
from chainrule.testing import walk
from chainrule.testing.maker import Maker
from chainrule.testing.tolerances import tolerance

#: Ops that PyTorch does not have, and why we do.
OURS_ALONE = {
    "copy": "what copy_ writes, as an op; PyTorch has it for its compiler alone",
    "zero": "what zero_ writes, likewise",
    "view_scatter": "a write through any view; PyTorch has one for each kind of view",
    "ops.fused.rms_norm": "several of PyTorch's ops in one node, for who calls it by name",
    "ops.fused.softmax_cross_entropy": "likewise",
}

#: Ops whose derivatives PyTorch refuses for some samples, and why.
UNDERIVED_BY_PYTORCH = {
    "cdist": "it has no second derivative",
    "detach_copy": "it has no derivative",
    "embedding_bag": "it has no second derivative with weights for each sample",
    "hardsigmoid": "it has no second derivative",
    "index_fill": "its backward takes no negative indices",
    "linalg.ldl_solve": "it has no derivative",
    "native_channel_shuffle": "it has no derivative",
    "nn.functional.group_norm": "its second derivative with a bias and no weight fails",
    "nn.functional.layer_norm": "likewise",
    "nn.functional.multi_margin_loss": "it has no second derivative",
    "nn.functional.multilabel_margin_loss": "it has no second derivative",
    "nn.functional.pdist": "it has no second derivative",
    "pdist": "it has no second derivative",
    "pixel_shuffle": "its backward takes no empty batch",
    "nn.functional.scaled_dot_product_attention": "its fused path has no second derivative",
    "scatter": "its backward takes no source larger than the index",
    "scatter_add": "its backward takes no source larger than the index",
    "segment_reduce": "it has no second derivative",
    "vander": "it writes over what its derivative needs",
    **dict.fromkeys(
        (
            "special.airy_ai",
            "special.bessel_j0",
            "special.bessel_j1",
            "special.bessel_y0",
            "special.bessel_y1",
            "special.modified_bessel_k0",
            "special.modified_bessel_k1",
            "special.scaled_modified_bessel_k0",
            "special.scaled_modified_bessel_k1",
            "special.spherical_bessel_j0",
        ),
        "it has no derivative",
    ),
}

#: Ops whose gradient does not depend on an input, and what PyTorch makes of that: it keeps the
#: input in order to give zeros as second derivative, where chainrule gives none; or, of an empty
#: batch or outside of training, the other way round.
ZERO_OR_NONE = frozenset({
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "avg_pool1d",
    "avg_pool2d", "avg_pool3d", "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d",
    "conv_transpose2d", "conv_transpose3d", "fractional_max_pool2d", "fractional_max_pool3d",
    "grid_sampler", "max_pool1d", "max_pool2d", "max_pool3d", "nn.functional.adaptive_max_pool1d",
    "nn.functional.adaptive_max_pool2d", "nn.functional.adaptive_max_pool3d",
    "nn.functional.batch_norm", "nn.functional.interpolate", "nn.functional.pad", "rnn_relu",
    "stft",
})  # fmt: skip

#: How far PyTorch's results are from the true values, where that is farther than they may be. How
#: exact ours are is tested beside mpmath and NumPy, in tests/ops.
INEXACT_IN_PYTORCH = {
    ("grid_sampler", "float32"): 4e-6,  # by cubes; ours are as far off to the other side
    ("hardsigmoid", "float64"): 5e-9,  # its slope is the float32 nearest to 1/6
    ("special.airy_ai", "float64"): 1e-6,
    ("special.bessel_j0", "float64"): 1e-6,
    ("special.bessel_j1", "float64"): 1e-6,
    ("special.bessel_y0", "float64"): 1e-6,
    ("special.bessel_y1", "float64"): 1e-6,
}

#: Ops of whose results only the first is for users; the others are notes for the backward pass,
#: which PyTorch leaves out where it does not need them.
ONE_RESULT = {"embedding_bag"}

#: Samples whose graph differs on purpose where that of other samples does not: which, and how.
DIFFERENT_GRAPHS = {
    "nn.functional.scaled_dot_product_attention": (
        lambda sample: "enable_gqa" in sample.kwargs,
        "shared heads are repeated first, where PyTorch's fused path knows them",
    ),
}

#: Ops whose gradients differ on purpose, and how.
DIFFERENT_GRADIENTS = {
    "as_strided_scatter": "PyTorch's is that of the elements that were overwritten",
}

FLOATING = ("float32", "float64", "complex64", "complex128")


def shared(case):
    return case.deterministic and case.name not in OURS_ALONE


def differentiable(case):
    return case.grad and shared(case)


@pytest.fixture(autouse=True)
def known(case, recorder):
    """Fail where PyTorch has no op of the name, unless a table says so."""
    if case.name not in OURS_ALONE:
        recorder.counterparts(case.name)


@pytest.fixture(autouse=True)
def quiet():
    """Run PyTorch without its warnings."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def assert_same(case, dtype, ours, theirs, *, looser=1):
    """Check that two lists of results agree in number, shape, dtype and value."""
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert str(mine.dtype) == str(other.dtype)
        assert tuple(mine.shape) == tuple(other.shape)
        relative, absolute = tolerance(case, dtype, mine.dtype.name)
        absolute = max(absolute, INEXACT_IN_PYTORCH.get((case.name, dtype), 0))
        np.testing.assert_allclose(
            mine.detach().numpy(),
            other.numpy(force=True),
            rtol=looser * relative, atol=looser * absolute,
        )  # fmt: skip


@pytest.mark.cases(suits=shared)
def test_values_shapes_and_dtypes_are_pytorchs(case, dtype, recorder):
    for sample, _, theirs in recorder.runs(case, dtype):
        with walk.naming(case, sample):
            ours = walk.run(case, sample)
            found, expected = walk.tensors_of(ours), recorder.tensors_in(theirs)

            if case.name in ONE_RESULT:
                found, expected = found[:1], expected[:1]
            assert found or ours == theirs
            assert_same(case, dtype, found, expected)


@pytest.mark.cases(suits=differentiable, dtypes=FLOATING)
def test_first_and_second_derivatives_are_pytorchs(case, dtype, recorder):
    if case.name in DIFFERENT_GRADIENTS:
        pytest.skip(f"different on purpose: {DIFFERENT_GRADIENTS[case.name]}")
    for sample, theirs, result in recorder.runs(case, dtype, requires_grad=True):
        with walk.naming(case, sample):
            outputs = walk.differentiable(walk.run(case, sample))
            mine = [*derivatives(autograd.grad, outputs, walk.differentiable(sample))]
            inputs = recorder.tensors_in([*theirs.args, *theirs.kwargs.values()])
            outputs = [t for t in recorder.tensors_in(result) if t.requires_grad]
            wanted = [t for t in inputs if t.requires_grad]
            other = []
            if case.name in UNDERIVED_BY_PYTORCH:
                with contextlib.suppress(RuntimeError):
                    other.extend(derivatives(torch.autograd.grad, outputs, wanted))
                mine = mine[: len(other)]
            else:
                other.extend(derivatives(torch.autograd.grad, outputs, wanted))

            assert_same(case, dtype, *without_nothing(case, mine, other), looser=10)


def derivatives(grad, outputs, inputs):
    """Yield the gradients of a weighted sum of *outputs*, then the gradients of their sum."""
    for weight in (0.75, 1.0):
        if not outputs or not inputs:
            break
        weights = [o.detach() * 0 + weight for o in outputs]
        gradients = grad(outputs, inputs, weights, create_graph=True, allow_unused=True)
        yield from gradients
        outputs = [g for g in gradients if g is not None and g.requires_grad]


def without_nothing(case, mine, other):
    """Return two lists of gradients without the places where there is none in both.

    Where ZERO_OR_NONE allows it, none in one and zero in the other is the same too.
    """
    kept = []
    for pair in itertools.zip_longest(mine, other):
        found = [gradient for gradient in pair if gradient is not None]
        if len(found) == 1 and case.name in ZERO_OR_NONE:
            assert not np.any(found[0].detach().numpy())
            continue
        assert len(found) != 1, f"ours: {pair[0]}, PyTorch's: {pair[1]}"
        if found:
            kept.append(pair)
    return [pair[0] for pair in kept], [pair[1] for pair in kept]


#: A number as an operand: PyTorch has a node of its own for it where its C++ computes, and shows
#: another one, with an edge to nowhere, where Python does. chainrule shows what Python does.
WITH_A_NUMBER = re.compile(r"(?:Add|R?[Ss]ub|Mul|Div)Backward[01]")


def graph_of(node, depth=6):
    """Return the names of *node* and of what it leads to, as nested tuples."""
    if node is None or depth == 0:
        return None
    targets = [graph_of(target, depth - 1) for target, _ in node.next_functions]
    if WITH_A_NUMBER.fullmatch(node.name()):
        stem = node.name()[:-1].replace("Rsub", "Sub")
        return (stem, *(target for target in targets if target is not None))
    return (node.name(), *targets)


@pytest.mark.cases(suits=differentiable, dtypes=("float64",))
def test_graph_is_pytorchs(case, dtype, recorder):
    if case.name in recorder.DIFFERENT_NODES:
        pytest.skip(f"different on purpose: {recorder.DIFFERENT_NODES[case.name]}")
    differs, _ = DIFFERENT_GRAPHS.get(case.name, (lambda sample: False, ""))
    for sample, _, theirs in recorder.runs(case, dtype, requires_grad=True):
        if differs(sample):
            continue
        with walk.naming(case, sample):
            mine = [t.grad_fn for t in walk.tensors_of(walk.run(case, sample))]
            others = [t.grad_fn for t in recorder.tensors_in(theirs)]

            assert [*map(graph_of, mine)] == [*map(graph_of, others)]
            for node, other in zip(mine, others, strict=True):
                assert node is None or node.name() == other.name()
                assert walk.saved_names(node) == walk.saved_names(other)


@pytest.mark.cases(suits=lambda case: case.errors and case.name not in OURS_ALONE)
def test_wrong_calls_raise_the_same_in_pytorch(case, recorder):
    import chainrule

    for error in case.errors(Maker(chainrule.float32)):
        theirs = recorder.to_torch(error.sample)
        raised = [refusal(function, theirs) for function in recorder.counterparts(case.name)]
        told = [f"{type(e).__name__}: {e}" for e in raised]

        with walk.naming(case, error.sample):
            assert any(type(e) is error.raises and re.match(error.match, str(e)) for e in raised), (
                f"expected {error.raises.__name__}: {error.match}\nPyTorch: {told}"
            )


def refusal(function, sample):
    """Return the exception that *function* raises for *sample*, or None."""
    try:
        function(*sample.args, **sample.kwargs)
    except Exception as error:  # noqa: BLE001 - whichever it is, it is compared
        return error
    return None
