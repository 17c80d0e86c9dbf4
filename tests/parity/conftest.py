"""PyTorch beside chainrule: the same calls, the same programs."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from chainrule.testing.parameters import MARKER, parametrize
from chainrule.testing.samples import all_cases

RECORDER = Path(__file__).parents[2] / "tools" / "record_saved_names.py"


# With opt_einsum installed, as it is for the tests of packages, PyTorch's einsum would reorder.
torch.backends.opt_einsum.enabled = False


def pytest_configure(config):
    config.addinivalue_line("markers", MARKER)
    config.addinivalue_line("markers", "opinfo: compares with PyTorch over its own samples")


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        parametrize(metafunc, all_cases())


@pytest.fixture(scope="session")
def recorder():
    """Return tools/record_saved_names.py, which turns a sample into PyTorch's and calls it."""
    spec = importlib.util.spec_from_file_location("record_saved_names", RECORDER)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
