"""Which plugins are installed: one scan of the entry points per process, on first need."""

from __future__ import annotations

import importlib
import importlib.util
import re
from typing import TYPE_CHECKING, Any, Final

from .builtin import BUILTIN
from .records import BACKEND, PLUGIN, PluginRecord

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import Distribution, EntryPoint

#: The groups of entry points, and what stands in them.
GROUPS: Final = {"chainrule.backends": BACKEND, "chainrule.plugins": PLUGIN}


def scan() -> list[PluginRecord]:
    """Return a record per installed plugin, sorted, so that no file system decides an order."""
    found = _entry_points()
    records = [
        _record(e, kind) for group, kind in GROUPS.items() for e in found.select(group=group)
    ]
    records = [r for r in records if r.name not in BUILTIN or r.target != BUILTIN[r.name].target]
    return sorted(records, key=lambda r: (r.group, r.name, r.distribution))


def _entry_points() -> Any:
    """Return all entry points, without those of a distribution whose list cannot be read."""
    from importlib import metadata

    try:
        return metadata.entry_points()
    except Exception:  # noqa: BLE001 - one file that no parser takes must not hide the others
        readable = (e for dist in metadata.distributions() for e in _readable_entry_points(dist))
        return metadata.EntryPoints(readable)


def _readable_entry_points(distribution: Distribution) -> Iterable[EntryPoint]:
    try:
        return distribution.entry_points
    except Exception:  # noqa: BLE001 - as above
        return ()


def _record(entry: EntryPoint, group: str) -> PluginRecord:
    dist = entry.dist
    requires = next(filter(None, map(_on_chainrule, (dist and dist.requires) or ())), "")
    return PluginRecord(
        name=entry.name,
        group=group,
        target=entry.value,
        distribution=dist.name if dist else "",
        version=dist.version if dist else "",
        requires=requires,
    )


def _on_chainrule(requirement: str) -> str:
    """Return what a *requirement* asks of chainrule's version; "" if nothing."""
    found = re.match(r"chainrule\s*(?:\[[^]]*\])?\s*\(?([^;)]*)\)?\s*(?:;|$)", requirement)
    return found[1].strip() if found else ""


def satisfies(version: str, specifier: str) -> bool:
    """Return whether *version* is one that *specifier* allows.

    Compares release numbers, which is what plugins pin; a clause of another form is not judged.

    >>> satisfies("0.1.0", ">=0.1,<0.2"), satisfies("0.2", "~=0.1.3"), satisfies("1.2", "==1.*")
    (True, False, True)
    """
    return all(_meets(version, clause.strip()) for clause in specifier.split(","))


def _meets(version: str, clause: str) -> bool:
    parts = re.fullmatch(r"(>=|<=|==|!=|~=|<|>)\s*(\d+(?:\.\d+)*)(\.\*)?", clause)
    if parts is None:
        return True
    comparison, release = parts[1], [int(n) for n in parts[2].split(".")]
    ours = [int(n) for n in re.findall(r"\d+", re.match(r"[\d.]*", version)[0])]  # type: ignore[index]  # may match nothing, always matches
    if parts[3]:
        return (ours[: len(release)] == release) == (comparison == "==")
    width = max(len(ours), len(release))
    left, right = (n + [0] * (width - len(n)) for n in (ours, release))
    if comparison == "~=":
        return left >= right and ours[: len(release) - 1] == release[:-1]
    return {
        ">=": left >= right, "<=": left <= right, ">": left > right, "<": left < right,
        "==": left == right, "!=": left != right,
    }[comparison]  # fmt: skip


def load_target(target: str) -> Any:
    """Return what ``"module:attribute"`` stands for.

    Raises:
        Exception: whatever importing the module raises, or what is missing.
    """
    module, _, path = target.partition(":")
    found: Any = importlib.import_module(module.strip())
    for name in filter(None, path.partition("[")[0].strip().split(".")):
        found = getattr(found, name)
    return found


def is_installed(target: str) -> bool:
    """Return whether the top-level package of *target* is there, without importing it."""
    try:
        return importlib.util.find_spec(target.partition(":")[0].partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False
