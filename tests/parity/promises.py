"""The promises of another folder of tests, with PyTorch as their `lib`: it keeps them itself."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

TESTS = Path(__file__).parents[1]


@pytest.fixture
def lib():
    enabled = torch.is_grad_enabled()
    torch.set_warn_always(True)  # what PyTorch says once per process, every test should hear
    yield torch
    torch.set_warn_always(False)
    torch.set_grad_enabled(enabled)


@pytest.fixture
def device():
    return "cpu"


def load(path):
    """Return a file of tests as a module of its own."""
    name = f"{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def promises(folder, ours_alone=()):
    """Return the tests and fixtures of tests/*folder* by name, with PyTorch as their library.

    Left out is what *ours_alone* names: a file, without its ending, or a test.
    """
    found = {"lib": lib, "device": device}
    unknown = set(ours_alone)
    for path in sorted((TESTS / folder).glob("test_*.py")):
        unknown.discard(path.stem)
        for name, item in vars(load(path)).items() if path.stem not in ours_alone else ():
            unknown.discard(name)
            wanted = name.startswith("test_") or isinstance(item, type(lib))
            if wanted and name not in ours_alone:
                assert name not in found, f"{name}: two promises or fixtures of one name"
                found[name] = item
    assert not unknown, f"tests/{folder} has none of {unknown}"
    return found
