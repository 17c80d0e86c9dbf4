"""The native backend: kernels in C over NumPy's arrays. Importing this package loads none of them.

What the C code was not written for goes to the kernel that NumPy's backend would run. Choose it
with ``chainrule.use(cpu="native")`` or ``CHAINRULE_BACKEND=native``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.backend import BackendSpec
from chainrule.plugin.api import PluginInfo, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chainrule.backend import Backend, KernelSet

__all__ = ["memory_stats", "plugin", "release_memory", "set_memory_limit", "spec"]

spec = BackendSpec(
    name="native",
    device_types=("cpu",),
    parents=("numpy", "xp"),
    storage="numpy",
    probe="chainrule_native._probe:probe",
    factory="chainrule_native._backend:create",
    capabilities=frozenset({"float64", "complex", "views", "inplace", "deterministic"}),
    install_hint="pip install chainrule-native",
)


class Plugin:
    """Announces the overlay and its kernels."""

    info = PluginInfo(name="native", api="1.0", summary="kernels in C over NumPy's arrays")

    @hookimpl
    def chainrule_backends(self) -> Iterable[BackendSpec]:
        return [spec]

    @hookimpl
    def chainrule_kernels(self, backend: Backend) -> Iterable[KernelSet] | None:
        if not backend.isa("native"):
            return None
        from .kernels import kernel_sets

        return kernel_sets()

    @hookimpl
    def chainrule_info_section(self) -> tuple[str, Mapping[str, str]]:
        from ._probe import describe

        return "native", describe()


plugin = Plugin()


def memory_stats() -> dict[str, int]:
    """Return what the allocator of the native backend did, under PyTorch's names."""
    from ._levels import core

    return dict(core().memory_stats())


def set_memory_limit(size: int) -> None:
    """Keep at most *size* bytes of freed buffers for arrays to come; 0 keeps none."""
    from ._levels import core

    core().set_memory_limit(size)


def release_memory() -> None:
    """Give the freed buffers that are kept back to the system."""
    from ._levels import core

    core().release_memory()
