"""The NumPy backend: device type ``cpu``. Importing this package does not import NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.backend import BackendSpec
from chainrule.plugin.api import PluginInfo, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chainrule.backend import Backend, KernelDef, KernelSet

spec = BackendSpec(
    name="numpy",
    device_types=("cpu",),
    parents=("xp",),
    storage="numpy",
    probe="chainrule_numpy._probe:probe",
    factory="chainrule_numpy._backend:create",
    capabilities=frozenset({"float64", "complex", "views", "inplace", "deterministic"}),
    install_hint="pip install numpy",
)


class Plugin:
    """Announces the backend and its kernels."""

    info = PluginInfo(name="numpy", api="1.0", summary="arrays of NumPy, on the CPU")

    @hookimpl
    def chainrule_backends(self) -> Iterable[BackendSpec]:
        return [spec]

    @hookimpl
    def chainrule_kernels(self, backend: Backend) -> Iterable[KernelSet] | None:
        if not backend.isa("numpy"):
            return None
        from .kernels import kernel_sets

        return kernel_sets

    @hookimpl
    def chainrule_backend_activated(self, backend: Backend) -> None:
        if backend.isa("numpy"):
            from ._backend import compute_in_silence
            from ._memory import keep_freed_memory

            compute_in_silence()
            keep_freed_memory()

    @hookimpl
    def chainrule_missing_kernel(self, op: str, backend: Backend, policy: str) -> KernelDef | None:
        if policy != "cpu-warn" or backend.isa("numpy"):
            return None
        from ._fallback import kernel_on_host

        return kernel_on_host(op, backend)

    @hookimpl
    def chainrule_info_section(self) -> tuple[str, Mapping[str, str]]:
        from ._probe import describe

        return "NumPy", describe()


plugin = Plugin()
