"""The CuPy backend: device type ``cuda``. Importing this package imports neither CuPy nor NumPy.

It inherits the kernels of the family ``xp`` and brings its own where CuPy differs from NumPy or
where one launch can do the work of many. Devices are ``cuda``, ``cuda:0`` and on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.backend import BackendSpec
from chainrule.plugin.api import PluginInfo, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from chainrule.backend import Backend, KernelSet

__all__ = ["plugin", "spec"]

spec = BackendSpec(
    name="cupy",
    device_types=("cuda",),
    parents=("xp",),
    storage="cupy",
    probe="chainrule_cupy._probe:probe",
    factory="chainrule_cupy._backend:create",
    capabilities=frozenset({
        "float64", "complex", "views", "inplace", "streams", "deterministic", "dlpack",
    }),
    install_hint='pip install "chainrule[cupy12]" for CUDA 12, or "chainrule[cupy13]" for CUDA 13',
)  # fmt: skip


class Plugin:
    """Announces the backend and its kernels, and recognises CuPy's arrays."""

    info = PluginInfo(name="cupy", api="1.0", summary="arrays of CuPy, on GPUs of NVIDIA")

    @hookimpl
    def chainrule_backends(self) -> Iterable[BackendSpec]:
        return [spec]

    @hookimpl
    def chainrule_kernels(self, backend: Backend) -> Iterable[KernelSet] | None:
        if not backend.isa("cupy"):
            return None
        from .kernels import kernel_sets

        return kernel_sets

    @hookimpl
    def chainrule_from_array(self, obj: object) -> tuple[str, Callable[[Any], Any]] | None:
        if type(obj).__module__.partition(".")[0] != "cupy":
            return None
        return "cupy", lambda array: array

    @hookimpl
    def chainrule_info_section(self) -> tuple[str, Mapping[str, str]]:
        from ._probe import describe

        return "CuPy", describe()


plugin = Plugin()
