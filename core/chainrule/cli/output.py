"""How commands write: the same text on a screen, where it is coloured, and in a file."""

from __future__ import annotations

import json
import sys
from typing import Any, Final, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["console", "escape", "print_json", "table"]

#: Columns of a line in a file: nothing is wrapped there that a program may want to find.
WIDE: Final = 400


def console(*, quiet: bool = False) -> Console:
    """Return what writes to standard output, without control characters if it is no terminal."""
    return Console(highlight=False, quiet=quiet, width=None if sys.stdout.isatty() else WIDE)


def table(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """Return a table with a line under its head, and no other; *numbers* stand to the right."""
    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, border_style="dim")
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in numbers else "left"
        made.add_column(column, overflow="fold", justify=justify)
    return made


def print_json(content: dict[str, Any] | list[Any]) -> int:
    """Print *content* for programs; return the exit code of success."""
    print(json.dumps(content, indent=2))
    return 0
