"""What a program may say about plugins: which to load, to replace, to prefer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..backend import by_name
from ..errors import ArgumentError
from .builtin import BUILTIN
from .host import host
from .records import BLOCKED, CONFLICT, DISCOVERED, NOT_SELECTED, normal_name
from .selection import full_name

if TYPE_CHECKING:
    from ..op import Op
    from .records import PluginRecord


def block(*names: str) -> None:
    """Keep plugins from being loaded, by the names of entry points or distributions.

    One that is loaded already is unloaded.

    Raises:
        ArgumentError: it is one of chainrule's own.
        PluginLoadError: a backend of it is live, and tensors may be on it.
    """
    for name in map(normal_name, names):
        if name in BUILTIN:
            msg = f"block: expected the name of a plugin, got {name!r}, which is chainrule's own."
            raise ArgumentError(msg)
        for record in _named(name):
            if record.serves:
                host.unload(record)
            elif record.state == DISCOVERED:
                record.state, record.reason = BLOCKED, "blocked by the program"
        host.selection.blocked.add(name)
        host.selection.allowed.discard(name)


def allow(*names: str) -> None:
    """Let plugins be loaded whatever the environment says, by the names that `block` takes."""
    for name in map(normal_name, names):
        host.selection.allowed.add(name)
        host.selection.blocked.discard(name)
        for record in _named(name):
            if record.state in {BLOCKED, NOT_SELECTED}:
                record.state, record.reason = DISCOVERED, ""


def pin(name: str, distribution: str) -> None:
    """Take plugin *name* from *distribution*, where several offer it. Say so before first use."""
    host.selection.pin(name, distribution)
    rivals = [r for r in host.records if normal_name(r.name) == normal_name(name) and not r.builtin]
    for record in rivals:
        if record.state == CONFLICT:
            record.state, record.reason = DISCOVERED, ""
    if len(rivals) > 1:
        host.selection.settle(rivals)


def register(plugin: object) -> PluginRecord:
    """Load a *plugin* object that has no entry point, as in a notebook; return its record.

    Registering another object with the same ``info.name`` replaces the first.

    Raises:
        PluginLoadError: it cannot be loaded; the message says why.
    """
    return host.register(plugin)


def unload(name: str) -> None:
    """Take the plugin *name*, its ops and its kernels out of use.

    Raises:
        ArgumentError: no loaded plugin has the name.
        PluginLoadError: a backend of it is live, and tensors may be on it.
    """
    loaded = [record for record in _named(normal_name(name)) if record.serves]
    if not loaded:
        msg = f"unload: expected the name of a loaded plugin, got {name!r}."
        raise ArgumentError(msg)
    for record in loaded:
        host.unload(record)


def prefer(op: str | Op[Any, Any], provider: str | None, *, backend: str) -> None:
    """Choose whose kernel runs *op* on *backend*, where several have one.

    A third party's kernel for somebody else's op on somebody else's backend is used only if it is
    chosen so. An ancestor's can be chosen over the nearest one, too.

    Args:
        op: The op, or its name: ``"cr::conv2d"``, or ``"conv2d"`` for one of core.
        provider: The plugin or distribution whose kernel to use; None takes the choice back.
        backend: The backend to use it on.

    Raises:
        PluginLoadError: no plugin of that name has one.
        KernelConflictError: the name stands for several that have one.

    >>> prefer("tanh", "xp", backend="numpy")
    >>> cr.explain("tanh", cr.ones(1)).how
    'preferred kernel'
    >>> prefer("tanh", None, backend="numpy")
    """
    live = by_name(backend)
    host.load_all()
    host.kernels.prefer(full_name(op if isinstance(op, str) else op.name), provider, live)


def list() -> tuple[PluginRecord, ...]:  # noqa: A001 - reads as chainrule.plugin.list()
    """Return what is known of every plugin: its state, and why."""
    return tuple(host.discover())


def _named(name: str) -> tuple[PluginRecord, ...]:
    return tuple(r for r in host.records if name in r.names and not r.builtin)
