"""Every promise of tests/nn is kept by PyTorch itself; and both give the same numbers."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[1] / "nn"

#: Promises in which chainrule goes beyond PyTorch on purpose, and why.
OURS_ALONE = {
    "test_freezing": "there, `module.requires_grad = False` is taken and does nothing",
}


def load(path):
    name = f"nn_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


shared = load(FOLDER / "conftest.py")
raises, warns = shared.raises, shared.warns


@pytest.fixture
def lib():
    torch.set_warn_always(True)  # what PyTorch says once per process, every test should hear
    yield torch
    torch.set_warn_always(False)


for path in sorted(FOLDER.glob("test_*.py")):
    if path.stem not in OURS_ALONE:
        for name, item in vars(load(path)).items():
            if re.match("test_", name) or isinstance(item, type(raises)):
                assert name not in globals(), f"{name}: two promises or fixtures of one name"
                globals()[name] = item
