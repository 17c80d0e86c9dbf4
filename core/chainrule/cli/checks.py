"""``chainrule doctor``: what is checked, in which order, and what to do about what is wrong."""

from __future__ import annotations

import itertools
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any, Final

from chainrule.backend import AVAILABLE, IMPORT_FAILED, NO_DEVICE, NOT_INSTALLED
from chainrule.errors import ChainruleError
from chainrule.plugin.builtin import BUILTIN
from chainrule.plugin.choosing import choices_of_environment
from chainrule.plugin.finding import backend_names, find_spec
from chainrule.plugin.host import host
from chainrule.plugin.records import CONFLICT, FAILED, INCOMPATIBLE

from . import facts

OLDEST_PYTHON: Final = (3, 11)
NEEDED: Final = ("pluggy", "safetensors", "rich")
CURES: Final = {
    NOT_INSTALLED: "Get it: {install_hint}",
    IMPORT_FAILED: "Repair or reinstall it: {install_hint}",
    NO_DEVICE: "Check that the driver is installed and that a device is visible to this process.",
    FAILED: "Ask its author, or do without it: CHAINRULE_DISABLE_PLUGINS={name}",
    INCOMPATIBLE: "Install a version made for this chainrule: pip install --upgrade {distribution}",
    CONFLICT: "Uninstall one of the two, or choose one as said above.",
}


def examine(backend: str | None = None) -> list[dict[str, Any]]:
    """Return the findings, in order; with *backend*, those about it alone.

    Raises:
        BackendNotFoundError: nobody provides *backend*.
    """
    if backend is not None:
        if backend not in itertools.chain(*backend_names(host)):
            find_spec(host, backend)
        return list(_examine_backend(backend))
    rows = [row for row in facts.backends() if row["state"] != NOT_INSTALLED]
    findings = [*_examine_python(), *_examine_environment(), *_examine_plugins()]
    return [*findings, *(finding for row in rows for finding in _examine_backend(row["name"]))]


def _finding(what: str, reason: str = "", cure: str = "") -> dict[str, Any]:
    return {"what": what, "passed": not reason, "reason": reason, "cure": cure}


def _examine_python() -> Iterator[dict[str, Any]]:
    old = sys.version_info[:2] < OLDEST_PYTHON
    wanted = ".".join(map(str, OLDEST_PYTHON))
    yield _finding(
        f"Python {platform.python_version()}",
        f"chainrule needs Python {wanted} or later" if old else "",
        "Install a newer Python.",
    )
    for name in NEEDED:
        try:
            yield _finding(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            yield _finding(name, "it is not installed", f"python -m pip install {name}")


def _examine_environment() -> Iterator[dict[str, Any]]:
    try:
        choices_of_environment(host)
    except ChainruleError as error:
        yield _finding("environment variables", str(error), "Correct or unset CHAINRULE_BACKEND.")
    else:
        yield _finding("environment variables")


def _examine_plugins() -> Iterator[dict[str, Any]]:
    for row in facts.plugins():
        bad = row["state"] in {FAILED, INCOMPATIBLE, CONFLICT}
        cure = _cure(row) if bad else ""
        yield _finding(f"plugin {row['name']}, {row['state']}", row["reason"] if bad else "", cure)


def _cure(row: facts.Facts) -> str:
    if row["state"] == CONFLICT and row["name"] in BUILTIN:
        return f"Uninstall it: pip uninstall {row['distribution']}"
    return str(CURES[row["state"]].format(**row))


def _examine_backend(name: str) -> Iterator[dict[str, Any]]:
    """Yield findings about one backend; the later ones need the earlier to pass."""
    (row,) = facts.backends(name)
    if row["state"] != AVAILABLE:
        cure = CURES.get(row["state"], "See 'chainrule plugins'.").format(**row)
        yield _finding(f"backend {name}", f"{row['state']}: {row['reason']}", cure)
        return
    versions = ", ".join(" ".join(pair) for pair in row["versions"].items())
    yield _finding(f"backend {name}, {versions}, {row['devices']} device(s)")
    for check in facts.check(row):
        yield _finding(
            f"a gradient on {check['device']} of {name}",
            check["reason"],
            "Reinstall the backend; if it stays so, report it with 'chainrule info --json'.",
        )
