"""Kernels written once over a NumPy-like namespace ``xp``, for NumPy, CuPy and look-alikes.

A backend inherits the family by naming ``"xp"`` among its parents. A kernel takes arrays by
position and static arguments by keyword, named and defaulted as in the statement of its op; a
keyword at its default may be left out. Importing this package imports no array library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.plugin.api import PluginInfo, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainrule.backend import Backend, KernelSet


class Plugin:
    """Offers the kernels of the family to every backend that descends from it."""

    info = PluginInfo(name="xp", api="1.0", summary="kernels over any NumPy-like namespace")

    @hookimpl
    def chainrule_kernels(self, backend: Backend) -> Iterable[KernelSet] | None:
        if not backend.isa("xp"):
            return None
        from .kernels import kernel_sets

        return kernel_sets


plugin = Plugin()
