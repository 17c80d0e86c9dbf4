"""The compiled module, and arrays of every layout that a kernel may be handed."""

from __future__ import annotations

import os

import numpy as np
import pytest

import chainrule as cr
from chainrule import backend as registry
from chainrule.op import all_ops


def why_not_here():
    """Return why the native backend cannot run, or None."""
    try:
        registry.by_name("native")
    except cr.errors.BackendError as error:
        return str(error)
    return None


@pytest.fixture(scope="session", autouse=True)
def required():
    """Skip where there is no compiled module, unless the environment says that there must be."""
    reason = why_not_here()
    if reason is None:
        return
    if "native" in os.environ.get("CHAINRULE_REQUIRE_BACKENDS", "").split(","):
        pytest.fail(reason)
    pytest.skip(f"the extension is optional: {reason}")


@pytest.fixture(scope="session")
def core(required):
    """Return the compiled module."""
    from chainrule_native._levels import core

    return core()


class Declined(Exception):  # noqa: N818 - not an error but an answer
    """The kernel passed its arguments on."""


def refuse(*args, **kwargs):
    raise Declined


@pytest.fixture(scope="session")
def native(core):
    """Return ``native(op)``: the C kernel, which raises `Declined` for what it passes on."""
    return lambda op: core.kernel(op, refuse)


@pytest.fixture(scope="session")
def reference(required):
    """Return ``reference(op)``: what NumPy's backend runs."""
    numpy = registry.by_name("numpy")
    return lambda op: all_ops[op].resolve(numpy)


@pytest.fixture(scope="session")
def declined():
    """Return the exception that `native` raises for what a kernel passes on."""
    return Declined


LAYOUTS = ("contiguous", "transposed", "every other", "backwards", "shifted")


@pytest.fixture(params=LAYOUTS)
def layout(request):
    """Return a way for arrays to lie in memory; `laid_out` knows them."""
    return request.param


@pytest.fixture(scope="session")
def laid_out():
    """Return ``laid_out(array, layout)``: an equal array that lies in memory as *layout* says."""
    return _laid_out


def _laid_out(array, layout):
    if layout == "contiguous" or array.ndim == 0:
        return array
    if layout == "transposed":
        return np.array(array.T, order="C").T
    if layout == "every other":
        wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]
    if layout == "backwards":
        return np.array(array[..., ::-1], order="C")[..., ::-1]
    if layout == "shifted":  # aligned for its elements alone, not for vectors
        memory = np.empty(array.size + 1, array.dtype)
        memory[1:] = array.reshape(-1)
        return memory[1:].reshape(array.shape)
    raise ValueError(layout)
