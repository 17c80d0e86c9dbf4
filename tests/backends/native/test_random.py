"""Dropout in C: the same numbers of the same stream as on NumPy, and no more of them."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.nn import functional
from chainrule_xp.streams import MT19937Stream, PhiloxStream


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [0, 0.1, 0.5, 1 - 2**-40, 0.999])
@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("stream", [MT19937Stream, PhiloxStream])
@pytest.mark.parametrize(
    ("shape", "size"),
    [((), None), ((3, 5), None), ((0, 3), None), ((200, 401), None), ((2, 3, 4), (2, 3, 1))],
    ids=str,
)
def test_noise_is_that_of_numpy(native, reference, dtype, p, scaled, stream, shape, size):
    x, found = np.zeros(shape, dtype), []
    for kernel in (native, reference):
        source = stream(np, seed=7)
        noise = kernel("cr::_dropout_noise")(x, p=p, stream=source, size=size, scaled=scaled)
        found.append((noise, source.get_state()))
    (ours, our_state), (theirs, their_state) = found

    assert (ours.dtype, ours.shape) == (dtype, size or shape)
    np.testing.assert_array_equal(ours, theirs)
    assert our_state == their_state


def test_the_number_of_threads_changes_no_bit(core, native):
    before, found = core.thread_count(), []
    try:
        for count in (1, 3):
            core.set_thread_count(count)
            stream = MT19937Stream(np, seed=0)
            noise = native("cr::_dropout_noise")(np.zeros((400, 500), "f4"), p=0.3, stream=stream)
            found.append(noise.tobytes())
    finally:
        core.set_thread_count(before)

    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("array", "keywords"),
    [
        (np.zeros((3, 4)).T, {"p": 0.5}),
        (np.zeros(3, "f2"), {"p": 0.5}),
        (np.zeros(3), {"p": 1.0}),
        (np.zeros(3), {"p": float("nan")}),
        (np.zeros(3), {}),
        (np.zeros(3), {"p": 0.5, "size": (2, -1)}),
    ],
    ids=["layout", "half", "all", "nan", "no p", "size"],
)
def test_what_is_passed_on_has_drawn_nothing(native, declined, array, keywords):
    stream = MT19937Stream(np, seed=0)
    before = stream.get_state()
    with pytest.raises(declined):
        native("cr::_dropout_noise")(array, stream=stream, **keywords)

    assert stream.get_state() == before


def test_a_stream_that_gives_too_few_words_is_an_error(native):
    class Short:
        def words64(self, count):
            return np.zeros(count - 1, "u8")

    with pytest.raises(RuntimeError, match="expected 3 words from the stream, got 2"):
        native("cr::_dropout_noise")(np.zeros(3), p=0.5, stream=Short())


def test_networks_drop_the_same_on_both():
    dropped = []
    for backend in ("numpy", "native"):
        with cr.using(backend):
            cr.manual_seed(3)
            x = cr.ones(50, 30, requires_grad=True)
            y = functional.dropout(x, 0.4) * functional.dropout1d(x, 0.2)
            y.sum().backward()
            dropped.append((y.detach().numpy(), x.grad.numpy(), cr.rand(3).numpy()))
    for ours, theirs in zip(*dropped, strict=True):
        np.testing.assert_array_equal(ours, theirs)
