"""Turns the cases of `chainrule.testing.samples` into parameters with readable names."""

from __future__ import annotations

import pytest

from chainrule import backend as registry
from chainrule import dtypes
from chainrule.testing.samples import all_cases

CASES = list(all_cases())
#: The dtypes in which finite differences mean something.
PRECISE = ("float64", "complex128")


def pytest_generate_tests(metafunc):
    """Give a test that asks for ``case`` all cases, with ``dtype`` those of their dtypes it wants."""
    if "case" not in metafunc.fixturenames:
        return
    wanted = metafunc.definition.get_closest_marker("cases")
    suits = wanted.kwargs.get("suits", lambda case: True) if wanted else lambda case: True
    cases = [case for case in CASES if suits(case)]
    if "dtype" not in metafunc.fixturenames:
        metafunc.parametrize("case", cases, ids=[case.name for case in cases])
        return
    among = wanted.kwargs.get("dtypes") if wanted else None
    pairs = [(case, name) for case in cases for name in case.dtypes if not among or name in among]
    metafunc.parametrize(("case", "dtype"), pairs, ids=[f"{c.name}-{name}" for c, name in pairs])


@pytest.fixture(autouse=True)
def supported(request):
    """Skip a dtype that the backend has no arrays of."""
    if "dtype" in request.fixturenames and "backend" in request.fixturenames:
        name, dtype = (request.getfixturevalue(n) for n in ("backend", "dtype"))
        if not registry.by_name(name).supports(dtypes.by_name(dtype)):
            pytest.skip(f"backend {name} has no arrays of {dtype}")
