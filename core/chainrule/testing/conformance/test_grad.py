"""Gradients: against finite differences, kernel against body, and what the graph keeps."""

from __future__ import annotations

import pytest

from chainrule.testing import OpCase, checks

np = pytest.importorskip("numpy")

PRECISE = ("float64", "complex128")


@pytest.mark.cases(suits=lambda case: case.grad, dtypes=PRECISE)
def test_gradient_agrees_with_finite_differences(case: OpCase, dtype: str, device: str) -> None:
    checks.check_first_derivative(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.grad, dtypes=PRECISE)
def test_second_derivative_agrees_with_finite_differences(
    case: OpCase, dtype: str, device: str
) -> None:
    checks.check_second_derivative(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.deterministic, dtypes=PRECISE)
def test_kernels_agree_with_the_bodies_they_stand_for(
    case: OpCase, dtype: str, device: str
) -> None:
    checks.check_bodies(case, dtype, device, np)


@pytest.mark.cases(suits=lambda case: case.grad)
def test_gradient_has_the_dtype_and_shape_of_its_input(
    case: OpCase, dtype: str, device: str
) -> None:
    checks.check_gradients_fit(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.grad, dtypes=("float64",))
def test_saved_input_is_the_very_object(case: OpCase, dtype: str, device: str) -> None:
    checks.check_saved_inputs(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.grad, dtypes=("float64",))
def test_saved_result_is_equal_and_another_object(case: OpCase, dtype: str, device: str) -> None:
    checks.check_saved_results(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.grad, dtypes=("float64",))
def test_what_only_a_frozen_input_needs_is_not_saved(case: OpCase, dtype: str, device: str) -> None:
    checks.check_frozen_inputs(case, dtype, device)


@pytest.mark.requires("inplace")
@pytest.mark.cases(suits=lambda case: case.grad, dtypes=("float64",))
def test_saved_tensor_changed_in_place_raises(case: OpCase, dtype: str, device: str) -> None:
    checks.check_modified_saved_tensors(case, dtype, device)
