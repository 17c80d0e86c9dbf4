"""A backend whose arrays are PyTorch's CPU tensors. Importing this imports neither library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.backend import BackendSpec
from chainrule.plugin import PluginInfo, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chainrule.plugin import Backend, KernelSet

__all__ = ["plugin", "spec"]

spec = BackendSpec(
    name="torch",
    device_types=("torch",),
    parents=("numpy", "xp"),  # their kernels run on the tensors' memory: see _backend.py
    storage="torch",
    probe="chainrule_torch_storage._probe:probe",
    factory="chainrule_torch_storage._backend:create",
    capabilities=frozenset({"float64", "complex", "views", "inplace", "deterministic", "dlpack"}),
    install_hint="pip install chainrule-torch-storage",
)


class Plugin:
    """What chainrule asks, and what we answer."""

    info = PluginInfo(
        name="torch", api="1.0", summary="PyTorch's CPU tensors as arrays: device torch"
    )

    @hookimpl
    def chainrule_backends(self) -> Iterable[BackendSpec]:
        """Give the backend."""
        return [spec]

    @hookimpl
    def chainrule_kernels(self, backend: Backend) -> KernelSet | None:
        """Give the kernels that are PyTorch's own."""
        if not backend.isa("torch"):
            return None
        from .kernels import ks

        return ks

    @hookimpl
    def chainrule_select_backend(self, device_type: str) -> str | None:
        """Keep our device type ours, also where somebody installs another backend for it."""
        return "torch" if device_type == "torch" else None

    @hookimpl
    def chainrule_info_section(self) -> tuple[str, Mapping[str, str]]:
        """Give what ``chainrule info`` shows."""
        from ._probe import describe

        return "PyTorch storage", describe()


plugin = Plugin()
