"""Convolution by Fourier transforms: the plugin object. Importing this imports no array library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.plugin import PluginInfo, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainrule.plugin import Backend, KernelSet
    from chainrule.testing import OpCase

__all__ = ["plugin"]


class Plugin:
    """What chainrule asks, and what we answer."""

    info = PluginInfo(
        name="signal_fft",
        api="1.0",
        namespaces=("signal_fft",),
        summary="convolution in one and two dimensions by Fourier transforms",
    )

    @hookimpl
    def chainrule_ops(self) -> Iterable[Any]:
        """Give the op, and the op that its gradient is."""
        from .function import FFTConvolve, fft_convolve_backward

        yield FFTConvolve.as_op("signal_fft::fft_convolve")
        yield fft_convolve_backward

    @hookimpl
    def chainrule_kernels(self, backend: Backend) -> KernelSet | None:
        """Give kernels for NumPy's arrays; other backends run the bodies."""
        if not backend.isa("numpy"):
            return None
        from .kernels import ks

        return ks

    @hookimpl
    def chainrule_conformance_cases(self, op_names: tuple[str, ...]) -> list[OpCase]:
        """Give sample calls for the tests."""
        from .cases import cases

        return cases


plugin = Plugin()
