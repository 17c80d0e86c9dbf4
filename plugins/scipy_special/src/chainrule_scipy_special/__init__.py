"""SciPy's special functions as ops: the plugin object. Importing this imports no SciPy."""

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
        name="scipy_special",
        api="1.0",
        namespaces=("scipy_special",),
        summary="SciPy's special functions, with gradients",
    )

    @hookimpl
    def chainrule_ops(self) -> Iterable[Any]:
        """Give the ops."""
        from .ops import OPS

        return OPS

    @hookimpl
    def chainrule_kernels(self, backend: Backend) -> KernelSet | None:
        """Give kernels for NumPy's arrays, and for CuPy's."""
        from . import kernels

        if backend.isa("numpy"):
            return kernels.for_numpy()
        return kernels.for_cupy() if backend.isa("cupy") else None

    @hookimpl
    def chainrule_conformance_cases(self, op_names: tuple[str, ...]) -> list[OpCase]:
        """Give sample calls for the tests."""
        from .cases import cases

        return cases


plugin = Plugin()
