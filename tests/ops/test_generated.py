"""Promises that every op keeps on every sample, on every backend.

The checks stand in `chainrule.testing.checks`, the samples in `chainrule.testing.samples`.
"""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.testing import checks

PRECISE = ("float64", "complex128")


@pytest.mark.cases(suits=lambda case: case.reference is not None)
def test_values_and_shapes_equal_the_reference_in_double_precision(case, dtype, device):
    checks.check_values(case, dtype, device, np)


@pytest.mark.cases(
    suits=lambda case: case.deterministic, dtypes=("float16", "float32", "complex64")
)
def test_result_is_near_that_of_double_precision(case, dtype, device):
    checks.check_precisions_agree(case, dtype, device, np)


def test_inputs_are_left_alone_forward_and_backward(case, dtype, device):
    checks.check_inputs_unchanged(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.grad, dtypes=PRECISE)
def test_gradient_agrees_with_finite_differences(case, dtype, device):
    checks.check_first_derivative(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.grad, dtypes=PRECISE)
def test_gradient_of_the_gradient_agrees_with_finite_differences(case, dtype, device):
    checks.check_second_derivative(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.grad, dtypes=("float64",))
def test_saved_input_is_the_very_object(case, dtype, device):
    checks.check_saved_inputs(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.grad, dtypes=("float64",))
def test_saved_result_is_equal_and_another_object(case, dtype, device):
    checks.check_saved_results(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.grad, dtypes=("float64",))
def test_what_only_a_frozen_input_needs_is_not_saved(case, dtype, device):
    checks.check_frozen_inputs(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.grad, dtypes=("float64",))
def test_saved_tensor_changed_in_place_raises(case, dtype, device):
    checks.check_modified_saved_tensors(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.in_place)
def test_in_place_form_writes_what_the_op_returns(case, dtype, device):
    checks.check_in_place(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.deterministic, dtypes=PRECISE)
def test_fused_kernels_agree_with_the_bodies_they_stand_for(case, dtype, device):
    checks.check_bodies(case, dtype, device, np)


@pytest.mark.cases(suits=lambda case: case.errors is not None)
def test_wrong_call_raises_what_pytorch_raises(case, device):
    checks.check_errors(case, device)
