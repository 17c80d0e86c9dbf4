"""Which plugins may be loaded: what the program and the environment say."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .builtin import CORE_NAMESPACE
from .records import BLOCKED, CONFLICT, NOT_SELECTED, PluginRecord, normal_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: What chainrule reads from the environment about plugins, and what for.
VARIABLES = {
    "CHAINRULE_BACKEND": "the backends that make new arrays: 'native', or 'cpu=native,cuda=cupy'",
    "CHAINRULE_NO_PLUGINS": "1: load none but chainrule's own",
    "CHAINRULE_PLUGINS": "load these alone: names of entry points or distributions",
    "CHAINRULE_DISABLE_PLUGINS": "do not load these",
    "CHAINRULE_PIN_PLUGINS": "of several of one name, whose to load: 'special=chainrule-special'",
    "CHAINRULE_STRICT_PLUGINS": "1: a plugin that cannot be loaded is an error",
    "CHAINRULE_PREFER": "use a stranger's kernel: 'cr::conv2d=mkl', 'cr::conv2d@numpy=mkl'",
    "CHAINRULE_FALLBACK": "where a kernel is missing: 'error', or 'cpu-warn' to compute on the CPU",
    "CHAINRULE_TRACE": "tell on standard error what is done: 'plugins', 'dispatch', or both",
}


class Preference(NamedTuple):
    """Use *provider*'s kernel for *op* on *backend*; "" for every backend it has one for."""

    op: str
    backend: str
    provider: str


@dataclass
class Selection:
    """What may be loaded, highest say first: the program's own word, then the environment's.

    Attributes:
        blocked: By the program.
        allowed: By the program.
        none: No plugins but chainrule's own.
        only: None but these; an empty set means none, None means any.
        disabled: Not these.
        pins: The distribution to take where several offer one name.
        strict: Whether a plugin that cannot be loaded is an error.
        preferences: Whose kernel to use for an op, and on which backend ("": on any).
    """

    blocked: set[str] = field(default_factory=set)
    allowed: set[str] = field(default_factory=set)
    none: bool = False
    only: set[str] | None = None
    disabled: set[str] = field(default_factory=set)
    pins: dict[str, str] = field(default_factory=dict)
    strict: bool = False
    preferences: tuple[Preference, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Selection:
        """Return what the environment variables say."""
        only = environment.get("CHAINRULE_PLUGINS")
        return cls(
            none=_is_on(environment.get("CHAINRULE_NO_PLUGINS", "")),
            only=None if only is None else set(_names(only)),
            disabled=set(_names(environment.get("CHAINRULE_DISABLE_PLUGINS", ""))),
            pins=_pairs(environment.get("CHAINRULE_PIN_PLUGINS", "")),
            strict=_is_on(environment.get("CHAINRULE_STRICT_PLUGINS", "")),
            preferences=tuple(_preferences(environment.get("CHAINRULE_PREFER", ""))),
        )

    def judge(self, record: PluginRecord) -> None:
        """Set the state of *record* if it may not be loaded."""
        names = record.names
        if names & self.blocked:
            record.state, record.reason = BLOCKED, "blocked by the program"
        elif names & self.allowed:
            return
        elif self.none:
            record.state, record.reason = BLOCKED, "CHAINRULE_NO_PLUGINS is set"
        elif self.only is not None:
            if not names & self.only:
                record.state, record.reason = NOT_SELECTED, "not among CHAINRULE_PLUGINS"
        elif names & self.disabled:
            record.state, record.reason = BLOCKED, "among CHAINRULE_DISABLE_PLUGINS"

    def settle(self, rivals: list[PluginRecord]) -> None:
        """Set the states of several plugins of one name: the pinned one stays, or none does."""
        name = rivals[0].name
        pin = self.pins.get(normal_name(name))
        if any(normal_name(record.distribution) == pin for record in rivals):
            for record in rivals:
                if normal_name(record.distribution) != pin:
                    record.state, record.reason = NOT_SELECTED, f"{name!r} is pinned to {pin}"
            return
        reason = rivalry(name, rivals)
        for record in rivals:
            record.state, record.reason = CONFLICT, reason

    def pin(self, name: str, distribution: str) -> None:
        """Take *name* from *distribution* where several offer it."""
        self.pins[normal_name(name)] = normal_name(distribution)


def rivalry(name: str, rivals: list[PluginRecord]) -> str:
    """Return why none of *rivals* is loaded, and the line to write."""
    return (
        f"{name!r} is claimed by {' and by '.join(r.provider for r in rivals)}. Uninstall one, or "
        f"choose: CHAINRULE_PIN_PLUGINS={name}={rivals[0].distribution or rivals[0].name}"
    )


def _names(text: str) -> list[str]:
    return [normal_name(name) for name in text.split(",") if name.strip()]


def _pairs(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    return {normal_name(name): normal_name(distribution) for name, _, distribution in pairs}


def _preferences(text: str) -> Iterator[Preference]:
    for part in filter(None, map(str.strip, text.split(","))):
        place, _, provider = (word.strip() for word in part.partition("="))
        op, _, backend = place.partition("@")
        yield Preference(full_name(op), backend, provider)


def full_name(op: str) -> str:
    """Return the name of an op with its namespace, which is core's where none is given."""
    return op if "::" in op else f"{CORE_NAMESPACE}::{op}"


def _is_on(value: str) -> bool:
    return value.strip().lower() not in {"", "0", "false", "no", "off"}
