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
    capabilities=frozenset({"float64", "complex", "views", "inplace", "streams", "dlpack"}),
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

    @hookimpl(trylast=True)
    def chainrule_from_array(self, obj: object) -> tuple[str, Callable[[Any], Any]] | None:
        """Take CuPy's arrays and, of what no other backend has, whatever tells CuPy its memory."""
        kind = type(obj)
        if any((base.__module__, base.__name__) == ("cupy", "ndarray") for base in kind.__mro__):
            return "cupy", _plain
        return ("cupy", _shared) if hasattr(kind, "__cuda_array_interface__") else None

    @hookimpl
    def chainrule_info_section(self) -> tuple[str, Mapping[str, str]]:
        from ._probe import describe

        return "CuPy", describe()


def _plain(array: Any) -> Any:
    """Return *array* as what kernels take: no subclass, but the same memory."""
    import cupy

    return array if type(array) is cupy.ndarray else array.view(cupy.ndarray)


def _shared(array: Any) -> Any:
    """Return the memory of another library's *array* as CuPy's."""
    import cupy

    return cupy.asarray(array)


plugin = Plugin()
