"""Kernels of chainrule/ops/pointwise.py and polar.py."""

from __future__ import annotations

from typing import Any

from chainrule.backend import KernelSet

from .complex import from_parts

ks = KernelSet("xp")


@ks.family("cr::abs")
def abs(xp: Any) -> Any:
    return xp.absolute


@ks.family("cr::neg")
def neg(xp: Any) -> Any:
    return xp.negative


@ks.family("cr::sign")
def sign(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        if x.dtype.kind == "b":
            return x.copy()
        return ((x > 0).astype(xp.int8) - (x < 0)).astype(x.dtype)  # NaN has the sign 0

    return kernel


@ks.family("cr::sgn")
def sgn(xp: Any) -> Any:
    of_real = sign(xp)

    def kernel(x: Any) -> Any:
        if x.dtype.kind != "c":
            return of_real(x)
        radius = xp.absolute(x)
        return xp.where(radius == 0, 0, x / radius)

    return kernel


def rounding(xp: Any, plain: Any) -> Any:
    """Return the kernel of a function that changes no integers."""

    def kernel(x: Any) -> Any:
        return plain(x) if x.dtype.kind == "f" else x.copy()

    return kernel


@ks.family("cr::floor")
def floor(xp: Any) -> Any:
    return rounding(xp, xp.floor)


@ks.family("cr::ceil")
def ceil(xp: Any) -> Any:
    return rounding(xp, xp.ceil)


@ks.family("cr::trunc")
def trunc(xp: Any) -> Any:
    return rounding(xp, xp.trunc)


@ks.family("cr::round")
def round(xp: Any) -> Any:
    nearest = rounding(xp, xp.rint)

    def kernel(x: Any, *, decimals: int | None = None) -> Any:
        if not decimals:
            return nearest(x)
        factor = 10.0 ** (decimals if decimals > 0 else -decimals)
        wide = x.astype(xp.float32) if x.dtype.itemsize == 2 else x
        made = xp.rint(wide * factor) / factor if decimals > 0 else xp.rint(wide / factor) * factor
        return made.astype(x.dtype, copy=False)

    return kernel


@ks.family("cr::frac")
def frac(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        return x - xp.trunc(x)

    return kernel


@ks.family("cr::nan_to_num")
def nan_to_num(xp: Any) -> Any:
    def kernel(
        x: Any,
        *,
        nan: float | None = None,
        posinf: float | None = None,
        neginf: float | None = None,
    ) -> Any:
        return xp.nan_to_num(x, nan=nan or 0.0, posinf=posinf, neginf=neginf)

    return kernel


@ks.family("cr::copysign")
def copysign(xp: Any) -> Any:
    return xp.copysign


@ks.family("cr::nextafter")
def nextafter(xp: Any) -> Any:
    return xp.nextafter


@ks.family("cr::angle")
def angle(xp: Any) -> Any:
    def kernel(x: Any) -> Any:
        if x.dtype.kind == "c":
            return xp.arctan2(x.imag, x.real)
        return xp.where(x < 0, xp.pi, xp.where(xp.isnan(x), x, 0))

    return kernel


@ks.family("cr::_polar")
def polar(xp: Any) -> Any:
    def kernel(radius: Any, angle: Any) -> Any:
        return from_parts(xp, radius * xp.cos(angle), radius * xp.sin(angle))

    return kernel
