"""Known failures of a backend: a TOML file, strict, that the kit can write by itself.

    [[xfail]]
    id = "test_values_equal_the_reference[mine-erfinv-float64]"
    reason = "the library has no erfinv"
    issue = "https://example.org/issues/1"

An entry that stands for no test is an error, and so is one whose test passes.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def read(path: Path) -> dict[str, dict[str, str]]:
    """Return the entries of the file at *path*, by id.

    Raises:
        pytest.UsageError: the file is not what it should be.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise pytest.UsageError(
            f"--chainrule-xfails: {path} is not there. Write it with --chainrule-accept."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise pytest.UsageError(f"--chainrule-xfails: {path}: {error}") from None
    entries = content.get("xfail", [])
    for entry in entries:
        if not isinstance(entry, dict) or not entry.get("id") or not entry.get("reason"):
            raise pytest.UsageError(f"{path}: an entry needs an id and a reason, got {entry!r}")
    ids = [entry["id"] for entry in entries]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise pytest.UsageError(f"{path}: {twice[0]} stands there twice")
    return {entry["id"]: entry for entry in entries}


def apply(entries: dict[str, dict[str, str]], items: Iterable[Any], path: Path) -> None:
    """Mark the tests of *entries* as expected to fail.

    Raises:
        pytest.UsageError: an entry stands for no test.
    """
    named = {item.name: item for item in items}
    functions = {item.originalname for item in named.values()}
    for name, entry in entries.items():
        if name in named:
            named[name].add_marker(pytest.mark.xfail(reason=entry["reason"], strict=True))
        elif name.partition("[")[0] in functions or "[" not in name:
            raise pytest.UsageError(
                f"{path}: no test is called {name}. Remove the entry, or run once with "
                "--chainrule-accept."
            )


def write(path: Path, failures: Mapping[str, str], before: dict[str, dict[str, str]]) -> None:
    """Write *failures*, id to reason, keeping what was written about them *before*."""
    lines = ["# Known failures of the conformance kit. Written by --chainrule-accept.\n"]
    for name in sorted(failures):
        entry = {"id": name, "reason": failures[name], **before.get(name, {})}
        lines.append("\n[[xfail]]\n")
        lines += [f"{key} = {json.dumps(value)}\n" for key, value in entry.items()]
    path.write_text("".join(lines), encoding="utf-8")
