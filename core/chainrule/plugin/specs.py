"""The hooks, all on this page: what chainrule asks of a plugin, and when.

A plugin implements those it wants, as methods marked `hookimpl`, and may leave out arguments that
it does not need. An argument of an implementation has no default. Where a result is "an iterable
of", None and a generator are fine too.

Each plugin is asked on its own, so that one that fails cannot silence the others. No hook is ever
called per op: what the hooks return is put into plain tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from ..backend import Backend, BackendSpec, KernelDef, KernelSet
    from ..op import Op
    from ..testing.cases import OpCase

hookspec = pluggy.HookspecMarker("chainrule")


class Hooks:
    """The hook specifications."""

    @hookspec
    def chainrule_backends(self) -> Iterable[BackendSpec] | None:
        """Return the backends that the plugin offers. Asked once, right after registration."""

    @hookspec
    def chainrule_ops(self) -> Iterable[Op[Any, Any]] | None:
        """Return the ops that the plugin defines, in the namespaces that its info names.

        Asked once, right after registration.
        """

    @hookspec
    def chainrule_kernels(self, backend: Backend) -> Iterable[KernelSet] | KernelSet | None:
        """Return kernels for *backend*, or for a family in its lineage.

        Asked once per plugin and live backend, when the later of the two comes. A kernel for one's
        own backend, or for an op of one's own namespace, is used; one for somebody else's op on
        somebody else's backend is kept until the user asks for it with `prefer`.
        """

    @hookspec(firstresult=True)
    def chainrule_select_backend(self, device_type: str, candidates: tuple[str, ...]) -> str | None:
        """Return which of *candidates* makes new arrays on *device_type*.

        Asked only for a device type that no built-in backend serves, when several could and the
        user chose none. The answer is kept.
        """

    @hookspec(firstresult=True)
    def chainrule_from_array(self, obj: object) -> tuple[str, Callable[[Any], Any]] | None:
        """Return the name of a backend, and what makes one of its arrays from *obj*.

        Asked the first time that an array type unknown to chainrule is seen. The answer is kept
        for the type.
        """

    @hookspec(firstresult=True)
    def chainrule_missing_kernel(self, op: str, backend: Backend, policy: str) -> KernelDef | None:
        """Return a kernel for an *op* that *backend* has neither a kernel nor a usable body for.

        Asked once per op and backend, under a fallback *policy* other than ``"error"``.
        """

    @hookspec
    def chainrule_backend_activated(self, backend: Backend) -> None:
        """Be told that *backend* is live. What is raised here is logged and changes nothing."""

    @hookspec
    def chainrule_info_section(self) -> tuple[str, Mapping[str, str]] | None:
        """Return a title and what the plugin has to say under it in ``chainrule info``."""

    @hookspec
    def chainrule_conformance_cases(self, op_names: tuple[str, ...]) -> Iterable[OpCase] | None:
        """Return sample inputs for the tests of the ops *op_names*. Asked by the test kit alone."""
