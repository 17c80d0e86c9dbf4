"""Samples of chainrule/ops/fourier.py and fourier_frames.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cases import ErrorSample, OpCase, Sample
from .arithmetic import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..maker import Maker

REAL = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
SUMS = {"float32": 1e-5, "complex64": 1e-5}  # sums of several products


def _one(make: Maker) -> Iterator[Sample]:
    yield Sample(make(5))
    yield Sample(make(2, 4), 3)
    yield Sample(make(2, 3), 5)
    yield Sample(make(3, 2), dim=0, norm="ortho")
    yield Sample(make.transposed(3, 4), norm="forward")


def _several(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4))
    yield Sample(make(3, 4), (2, 5))
    yield Sample(make(2, 3, 4), dim=(0, 2), norm="ortho")
    yield Sample(make(2, 3), norm="forward")


def _two(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 4))
    yield Sample(make(2, 3, 2), (2, 4), norm="ortho")


def _shifts(make: Maker) -> Iterator[Sample]:
    yield Sample(make(5))
    yield Sample(make(3, 4))
    yield Sample(make(3, 4), 1)
    yield Sample(make(3, 4), (0, 1))


def _frequencies(make: Maker) -> Iterator[Sample]:
    yield Sample(5, dtype=make.dtype)
    yield Sample(4, 0.5, dtype=make.dtype)


def _points(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(3), 0), r"Invalid number of data points \(0\) specified")
    yield refused(Sample(make(3), norm="x"), 'Invalid normalization mode: "x"')
    reach = r"Dimension out of range \(expected to be in range of \[-1, 0\], but got 2\)"
    yield refused(Sample(make(3), dim=2), reach, IndexError)


def _sizes(make: Maker) -> Iterator[ErrorSample]:
    lengths = "When given, dim and shape arguments must have the same length"
    yield refused(Sample(make(2, 3), (2, 3), dim=(0,)), lengths)
    yield refused(Sample(make(2, 3), dim=(0, 0)), "FFT dims must be unique")
    yield refused(Sample(make(3), (2, 3)), "Got shape with 2 values but input tensor only has 1")


def _frames(make: Maker) -> Iterator[Sample]:
    yield Sample(make(8), 4, return_complex=True)
    yield Sample(make(2, 9), 4, 2, return_complex=True, normalized=True)
    yield Sample(make(8), 4, 2, 3, make(3, low=0.5, high=1.5), center=False, return_complex=True)
    yield Sample(make(8), 5, 3, pad_mode="constant", onesided=False, return_complex=True)
    yield Sample(make(8), 4, pad_mode="replicate", return_complex=True)


def _frame_errors(make: Maker) -> Iterator[ErrorSample]:
    yield refused(Sample(make(8), 4), "stft requires the return_complex parameter be given")
    problem = r"stft\(torch.FloatTensor\[8\], n_fft=4, hop_length=1, win_length=5"
    yield refused(Sample(make(8), 4, win_length=5, center=False, return_complex=True), problem)


def _spectra(make: Maker) -> Iterator[Sample]:
    yield Sample(make(3, 5), 4, window=_real_window(make, 4))
    yield Sample(make(2, 3, 6), 4, 2, normalized=True, length=9, window=_real_window(make, 4))
    yield Sample(make(3, 4), 4, 2, center=False, window=_real_window(make, 4))
    yield Sample(make(4, 5), 4, 1, onesided=False, return_complex=True)


def _real_window(make: Maker, count: int) -> Any:
    drawn = make(count, low=0.5, high=1.5, requires_grad=False)
    return drawn.real.detach().clone()


def _lengths(make: Maker) -> Iterator[Sample]:
    for count in (0, 1, 4):
        yield Sample(count, dtype=make.dtype)
    yield Sample(5, False, dtype=make.dtype)


def _like(name: str) -> Callable[..., Any]:
    return lambda np, x, *args, **kwargs: getattr(np.fft, name)(x, *args, **_axes(kwargs))


def _axis(name: str) -> Callable[..., Any]:
    def reference(np: Any, x: Any, *args: Any, dim: int = -1, **kwargs: Any) -> Any:
        return getattr(np.fft, name)(x, *args, axis=dim, **kwargs)

    return reference


def _axes(kwargs: Any) -> Any:
    kwargs = dict(kwargs)
    if "dim" in kwargs:
        kwargs["axes"] = kwargs.pop("dim")
    return kwargs


def _case(
    name: str, samples: Any, dtypes: Any, reference: Any = None, errors: Any = None
) -> OpCase:
    return OpCase(f"fft.{name}", samples, reference, dtypes, errors=errors, tolerance=SUMS)


WINDOWS = ("hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window")

cases = [
    _case("fft", _one, (*REAL, *COMPLEX), _axis("fft"), _points),
    _case("ifft", _one, (*REAL, *COMPLEX), _axis("ifft")),
    _case("rfft", _one, REAL, _axis("rfft"), _points),
    _case("irfft", _one, COMPLEX, _axis("irfft")),
    _case("hfft", _one, COMPLEX, _axis("hfft")),
    _case("ihfft", _one, REAL, _axis("ihfft")),
    _case("fftn", _several, COMPLEX, None, _sizes),
    *[_case(name, _several, COMPLEX) for name in ("ifftn", "irfftn", "hfftn")],
    *[_case(name, _several, REAL) for name in ("rfftn", "ihfftn")],
    *[_case(name, _two, COMPLEX) for name in ("fft2", "ifft2", "irfft2", "hfft2")],
    *[_case(name, _two, REAL) for name in ("rfft2", "ihfft2")],
    *[OpCase(f"fft.{name}", _shifts, _like(name)) for name in ("fftshift", "ifftshift")],
    *[OpCase(f"fft.{name}", _frequencies, grad=False) for name in ("fftfreq", "rfftfreq")],
    OpCase("stft", _frames, None, REAL, errors=_frame_errors, tolerance=SUMS),
    OpCase("istft", _spectra, None, COMPLEX, tolerance=SUMS),
    *[OpCase(name, _lengths, grad=False) for name in WINDOWS],
]  # fmt: skip
