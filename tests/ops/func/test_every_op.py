"""Promises that every op keeps on every sample under function transforms, on every backend."""

from __future__ import annotations

import pytest

from chainrule.testing import transforms

PRECISE = ("float64", "complex128")

#: Ops whose forward mode is not the transpose of their backward mode, in PyTorch too, and why.
NO_TRANSPOSE = {
    "embeddings.embedding": "the padding row gets no gradient, and its tangent is looked up",
    "nn.functional.gaussian_nll_loss": "the variance is clamped under no_grad(), which stops "
    "gradients and not tangents",
}


@pytest.mark.cases(suits=lambda case: case.deterministic, dtypes=PRECISE)
def test_mapping_equals_the_loop(case, dtype, device):
    transforms.check_vmap(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.name not in NO_TRANSPOSE, dtypes=PRECISE)
def test_pushing_forward_is_the_transpose_of_pulling_back(case, dtype, device):
    transforms.check_jvp(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.deterministic and case.grad, dtypes=PRECISE)
def test_gradients_per_sample_equal_those_one_by_one(case, dtype, device):
    transforms.check_vmap_of_vjp(case, dtype, device)
