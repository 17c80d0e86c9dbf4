"""``python -m cupy_standin [--with OPTIONS] SCRIPT | -m MODULE | -c CODE``: run a program.

OPTIONS is a text like ``devices=2,asynchronous,seed=7``, else ``CHAINRULE_CUPY_STANDIN`` is read.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from .activation import activate
from .options import Options


def main(words: list[str]) -> None:
    """Run the program that *words* name."""
    options = None
    if words[:1] == ["--with"]:
        options, words = words[1], words[2:]
    if not words:
        sys.exit(__doc__)
    activate(Options.read(options))
    if words[0] == "-c":
        sys.argv = words[:1] + words[2:]
        exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102  # asked for
    elif words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        sys.path.insert(0, str(Path(words[0]).resolve().parent))
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
