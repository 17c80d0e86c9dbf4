"""What one training step may cost: numbers of events, which no machine makes faster or slower.

The steps are those of benchmarks/programs.py, with data on the device and the loss unread. The
launches stand beside the ATen calls that PyTorch's CPU profiler counts for the same step
(tools/count_aten_calls.py): a proxy, since some calls launch nothing and some several kernels.
"""

from __future__ import annotations

import json
import os
import runpy
from pathlib import Path

import cupy_standin as standin
import pytest

import chainrule as cr

HERE = Path(__file__).parent
BUDGETS = json.loads((HERE / "budgets.json").read_text())["steps"]
#: The larger ones take minutes on a CPU: under the label cupy-full.
STEPS = list(BUDGETS) if os.environ.get("CHAINRULE_CUPY_FULL") else ["tiny_mlp", "mlp"]

PROGRAMS = runpy.run_path(str(HERE.parents[1] / "benchmarks/programs.py"))


@pytest.fixture(scope="module", params=STEPS)
def step(request):
    """Return the name of a step and what happened in it, once kernels and memory are warm."""
    before = cr.get_default_device()
    cr.set_default_device("cuda")
    try:
        program = PROGRAMS[request.param](cr)
        program.step()
        program.step()
        with standin.counting() as seen:
            program.step()
    finally:
        cr.set_default_device(before)
    return request.param, seen


def test_step_waits_for_nothing(step):
    name, seen = step
    assert (seen.syncs, seen.blocking_copies) == (0, 0), f"{name}: {seen}"


def test_step_copies_nothing_between_host_and_device(step):
    name, seen = step
    assert (seen.h2d, seen.d2h) == (0, 0), f"{name}: {seen}"


def test_step_asks_the_driver_for_no_memory(step):
    name, seen = step
    assert (seen.mallocs, seen.frees) == (0, 0), f"{name}: {seen}"


@pytest.mark.parametrize("event", ["launches", "library_calls", "d2d"])
def test_step_keeps_its_budget(step, event):
    name, seen = step
    kernels = dict(seen.kernels.most_common(12))
    assert getattr(seen, event) <= BUDGETS[name][event], f"{name}: {seen}; most of {kernels}"


def test_step_launches_less_than_pytorch_calls(step):
    """With the products, which cuBLAS launches."""
    name, seen = step
    assert seen.launches + seen.library_calls < BUDGETS[name]["aten_calls"]
