"""The NumPy backend: device type ``cpu``. Importing this package does not import NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.backend import BackendSpec
from chainrule.plugin.api import PluginInfo, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainrule.backend import Backend, KernelSet

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


plugin = Plugin()
