"""What the first use of a backend costs, and what plugins cost per op call: medians, with spread.

    python benchmarks/first_use.py

The first use is measured in 11 fresh processes each: importing the array library, importing
chainrule, and the first tensor with the first op, less what the library's import costs. The cost
of plugins is the time of one op call with 0, 10 and 100 of them loaded. All times are processor
time, so that other programs on the machine do not show in them; files are in the cache.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROCESSES = 11
FIRST = """
import time
start = time.process_time()
import chainrule as cr
imported = time.process_time()
import {library}
library = time.process_time()
x = cr.ones(3, device={device!r}, requires_grad=True)
(x * x).sum().backward()
end = time.process_time()
print(imported - start, library - imported, end - library)
"""
CALL = """
import time
import chainrule as cr
from chainrule.plugin.host import host
host.load_all()
x, y = cr.ones(3), cr.ones(3)
best = []
for _ in range(7):
    start = time.process_time()
    for _ in range(20_000):
        x * y
    best.append((time.process_time() - start) / 20_000)
print(min(best))
"""
PLUGIN = """
from chainrule.plugin import KernelSet, PluginInfo, hookimpl
class Plugin:
    info = PluginInfo(name={name!r}, api="1.0")
    @hookimpl
    def chainrule_kernels(self, backend):
        ks = KernelSet("numpy")
        ks.forward("cr::mul")(lambda x, y: x * y)
        return ks if backend.isa("numpy") else None
plugin = Plugin()
"""


def run(program: str, *path: str) -> list[float]:
    """Return the numbers that *program* prints in a fresh process."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*path, *filter(None, sys.path)])}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    return [float(word) for word in done.stdout.split()]


def install(folder: Path, count: int) -> None:
    """Put *count* plugins into *folder*, as good as installed."""
    for number in range(count):
        name = f"extra{number}"
        (folder / f"{name}_plugin.py").write_text(PLUGIN.format(name=name), encoding="utf-8")
        info = folder / f"{name}_plugin-1.0.dist-info"
        info.mkdir()
        about = f"Metadata-Version: 2.1\nName: {name}_plugin\nVersion: 1.0\n"
        (info / "METADATA").write_text(about, encoding="utf-8")
        entry = f"[chainrule.plugins]\n{name} = {name}_plugin:plugin\n"
        (info / "entry_points.txt").write_text(entry, encoding="utf-8")


def told(values: list[float], scale: float, unit: str) -> str:
    """Return median and spread (least to greatest) of *values*."""
    low, high = min(values) * scale, max(values) * scale
    return f"{statistics.median(values) * scale:8.1f} {unit}  ({low:.1f} to {high:.1f})"


def main() -> None:
    """Measure and print."""
    for name, library, device in (("numpy", "numpy", "cpu"), ("sim", "numpy", "sim")):
        runs = [run(FIRST.format(library=library, device=device)) for _ in range(PROCESSES)]
        print(f"First use of backend {name}, {PROCESSES} fresh processes, median (range):")
        labels = ("import chainrule", f"import {library}", "first tensor, op and backward")
        for label, values in zip(labels, zip(*runs, strict=True), strict=True):
            print(f"  {label:<30} {told(list(values), 1e3, 'ms')}")
    with tempfile.TemporaryDirectory() as folder:
        times: dict[int, list[float]] = {}
        for count in (0, 10, 100):
            place = Path(folder) / str(count)
            place.mkdir()
            install(place, count)
            times[count] = [run(CALL, str(place))[0] for _ in range(3)]
    print("One op call, x * y on three numbers, by the number of plugins loaded:")
    for count, values in times.items():
        ratios = [b / a for a in times[0] for b in values]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        ratio = statistics.median(ratios)
        print(f"  {count:>3}: {told(values, 1e9, 'ns')}  ratio to none {ratio:.2f} ({spread})")


if __name__ == "__main__":
    main()
