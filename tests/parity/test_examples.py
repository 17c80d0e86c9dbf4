"""The programs of docs/examples print the same numbers on chainrule and on PyTorch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "examples"
SCRIPTS = sorted(path for path in FOLDER.glob("*.py") if path.name != "common.py")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_prints_the_losses_of_pytorch(script):
    ours = losses("-m", "chainrule", "run", "--as-torch", script)
    theirs = losses(script)

    assert [names for names, _ in ours] == [names for names, _ in theirs]
    assert len(ours) >= 5
    for (_, found), (_, expected) in zip(ours, theirs, strict=True):
        assert found == pytest.approx(expected, rel=1e-3)


def losses(*command):
    """Return the words and the numbers of each line with numbers that a short run prints."""
    done = subprocess.run(
        [sys.executable, *command, "--steps", "5", "--seed", "1"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith(("step", "held-out"))]
    return [(NUMBER.sub("", line), list(map(float, NUMBER.findall(line)))) for line in lines]
