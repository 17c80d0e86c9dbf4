"""Kernels of chainrule/ops/complex.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

ks = KernelSet("xp")


@ks.family("cr::_conj")
def conj(xp: Any) -> Any:
    return xp.conjugate


@ks.family("cr::_conj_physical")
def conj_physical(xp: Any) -> Any:
    return xp.conjugate


@ks.family("cr::_view_as_real")
def view_as_real(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return x[..., None].view(x.real.dtype)  # the new dimension is contiguous, whatever x is

    return kernel


@ks.family("cr::_view_as_complex")
def view_as_complex(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        pairs = x if x.size else xp.ascontiguousarray(x)  # an empty array has any strides
        return pairs.view(xp.result_type(x.dtype, xp.complex64))[..., 0]

    return kernel


@ks.family("cr::_complex")
def complex(xp: Any) -> Any:
    def kernel(real: Any, imag: Any) -> Any:
        return from_parts(xp, real, imag)

    return kernel


def from_parts(xp: Any, real: Any, imag: Any) -> Any:
    """Return complex numbers; ``real + 1j * imag`` would lose signs of zero, and infinities."""
    real, imag = xp.broadcast_arrays(real, imag)
    made = xp.empty(real.shape, xp.result_type(real.dtype, xp.complex64))
    made.real[...], made.imag[...] = real, imag
    return made
