"""What an operation costs beside its arithmetic: chainrule against PyTorch, in one process.

Both libraries run the same source, turn and turn about, one thread each. Printed are medians in
microseconds and the ratio chainrule / PyTorch with its spread; only the ratio is comparable
between machines.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/overhead.py
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

if TYPE_CHECKING:
    from collections.abc import Callable


def timed(function: Callable[[], Any], number: int) -> Callable[[], float]:
    """Return a run of *number* calls as a function that gives seconds per call."""

    def run() -> float:
        start = time.perf_counter()
        for _ in range(number):
            function()
        return (time.perf_counter() - start) / number

    return run


def recorded_mul(lib: Any) -> Callable[[], float]:
    """``a * b`` on 4×4 float32, with a node."""
    a, b = lib.ones(4, 4, requires_grad=True), lib.ones(4, 4)
    return timed(lambda: a * b, 2000)


def unrecorded_mul(lib: Any) -> Callable[[], float]:
    """``a * b`` on 4×4 float32, without."""
    a, b = lib.ones(4, 4), lib.ones(4, 4)
    return timed(lambda: a * b, 2000)


def backward_chain(lib: Any) -> Callable[[], float]:
    """Backward, per node of a chain of 100 multiplications."""
    a, b, grad = lib.ones(4, 4, requires_grad=True), lib.ones(4, 4), lib.ones(4, 4)

    def run() -> float:
        total = 0.0
        for _ in range(10):
            x = a
            for _ in range(100):
                x = x * b
            start = time.perf_counter()
            x.backward(grad)
            total += time.perf_counter() - start
        return total / 1000

    return run


def training_step(lib: Any) -> Callable[[], float]:
    """One step of an 8-32-32-1 tanh network, batch 32, Adam."""
    nn = lib.nn
    lib.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer = lib.optim.Adam(net.parameters(), lr=1e-3)
    x, y, loss_of = lib.randn(32, 8), lib.randn(32, 1), nn.MSELoss()

    def step() -> None:
        optimizer.zero_grad()
        loss = loss_of(net(x), y)
        loss.backward()
        optimizer.step()

    return timed(step, 100)


WORKLOADS: dict[str, tuple[Callable[[Any], Callable[[], float]], float]] = {
    "recorded a*b": (recorded_mul, 1.0),
    "unrecorded a*b": (unrecorded_mul, 1.0),
    "backward per node": (backward_chain, 0.7),
    "training step": (training_step, 0.8),
}


def compare(build: Callable[[Any], Callable[[], float]], rounds: int) -> dict[str, float]:
    """Run one workload with both libraries, alternating, and return medians and the ratio."""
    import torch

    import chainrule

    torch.set_num_threads(1)
    runs = {"chainrule": build(chainrule), "torch": build(torch)}
    for run in runs.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    gc.collect()
    for turn in range(rounds):
        for name in sorted(runs, reverse=bool(turn % 2)):
            times[name].append(runs[name]())
    ratios = sorted(c / t for c, t in zip(times["chainrule"], times["torch"], strict=True))
    return {
        "chainrule_us": 1e6 * statistics.median(times["chainrule"]),
        "torch_us": 1e6 * statistics.median(times["torch"]),
        "ratio": statistics.median(times["chainrule"]) / statistics.median(times["torch"]),
        "ratio_low": ratios[len(ratios) // 4],
        "ratio_high": ratios[3 * len(ratios) // 4],
    }


def import_times(rounds: int) -> dict[str, float]:
    """Return the median time of a fresh process, less the interpreter's, for numpy and for us."""
    code = {
        "python": "pass",
        "numpy": "import numpy",
        "chainrule": "import chainrule; chainrule.zeros(1)",
    }
    times: dict[str, list[float]] = {name: [] for name in code}
    # An installed package has its bytecode beside it; let a source tree have it too.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for turn in range(rounds + 1):
        for name, source in code.items():
            start = time.perf_counter()
            command = [sys.executable, "-c", source]
            subprocess.run(command, check=True, env=environment)  # noqa: S603 - sources of ours
            if turn:  # the first turn writes the bytecode
                times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "numpy_ms": 1e3 * (medians["numpy"] - medians["python"]),
        "chainrule_ms": 1e3 * (medians["chainrule"] - medians["python"]),
        "ratio": (medians["chainrule"] - medians["python"])
        / (medians["numpy"] - medians["python"]),
    }


def main() -> None:
    """Print the table of ratios, or with ``--json`` an object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=41, help="alternations per workload")
    parser.add_argument(
        "--json", action="store_true", help="print a JSON object instead of a table"
    )
    arguments = parser.parse_args()
    results = {name: compare(build, arguments.rounds) for name, (build, _) in WORKLOADS.items()}
    imports = import_times(11)
    if arguments.json:
        print(json.dumps({**results, "import": imports}, indent=2))
        return
    print(f"{'workload':<20}{'chainrule':>12}{'torch':>12}{'ratio':>8}   quartiles    target")
    for name, found in results.items():
        print(
            f"{name:<20}{found['chainrule_us']:>9.2f} us{found['torch_us']:>9.2f} us"
            f"{found['ratio']:>8.2f}   {found['ratio_low']:.2f}-{found['ratio_high']:.2f}"
            f"    {WORKLOADS[name][1]:>4.1f}"
        )
    print(
        f"{'import and zeros(1)':<20}{imports['chainrule_ms']:>9.1f} ms"
        f"{imports['numpy_ms']:>9.1f} ms"
        f"{imports['ratio']:>8.2f}   (against import numpy)   2.0"
    )


if __name__ == "__main__":
    main()
