"""PyTorch beside chainrule: the same calls, the same programs."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def load(path, name):
    """Return the file at *path* as a module called *name*."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def recorder():
    """Return tools/record_saved_names.py: how a sample is turned into PyTorch's."""
    return load(ROOT / "tools" / "record_saved_names.py", "record_saved_names")
