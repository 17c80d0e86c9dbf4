"""`lib`: chainrule on the backend under test, with PyTorch's names.

tests/parity runs the tests that ask for it with PyTorch in its place: what they promise of
chainrule is what PyTorch does.
"""

from __future__ import annotations

import contextlib
import importlib

import pytest

import chainrule


@pytest.fixture(autouse=True)
def _hears_all_warnings():
    """Let every test hear what is said once in a process."""
    chainrule.set_warn_always(True)


@pytest.fixture
def lib(device):
    """Return chainrule; new tensors of the test are made on its device."""
    before = chainrule.get_default_device()
    chainrule.set_default_device(device)
    yield chainrule
    chainrule.set_default_device(before)


@pytest.fixture
def raises():
    """Return ``raises(kind, sentence)``: the exception's type, and how its message begins."""

    @contextlib.contextmanager
    def raising(kind, sentence):
        with pytest.raises(kind) as caught:
            yield caught
        assert str(caught.value)[: len(sentence)] == sentence

    return raising


@pytest.fixture
def warns():
    """Return ``warns(kind, sentence)``: one warning of that kind, and how it begins."""

    @contextlib.contextmanager
    def warning(kind, sentence):
        with pytest.warns(kind) as caught:
            yield
        assert [str(w.message)[: len(sentence)] for w in caught] == [sentence]

    return warning


@pytest.fixture
def inferred(lib):
    """Return a tensor made in inference mode."""
    with lib.inference_mode():
        return lib.ones(3)


@pytest.fixture
def fw(lib):
    """Return the module of forward mode."""
    return importlib.import_module(f"{lib.__name__}.autograd.forward_ad")
