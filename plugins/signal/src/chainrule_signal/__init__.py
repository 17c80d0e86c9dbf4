"""Convolution by Fourier transforms: the plugin object. Importing this imports no array library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.plugin import PluginInfo, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainrule.plugin import Backend, KernelSet
    from chainrule.testing import OpCase


class Plugin:
    """What chainrule asks, and what we answer."""

    info = PluginInfo(
        name="signal",
        api="1.0",
        namespaces=("signal",),
        summary="convolution by Fourier transforms",
    )

    @hookimpl
    def chainrule_ops(self) -> Iterable[Any]:
        """Give the op, and the op that its gradient is."""
        from .function import FFTConvolve, fftconvolve_backward

        yield FFTConvolve.as_op("signal::fftconvolve")
        yield fftconvolve_backward

    @hookimpl
    def chainrule_kernels(self, backend: Backend) -> KernelSet | None:
        """Give kernels for every backend whose namespace is NumPy-like."""
        if not backend.isa("xp"):
            return None
        from .kernels import ks

        return ks

    @hookimpl
    def chainrule_conformance_cases(self, op_names: tuple[str, ...]) -> list[OpCase]:
        """Give sample calls for the tests."""
        from .cases import cases

        return cases


plugin = Plugin()
