"""Turns the cases of `chainrule.testing.samples` into parameters; tests run on their device."""

from __future__ import annotations

import pytest

import chainrule
from chainrule import backend as registry
from chainrule import dtypes
from chainrule.testing.parameters import MARKER, parametrize
from chainrule.testing.samples import all_cases

CASES = list(all_cases())


def pytest_configure(config):
    config.addinivalue_line("markers", MARKER)


def pytest_generate_tests(metafunc):
    parametrize(metafunc, CASES)


@pytest.fixture(autouse=True)
def made_on_the_backend(request):
    """Let what names no device, as a creation function, make its tensors on the backend too."""
    if "device" in request.fixturenames:
        chainrule.set_default_device(request.getfixturevalue("device"))
    yield
    chainrule.set_default_device(None)


@pytest.fixture(autouse=True)
def supported(request):
    """Skip a dtype that the backend has no arrays of."""
    if {"dtype", "backend"} <= set(request.fixturenames):
        name, dtype = (request.getfixturevalue(n) for n in ("backend", "dtype"))
        if not registry.by_name(name).supports(dtypes.by_name(dtype)):
            pytest.skip(f"backend {name} has no arrays of {dtype}")
