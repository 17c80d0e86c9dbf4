"""The CuPy backend imports of chainrule what an author of a backend may, and nothing above."""

from __future__ import annotations

import ast
from pathlib import Path

import chainrule_cupy

ALLOWED = {"chainrule.backend", "chainrule.errors", "chainrule.plugin.api"}


def imported(source):
    """Return the modules that a file names in its import statements, below functions too."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module


def test_every_file_keeps_to_the_kernel_api():
    sources = sorted(Path(chainrule_cupy.__file__).parent.rglob("*.py"))
    strangers = [
        f"{source.name}: {name}"
        for source in sources
        for name in imported(source)
        if name.partition(".")[0] == "chainrule" and name not in ALLOWED
    ]

    assert len(sources) > 3
    assert strangers == []
