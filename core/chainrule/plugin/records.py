"""What became of each plugin: its state, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

DISCOVERED, BLOCKED, NOT_SELECTED, LOADED, ACTIVE, FAILED, INCOMPATIBLE, CONFLICT = (
    "discovered", "blocked", "not_selected", "loaded", "active", "failed", "incompatible",
    "conflict",
)  # fmt: skip
#: The states in which a plugin's hooks may be called.
SERVING: Final = frozenset({LOADED, ACTIVE})

BACKEND, PLUGIN = "backend", "plugin"


def normal_name(name: str) -> str:
    """Return *name* in the form in which names of plugins and distributions are compared."""
    return name.strip().lower().replace("_", "-").replace(".", "-")


class PluginLoadWarning(UserWarning):
    """A plugin nobody asked for by name could not be loaded; everything else goes on."""


class FallbackWarning(UserWarning):
    """An op ran on the CPU in place of its tensors' device, since the user allowed that."""


@dataclass(eq=False, kw_only=True)
class PluginRecord:
    """A plugin, by its entry point, and what became of it.

    Attributes:
        name: The name of its entry point: a backend's or an op namespace's.
        group: ``"backend"`` or ``"plugin"``: which group of entry points it stands in.
        target: ``"module:attribute"``, where the plugin object is.
        distribution: What was installed to get it, with its version.
        version: That version.
        builtin: It ships with chainrule.
        state: ``"discovered"``, ``"blocked"``, ``"not_selected"``, ``"loaded"``, ``"active"`` (a
            backend, op or kernel of it is in use), ``"failed"``, ``"incompatible"`` or
            ``"conflict"``.
        reason: Why it is in that state, in a sentence; empty when all is well.
        traceback: Of the failure.
        api: The plugin API it was written for.
        load_ms: What importing and registering it cost.
        hooks: The hooks it implements.
        namespaces: The op namespaces it may define.
        backends: The backends it announced.
        ops: The ops it defined.
        kernels: How many kernels it gave to live backends.
        requires: What its distribution requires of chainrule, like ``">=0.1,<0.2"``.
    """

    name: str
    group: str
    target: str
    distribution: str = ""
    version: str = ""
    builtin: bool = False
    state: str = DISCOVERED
    reason: str = ""
    traceback: str = ""
    api: str = ""
    load_ms: float = 0.0
    hooks: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    ops: tuple[str, ...] = ()
    kernels: int = 0
    requires: str = ""
    plugin: object = field(default=None, repr=False)
    error: BaseException | None = field(default=None, repr=False)

    @property
    def key(self) -> str:
        """The name it is registered under: ``"backend:numpy"``."""
        return f"{self.group}:{self.name}"

    @property
    def names(self) -> frozenset[str]:
        """What people may call it: the names of entry point and distribution, in normal form."""
        return frozenset(map(normal_name, filter(None, (self.name, self.distribution))))

    @property
    def provider(self) -> str:
        """Whose kernels these are, for people: ``"chainrule-special 0.3"``."""
        return f"{self.distribution} {self.version}".strip() or self.name

    @property
    def serves(self) -> bool:
        """Whether its hooks may be called."""
        return self.state in SERVING

    def __str__(self) -> str:
        source = f" of {self.provider}" if self.distribution else ""
        return f"plugin {self.name!r} (entry point {self.target}{source})"
