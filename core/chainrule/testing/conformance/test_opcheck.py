"""Every op against its own statement: one test per check of `opcheck`, so that each has a name."""

from __future__ import annotations

import pytest

from chainrule.testing import OpCase, checks

#: In double precision where a backend has it, and in single where it has no other.
ONE = ("float64", "float32")
REPEATABLE = pytest.mark.cases(suits=lambda case: case.deterministic, dtypes=ONE)
ANY = pytest.mark.cases(dtypes=ONE)


@ANY
def test_call_gives_arrays_of_the_backend(case: OpCase, dtype: str, device: str) -> None:
    checks.check_statement("call", case, dtype, device)


@ANY
def test_mutation_of_inputs_is_none(case: OpCase, dtype: str, device: str) -> None:
    checks.check_statement("mutation", case, dtype, device)


@pytest.mark.cases(suits=lambda case: not case.aliases, dtypes=ONE)
def test_aliasing_is_declared(case: OpCase, dtype: str, device: str) -> None:
    checks.check_statement("aliasing", case, dtype, device)


@ANY
def test_dtype_is_the_promised_one(case: OpCase, dtype: str, device: str) -> None:
    checks.check_statement("dtype", case, dtype, device)


@ANY
def test_shape_is_that_of_the_reference(case: OpCase, dtype: str, device: str) -> None:
    checks.check_statement("shape", case, dtype, device)


@REPEATABLE
def test_body_agrees_with_the_kernel(case: OpCase, dtype: str, device: str) -> None:
    checks.check_statement("body", case, dtype, device)


@ANY
def test_registration_for_gradients(case: OpCase, dtype: str, device: str) -> None:
    checks.check_statement("registration", case, dtype, device)


@ANY
def test_saves_are_declared(case: OpCase, dtype: str, device: str) -> None:
    checks.check_statement("saves", case, dtype, device)


@REPEATABLE
def test_determinism(case: OpCase, dtype: str, device: str) -> None:
    checks.check_statement("determinism", case, dtype, device)
