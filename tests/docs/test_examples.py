"""The programs of docs/examples run on chainrule as they stand, as a reader would start them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "examples"
SCRIPTS = sorted(path for path in FOLDER.glob("*.py") if path.name != "common.py")


@pytest.fixture
def example(tmp_path):
    """Return what runs a script under ``chainrule run --as-torch`` in an empty folder."""

    def run(script, *arguments):
        command = [sys.executable, "-W", "error", "-m", "chainrule", "run", "--as-torch", script]
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
        )

    return run


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_runs_and_prints_a_loss_for_each_of_its_few_steps(example, script):
    done = example(script, "--steps", "3")

    assert (done.stderr, done.returncode) == ("", 0)
    assert re.findall(r"^step +(\d+)  loss -?\d", done.stdout, re.MULTILINE) == ["1", "2", "3"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_is_on_the_page_of_examples(script):
    assert f"({script.name})" in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_example_explains_itself_and_its_options(example):
    done = example(FOLDER / "char_gpt.py", "--help")

    assert "A small GPT that learns to write like Python's own manual" in done.stdout
    assert {"--seed", "--steps", "--plot"} <= set(re.findall(r"--\w+", done.stdout))


def test_example_draws_its_picture(example, tmp_path):
    pytest.importorskip("matplotlib", reason="the picture is an optional extra")
    done = example(FOLDER / "cnn_digits.py", "--steps", "2", "--plot", "result.png")

    assert (done.stderr, done.returncode) == ("", 0)
    assert (tmp_path / "result.png").read_bytes().startswith(b"\x89PNG")
