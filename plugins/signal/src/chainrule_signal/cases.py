"""Sample calls, and the definition over NumPy as the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.testing import OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.testing import Maker

#: A transform's rounding is relative to the largest element, not to each.
LOOSE = {"float32": 1e-4, "complex64": 1e-4}
DTYPES = ("float32", "float64", "complex128")


def _forward(make: Maker) -> Iterator[Sample]:
    yield Sample(make(7), make(3))
    yield Sample(make(2, 5), make(4))
    yield Sample(make(3), make(6))
    yield Sample(make(2, 1, 4), make(1))
    yield Sample(make.transposed(4, 3), make.strided(2))
    yield Sample(make(0, 4), make(2))


def _backward(make: Maker) -> Iterator[Sample]:
    yield Sample(make(9), make(7), make(3))
    yield Sample(make(2, 8), make(2, 5), make(4))


def _convolve(np: Any, signal: Any, taps: Any) -> Any:
    count = signal.shape[-1] + len(taps) - 1
    rows = [np.convolve(row, taps) for row in signal.reshape(-1, signal.shape[-1])]
    return np.reshape(rows, (*signal.shape[:-1], count))


cases = [
    OpCase("signal::fftconvolve", _forward, reference=_convolve, dtypes=DTYPES, tolerance=LOOSE),
    OpCase("signal::fftconvolve_backward", _backward, dtypes=DTYPES, tolerance=LOOSE),
]
