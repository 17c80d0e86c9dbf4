"""The benchmark runs, fills every row, and finds that all libraries computed the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
ROWS = [
    "a*b, recorded", "a*b, unrecorded", "backward, per node", "tiny MLP", "MLP", "CNN",
    "residual block", "GPT", "LSTM", "elementwise", "HVP", "chain of 10,000",
]  # fmt: skip


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / "run.py"), *arguments]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=600, env=os.environ.copy()
    )


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    path = tmp_path_factory.mktemp("benchmarks") / "ratios.json"
    done = run("--quick", "--columns", "numpy", "PyTorch", "--json", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(path.read_text(encoding="utf-8"))


def test_every_workload_has_a_row_with_a_ratio(quick):
    text, results = quick
    assert list(results["times"]) == ROWS
    for name in ROWS:
        line = next(line for line in text.splitlines() if line.startswith(name + " " * 2))
        assert f"{results['times'][name]['numpy']['ratio']:.2f}" in line


def test_both_libraries_computed_the_same_numbers(quick):
    _, results = quick
    assert all(row["numpy"]["agrees"] for row in results["times"].values())


def test_the_mean_counts_the_overhead_of_calls_once(quick):
    _, results = quick
    ratios = [results["times"][name]["numpy"]["ratio"] for name in ROWS]
    overhead = (ratios[0] * ratios[1] * ratios[2]) ** (1 / 3)
    product = overhead
    for ratio in ratios[3:]:
        product *= ratio
    assert results["mean"]["numpy"] == pytest.approx(product ** (1 / 10))


def test_memory_import_and_size_are_measured(quick):
    _, results = quick
    assert set(results["memory"]["tiny MLP"]) == {"numpy", "PyTorch"}
    assert all(results["import"][name] > 0 for name in ("numpy", "chainrule", "torch"))
    assert all(results["installed"][name] > 0 for name in ("chainrule", "torch"))


def test_different_numbers_are_told(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from run import same

    assert same([[1.0, -2.0]], [[1.0001, -2.0]])
    assert not same([[1.0, -2.0]], [[1.1, -2.0]])
    assert not same([[float("nan")]], [[1.0]])


def test_an_unknown_row_is_refused():
    done = run("--quick", "transformer")
    assert done.returncode == 2
    assert "no such row: 'transformer'" in done.stderr
