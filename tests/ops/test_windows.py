"""Windows of `signal.windows`: their ends, their middle, and what they refuse."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.signal import windows

PLAIN = [getattr(windows, name) for name in windows.__all__ if name != "general_cosine"]


@pytest.mark.parametrize("window", PLAIN, ids=lambda w: w.__name__)
def test_window_is_symmetric_and_a_period_is_one_point_less_of_a_longer_one(window):
    symmetric, period = window(7, dtype=cr.float64), window(6, sym=False, dtype=cr.float64)

    assert cr.allclose(symmetric, symmetric.flip(0))
    assert symmetric[3].item() == pytest.approx(1.0)
    assert cr.allclose(period, symmetric[:6])


@pytest.mark.parametrize("window", PLAIN, ids=lambda w: w.__name__)
def test_short_windows_are_ones(window):
    assert window(0).tolist() == []
    assert window(1, requires_grad=True).tolist() == [1.0]
    assert window(3, requires_grad=True).is_leaf
    assert window(3, requires_grad=True).requires_grad


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: windows.hann(-1), "requires non-negative window length, got M=-1"),
        (lambda: windows.hann(3, dtype=cr.int64), "expects float32 or float64 dtypes"),
        (lambda: windows.hann(3, layout=cr.sparse_coo), "is implemented for strided tensors only"),
        (lambda: windows.gaussian(3, std=0.0), "Standard deviation must be positive"),
        (lambda: windows.exponential(3, tau=0.0), "Tau must be positive"),
        (lambda: windows.exponential(3, center=1.0), "Center must be None for symmetric windows"),
        (lambda: windows.kaiser(3, beta=-1.0), "beta must be non-negative"),
        (lambda: windows.general_cosine(3, a=[]), "Coefficients cannot be empty"),
    ],
)
def test_wrong_arguments_are_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_coefficients_are_a_list():
    with pytest.raises(TypeError, match="Coefficients must be a list/tuple"):
        windows.general_cosine(3, a=0.5)


@pytest.mark.parametrize("name", ["blackman_window", "bartlett_window", "hann_window"])
def test_symmetric_window_is_one_in_the_middle_and_zero_at_the_ends(name):
    window = getattr(cr, name)(5, periodic=False, dtype=cr.float64)

    assert [window[i].item() for i in (0, 2, 4)] == [0, 1, 0]
