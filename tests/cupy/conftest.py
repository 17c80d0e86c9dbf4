"""Tests of the CuPy backend where there is no GPU; see docs/explanation/cupy-verification.md.

What needs the wheel of CuPy runs where it is installed; what needs the stand-in, in a run with
``-p cupy_standin.plugin`` (``tox -e cupy-standin``). The lint of names needs neither.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parent
NEED_WHEEL = ["test_wheel.py", "test_nvrtc.py"]
NEED_STANDIN = [
    "test_arrays.py",
    "test_devices.py",
    "test_docs.py",
    "test_graphs.py",
    "test_kernels.py",
    "test_standin.py",
    "test_faults.py",
    "test_conformance.py",
    "test_budgets.py",
    "test_threads.py",
]

collect_ignore = []
if importlib.util.find_spec("cupy") is None:
    collect_ignore += NEED_WHEEL
if "cupy_standin.plugin" not in sys.modules:
    collect_ignore += NEED_STANDIN


class Ended(NamedTuple):
    """A program that has ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def run_on_standin():
    """Return ``run(program, options)``: a program on a stand-in and in a process of its own."""

    def run(program, options="devices=1", **variables):
        words = [sys.executable, "-m", "cupy_standin", "--with", options, "-c", program]
        path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
        env = os.environ | {"PYTHONPATH": path} | variables
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
        return Ended(done.returncode, done.stdout, done.stderr)

    return run
