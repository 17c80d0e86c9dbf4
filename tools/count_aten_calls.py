"""Count the ATen calls of PyTorch for the training steps that tests/cupy/budgets.json is about.

``python tools/count_aten_calls.py`` prints, for each step of benchmarks/programs.py that stands in
the budgets, how many calls PyTorch's CPU profiler counts, and writes them there. It is a proxy for
the launches of PyTorch on a GPU, and nothing more: some calls launch nothing, some several kernels.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import torch

ROOT = Path(__file__).parent.parent
FILE = ROOT / "tests" / "cupy" / "budgets.json"


def aten_calls(program: object) -> int:
    """Return the number of ATen calls of one step, after two that warm up."""
    for _ in range(2):
        program.step()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
        program.step()
    return sum(event.count for event in seen.key_averages() if event.key.startswith("aten::"))


def main() -> None:
    """Count, print, write."""
    budgets = json.loads(FILE.read_text())
    programs = runpy.run_path(str(ROOT / "benchmarks" / "programs.py"))
    for name, budget in budgets["steps"].items():
        budget["aten_calls"] = aten_calls(programs[name](torch))
        print(name, budget["aten_calls"])
    budgets["torch"] = torch.__version__.partition("+")[0]
    FILE.write_text(json.dumps(budgets, indent=2) + "\n")


if __name__ == "__main__":
    main()
