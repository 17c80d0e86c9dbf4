"""Promises of our own, beside what the conformance kit checks."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.testing import opcheck


@pytest.fixture
def pair(device):
    cr.manual_seed(0)
    return [
        cr.randn(*shape, dtype=cr.float64, device=device).requires_grad_()
        for shape in ((3, 40), (9,))
    ]


def test_it_is_numpys_convolution(pair):
    signal, taps = pair
    found = cr.ops.signal.fftconvolve(signal, taps).detach().cpu().numpy()

    for row, expected in zip(found, signal.detach().cpu().numpy(), strict=True):
        np.testing.assert_allclose(row, np.convolve(expected, taps.detach().cpu().numpy()))


def test_forward_and_backward_run_by_their_kernels(pair, device):
    backend = pair[0].backend
    for name in ("fftconvolve", "fftconvolve_backward"):
        assert cr.explain(f"signal::{name}", backend=backend).how == "inherited kernel"


def test_apply_in_a_script_is_the_same_op(pair):
    from chainrule_signal.function import FFTConvolve

    by_op, by_apply = cr.ops.signal.fftconvolve(*pair), FFTConvolve.apply(*pair)

    assert by_op.tolist() == by_apply.tolist()
    assert by_op.grad_fn.name() == by_apply.grad_fn.name() == "FFTConvolveBackward"
    assert by_op.grad_fn._saved_taps is pair[1]


def test_a_filter_is_learned(device):
    cr.manual_seed(0)
    signal = cr.randn(200, device=device)
    wanted = cr.tensor([0.5, -1.0, 0.25], device=device)
    target = cr.ops.signal.fftconvolve(signal, wanted)
    taps = cr.zeros(3, device=device, requires_grad=True)
    optimizer = cr.optim.SGD([taps], lr=0.2)
    for _ in range(100):
        optimizer.zero_grad()
        ((cr.ops.signal.fftconvolve(signal, taps) - target) ** 2).mean().backward()
        optimizer.step()

    assert taps.tolist() == pytest.approx(wanted.tolist(), abs=1e-4)


def test_the_op_is_what_its_statement_says(pair):
    assert set(opcheck(cr.ops.signal.fftconvolve, pair).values()) == {"SUCCESS"}
