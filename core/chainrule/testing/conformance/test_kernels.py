"""Kernels: values against references in double precision, errors, and inputs left alone."""

from __future__ import annotations

import pytest

from chainrule.testing import OpCase, checks

np = pytest.importorskip("numpy")


@pytest.mark.cases(suits=lambda case: case.reference is not None)
def test_values_equal_the_reference(case: OpCase, dtype: str, device: str) -> None:
    checks.check_values(case, dtype, device, np)


@pytest.mark.cases(
    suits=lambda case: case.deterministic, dtypes=("float16", "float32", "complex64")
)
def test_result_is_near_that_of_double_precision(case: OpCase, dtype: str, device: str) -> None:
    checks.check_precisions_agree(case, dtype, device, np)


def test_inputs_are_left_alone(case: OpCase, dtype: str, device: str) -> None:
    checks.check_inputs_unchanged(case, dtype, device)


@pytest.mark.requires("inplace")
@pytest.mark.cases(suits=lambda case: case.in_place)
def test_in_place_form_writes_what_the_op_returns(case: OpCase, dtype: str, device: str) -> None:
    checks.check_in_place(case, dtype, device)


@pytest.mark.cases(suits=lambda case: case.errors is not None)
def test_wrong_call_raises_what_pytorch_raises(case: OpCase, device: str) -> None:
    checks.check_errors(case, device)
