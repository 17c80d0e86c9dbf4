"""Kernels of chainrule/ops/fourier.py: the namespace's FFT, scaled as PyTorch numbers it.

*normalization* is 0 for no factor, 1 for one over the square root of the number of points, 2 for
one over that number.
"""

from __future__ import annotations

from typing import Any

from chainrule.backend import Array, KernelSet

ks = KernelSet("xp")

FORWARD = ("backward", "ortho", "forward")
BACKWARD = ("forward", "ortho", "backward")


def _keeping(made: Array, dtype: Any) -> Array:
    return made if made.dtype == dtype else made.astype(dtype)


@ks.family("cr::_fft_c2c")
def fft_c2c(xp: Any) -> Any:
    def kernel(
        x: Array, *, dim: tuple[int, ...], normalization: int, forward: bool = True
    ) -> Array:
        if forward:
            made = xp.fft.fftn(x, axes=dim, norm=FORWARD[normalization])
        else:
            made = xp.fft.ifftn(x, axes=dim, norm=BACKWARD[normalization])
        return _keeping(made, x.dtype)

    return kernel


@ks.family("cr::_fft_r2c")
def fft_r2c(xp: Any) -> Any:
    def kernel(
        x: Array, *, dim: tuple[int, ...], normalization: int, onesided: bool = True
    ) -> Array:
        transform = xp.fft.rfftn if onesided else xp.fft.fftn
        made = transform(x, axes=dim, norm=FORWARD[normalization])
        return _keeping(made, xp.complex64 if x.dtype.itemsize == 4 else xp.complex128)

    return kernel


@ks.family("cr::_fft_c2r")
def fft_c2r(xp: Any) -> Any:
    def kernel(x: Array, *, dim: tuple[int, ...], normalization: int, last_dim_size: int) -> Array:
        sizes = [*(x.shape[d] for d in dim[:-1]), last_dim_size]
        made = xp.fft.irfftn(x, s=sizes, axes=dim, norm=BACKWARD[normalization])
        return _keeping(made, x.real.dtype)

    return kernel
