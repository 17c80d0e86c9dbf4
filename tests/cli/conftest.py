"""Running the command: in this process, and as a person would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.cli import main

FIXTURES = Path(__file__).parents[1] / "fixtures" / "plugins"


@pytest.fixture
def command(capsys):
    """Run the command in this process; return its exit code and what it printed."""

    def command(*arguments):
        try:
            code = main(list(arguments))
        except SystemExit as stop:  # argparse leaves this way
            code = stop.code
        return code, *capsys.readouterr()

    return command


@pytest.fixture
def fresh():
    """Run the command in a fresh process, with some of the fixtures' plugins installed."""

    def fresh(*arguments, installed=(), **environment):
        kept = {n: v for n, v in os.environ.items() if not n.startswith("CHAINRULE_")}
        path = [*(str(FIXTURES / name) for name in installed), *filter(None, sys.path)]
        return subprocess.run(
            [sys.executable, "-m", "chainrule", *arguments],
            env={**kept, **environment, "PYTHONPATH": os.pathsep.join(path)},
            capture_output=True,
            text=True,
            check=False,
        )

    return fresh
