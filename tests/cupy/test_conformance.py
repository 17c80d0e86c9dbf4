"""CuPy's own tests run on the stand-in: it is faithful but for what infidelities.toml lists.

A test that fails and is not listed fails here; so does a listed one that passes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from cupy_standin.building import Wheel, suite_of_cupy

HERE = Path(__file__).parent
LIST = tomllib.loads((HERE / "infidelities.toml").read_text())
FULL = bool(os.environ.get("CHAINRULE_CUPY_FULL"))
FILES = LIST["files"] + (LIST["more_files"] if FULL else [])


def run(file, report):
    """Run one file of CuPy's tests, in a process and on a stand-in of its own."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "cupy_standin.plugin", "-p",
             "no:cacheprovider", f"--junitxml={report}", f"tests/cupy_tests/{file}"]  # fmt: skip
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"PYTHONPATH": path, "CHAINRULE_CUPY_STANDIN": "devices=2"}
    folder = suite_of_cupy(Wheel.installed().version)
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


def outcomes(report, file):
    """Return ``{test: failed}``; those that CuPy itself skips are left out."""
    prefix = "tests.cupy_tests." + file.removesuffix(".py").replace("/", ".")
    found = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314  # written by pytest, just now
        kinds = {child.tag for child in case}
        owner = case.get("classname").removeprefix(prefix).lstrip(".")
        name = "::".join(filter(None, [file, owner, case.get("name")]))
        if "skipped" not in kinds:
            found[name] = bool(kinds & {"failure", "error"})
    return found


def known(file):
    """Return the patterns of tests of *file* that are known to fail."""
    return [row["test"] for row in LIST["known"] if row["test"].startswith(file)]


def matches(name, pattern):
    """Return whether *pattern*, in which only ``*`` is special, names the test."""
    return fnmatchcase(name.replace("[", "("), pattern.replace("[", "("))


@pytest.mark.parametrize("file", FILES)
def test_stand_in_passes_the_suite_of_cupy_but_for_those_listed(file, tmp_path, record_property):
    done = run(file, tmp_path / "report.xml")
    assert (tmp_path / "report.xml").exists(), done.stdout + done.stderr
    found = outcomes(tmp_path / "report.xml", file)
    failed = {name for name, wrong in found.items() if wrong}
    record_property("passed", len(found) - len(failed))
    patterns = known(file)
    unlisted = [name for name in failed if not any(matches(name, p) for p in patterns)]
    assert sorted(unlisted) == [], done.stdout[-4000:]
    stale = [p for p in patterns if not any(matches(name, p) for name in failed)]
    assert stale == []
    assert len(found) > len(failed)


def test_every_known_failure_has_a_reason():
    assert [row for row in LIST["known"] if len(row["reason"]) < 10] == []
