"""Sample calls, and the definition over NumPy as the reference."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from chainrule.testing import ErrorSample, OpCase, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.testing import Maker

#: A transform's rounding is relative to the largest element, not to each.
LOOSE = {"float32": 1e-4, "complex64": 1e-4}
DTYPES = ("float32", "float64", "complex128")


def _forward(make: Maker) -> Iterator[Sample]:
    yield Sample(make(7), make(3))
    yield Sample(make(3), make(6))
    yield Sample(make(40), make(2))  # long enough for blocks
    yield Sample(make(2, 5), make(4), mode="same")
    yield Sample(make(6), make(2, 3), mode="valid")
    yield Sample(make(2, 1, 4), make(3, 1), 1, "same")
    yield Sample(make.transposed(4, 3), make.strided(2))
    yield Sample(make(0, 4), make(2))
    yield Sample(make(4, 5), make(2, 3), dims=2)
    yield Sample(make(2, 3, 3), make(2, 2), 2, "same")
    yield Sample(make(2, 1, 3, 4), make(2, 2, 2), dims=2, mode="valid")


def _backward(make: Maker) -> Iterator[Sample]:
    yield Sample(make(9), make(7), make(3))
    yield Sample(make(2, 5), make(2, 5), make(4), mode="same")
    yield Sample(make(2, 3, 2), make(2, 1, 3), make(3, 2), 1, "valid")
    yield Sample(make(2, 4, 5), make(2, 3, 3), make(2, 3), dims=2)


def _wrong(make: Maker) -> Iterator[ErrorSample]:
    wrong = {
        "expected dims to be 1 or 2": Sample(make(3), make(2), dims=3),
        "expected mode to be one of": Sample(make(3), make(2), mode="reflect"),
        "expected input to have at least 2 dim": Sample(make(3), make(2, 2), dims=2),
        "expected kernel to have at least 1 dim": Sample(make(3), make(0)),
        "expected the dimensions before the last 1 to broadcast": Sample(make(2, 3), make(3, 3)),
        "expected a kernel no larger than": Sample(make(3), make(4), mode="valid"),
        "expected input and kernel of one dtype": Sample(make(3), make(2).double()),
    }
    for text, sample in wrong.items():
        yield ErrorSample(sample=sample, raises=RuntimeError, match=f"fft_convolve: {text}")


def _convolve(np: Any, input: Any, kernel: Any, dims: int = 1, mode: str = "full") -> Any:
    """Add up shifted copies of the input, one per element of the kernel."""
    sizes, taps = input.shape[-dims:], kernel.shape[-dims:]
    batch = np.broadcast_shapes(input.shape[:-dims], kernel.shape[:-dims])
    whole = np.zeros(
        (*batch, *(n + k - 1 for n, k in zip(sizes, taps, strict=True))),
        np.result_type(input, kernel),
    )
    for place in itertools.product(*map(range, taps)):
        window = (..., *(slice(p, p + n) for p, n in zip(place, sizes, strict=True)))
        whole[window] += input * kernel[(..., *place)][(..., *(None,) * dims)]
    if mode == "full":
        return whole
    starts = [(k - 1) // 2 if mode == "same" else k - 1 for k in taps]
    ends = [
        s + (n if mode == "same" else n - k + 1)
        for s, n, k in zip(starts, sizes, taps, strict=True)
    ]
    return whole[(..., *map(slice, starts, ends))]


cases = [
    OpCase(
        "signal_fft::fft_convolve",
        _forward,
        reference=_convolve,
        dtypes=DTYPES,
        saved=("input", "kernel"),
        node="FFTConvolveBackward",
        errors=_wrong,
        tolerance=LOOSE,
    ),
    OpCase("signal_fft::fft_convolve_backward", _backward, dtypes=DTYPES, tolerance=LOOSE),
]
