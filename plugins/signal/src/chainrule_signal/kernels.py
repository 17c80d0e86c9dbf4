"""Forward and backward by Fourier transforms, over any NumPy-like namespace.

A convolution is a product of transforms, a correlation one with a conjugate. Source: Cooley and
Tukey, "An algorithm for the machine calculation of complex Fourier series", 1965.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.plugin import KernelSet

if TYPE_CHECKING:
    from collections.abc import Callable

ks = KernelSet("xp")


def transforms(
    xp: Any, dtype: Any, count: int
) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Return transform and inverse of at least *count* points, a power of two, for *dtype*."""
    points = 1 << (count - 1).bit_length()
    if dtype.kind == "c":
        return (lambda x: xp.fft.fft(x, points)), (lambda x: xp.fft.ifft(x, points))
    return (lambda x: xp.fft.rfft(x, points)), (lambda x: xp.fft.irfft(x, points))


@ks.family("signal::fftconvolve")
def convolve(xp: Any) -> Callable[..., Any]:
    """Make the forward kernel."""

    def kernel(signal: Any, taps: Any) -> Any:
        count = signal.shape[-1] + taps.shape[0] - 1
        transform, inverse = transforms(xp, signal.dtype, count)
        return inverse(transform(signal) * transform(taps))[..., :count].astype(signal.dtype)

    return kernel


@ks.family("signal::fftconvolve_backward")
def convolve_backward(xp: Any) -> Callable[..., Any]:
    """Make the backward kernel; ``KernelSet.backward`` is the same for kernels of one backend."""

    def kernel(grad: Any, signal: Any, taps: Any) -> tuple[Any, Any]:
        transform, inverse = transforms(xp, signal.dtype, grad.shape[-1])
        spectrum = transform(grad)
        to_signal = inverse(spectrum * xp.conj(transform(taps)))[..., : signal.shape[-1]]
        to_taps = inverse(spectrum * xp.conj(transform(signal)))[..., : taps.shape[0]]
        to_taps = xp.sum(to_taps.reshape(-1, taps.shape[0]), axis=0)
        return to_signal.astype(signal.dtype), to_taps.astype(taps.dtype)

    return kernel
