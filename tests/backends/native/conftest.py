"""The compiled module, and arrays of every layout that a kernel may be handed."""

from __future__ import annotations

import os

import numpy as np
import pytest

import chainrule as cr
from chainrule import backend as registry
from chainrule import ops
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
    ops.load_late()  # some families are read when first needed

    def of(op):
        kernel = all_ops[op].resolve(numpy)

        def silent(*arrays, **keywords):
            with np.errstate(all="ignore"):
                return kernel(*arrays, **keywords)

        return silent

    return of


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
        between = np.nan if array.dtype.kind == "f" else -1
        wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), between, array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]
    if layout == "backwards":
        return np.array(array[..., ::-1], order="C")[..., ::-1]
    if layout == "shifted":  # aligned for its elements alone, not for vectors
        memory = np.empty(array.size + 1, array.dtype)
        memory[1:] = array.reshape(-1)
        return memory[1:].reshape(array.shape)
    raise ValueError(layout)


@pytest.fixture(scope="session")
def agree(native, reference):
    """Return ``agree(op, arrays, keywords, rtol)``: compare a kernel with NumPy's in float64.

    An error counts against the largest number of its result: what is summed up has rounding errors
    of the size of the summands. Returns what the kernel gave.
    """

    def compare(op, arrays, keywords, rtol):
        exact = reference(op)(*(_widened(array) for array in arrays), **keywords)
        found = native(op)(*arrays, **keywords)
        dtype = next(a.dtype for a in arrays if a is not None and a.dtype.kind == "f")
        for mine, ours in zip(_listed(found), _listed(exact), strict=True):
            assert mine.shape == ours.shape
            assert mine.dtype == (dtype if ours.dtype.kind == "f" else ours.dtype)
            scale = np.abs(ours[np.isfinite(ours)]).max(initial=1e-30)
            np.testing.assert_allclose(mine, ours, rtol=rtol, atol=rtol * scale)
        return found

    return compare


def _widened(array):
    return array.astype("float64") if array is not None and array.dtype.kind == "f" else array


def _listed(results):
    return results if isinstance(results, tuple) else (results,)


@pytest.fixture(scope="session")
def whatever_the_threads(core, native):
    """Return a check that a kernel gives the same bits with one, two, five and seven threads."""

    def compare(op, arrays, keywords):
        before, results = core.thread_count(), []
        try:
            for count in (1, 2, 5, 7):
                core.set_thread_count(count)
                found = native(op)(*arrays, **keywords)
                results.append([array.tobytes() for array in _listed(found)])
        finally:
            core.set_thread_count(before)
        assert all(found == results[0] for found in results)

    return compare
