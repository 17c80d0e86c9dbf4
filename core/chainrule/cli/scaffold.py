"""Writes the project of a new plugin from the templates in ``templates/``."""

from __future__ import annotations

import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

from chainrule import __version__
from chainrule.errors import ArgumentError
from chainrule.plugin.api import API
from chainrule.plugin.builtin import BUILTIN, CORE_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

#: What a name may look like: it becomes a module, an entry point, and an attribute.
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_SUFFIX: Final = ".txt"  # so that no tool takes a template for the file it makes


def write_project(kind: str, name: str, into: str | None = None) -> tuple[Path, list[str]]:
    """Write the project of a plugin of *kind* called *name*; return its folder and its files.

    Raises:
        ArgumentError: the name cannot be used, or the folder holds something already.
    """
    words = _words(name)
    folder = Path(into or words["distribution"])
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArgumentError(
            f"expected a folder that is empty or not there yet, got {folder}. Choose another: "
            "--into FOLDER"
        )
    written = []
    for path, text in _filled(kind, words):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        written.append(path)
    return folder, sorted(written)


def _words(name: str) -> dict[str, str]:
    """Return what stands for the words in the templates."""
    word = name.replace("-", "_")
    if not _NAME.fullmatch(name) or keyword.iskeyword(word):
        raise ArgumentError(
            f"expected a name in small letters, digits and hyphens, like 'my-special', got {name!r}"
        )
    if word in {*BUILTIN, CORE_NAMESPACE}:
        raise ArgumentError(f"{name!r} is a name of chainrule's own. Choose another.")
    dashed = word.replace("_", "-")
    major, minor, *_ = __version__.split(".")
    return {
        "name": word,
        "distribution": f"chainrule-{dashed}",
        "package": f"chainrule_{word}",
        "Name": "".join(part.capitalize() for part in word.split("_")),
        "api": ".".join(map(str, API)),
        "requirement": f">={major}.{minor},<{int(major) + 1}",
    }


def _filled(kind: str, words: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every file."""
    root = resources.files(__package__) / "templates" / kind
    for path, template in _walk(root, ""):
        text = Template(template.read_text(encoding="utf-8")).substitute(words)
        yield Template(path).substitute(words), text


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            name = entry.name.removesuffix(_SUFFIX)
            yield (
                prefix + (f".{name.removeprefix('dot-')}" if name.startswith("dot-") else name),
                entry,
            )
