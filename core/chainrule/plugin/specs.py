"""The hooks, all on this page: what chainrule asks of a plugin, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..backend import Backend, BackendSpec, KernelSet

hookspec = pluggy.HookspecMarker("chainrule")


class Hooks:
    """The hook specifications."""

    @hookspec
    def chainrule_backends(self) -> Iterable[BackendSpec] | None:
        """Return the backends that the plugin offers. Asked once, right after registration."""

    @hookspec
    def chainrule_kernels(self, backend: Backend) -> Iterable[KernelSet] | KernelSet | None:
        """Return kernels for *backend*. Asked once per plugin and activated backend."""
