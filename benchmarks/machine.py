"""What is measured on: processor, BLAS, bandwidth and rate of products; and what is installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def processor() -> str:
    """Return the processor's name, how many cores we may use, and its widest vectors."""
    name, flags = platform.processor() or platform.machine(), ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        text = info.read_text(encoding="utf-8")
        names = re.findall(r"model name\s*:\s*(.+)", text)
        name = names[0] if names else name
        flags = next(iter(re.findall(r"flags\s*:\s*(.+)", text)), "")
    widest = next((w for w in ("avx512f", "avx2", "sse2") if w in flags.split()), "")
    return f"{name}, {cores()} cores{', ' + widest if widest else ''}, {platform.system()}"


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def blas(column: str) -> str:
    """Return which library computes matrix products in this process, and which kernel it chose."""
    if column == "PyTorch":
        import torch

        found = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
        return f"{found[1] if found else '?'}, {torch.backends.cpu.get_cpu_capability()}"
    import numpy as np  # loads the BLAS that is asked for

    try:
        import threadpoolctl
    except ImportError:
        config: Any = np.show_config(mode="dicts")
        built = config["Build Dependencies"]["blas"]
        return f"{built['name']} {built['version']} (threadpoolctl knows its kernel)"
    pools = [p for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"]
    return ", ".join(
        f"{p['internal_api']} {p['version']}, {p.get('architecture', '?')}, {p['num_threads']} thr."
        for p in pools
    )


def best(function: Any, repeat: int, clock: Any) -> float:
    """Return the shortest of some runs, in seconds."""
    times = []
    for _ in range(repeat):
        start = clock()
        function()
        times.append(clock() - start)
    return min(times)


def rates(lib: Any, clock: Any) -> dict[str, float]:
    """Return GFLOP/s of a product of 1024×1024, and GB/s of adding arrays of 64 MiB and 64 KiB.

    An addition reads two arrays and writes one: that is what is counted.
    """
    a, b = lib.ones(1024, 1024), lib.ones(1024, 1024)
    found = {"matmul GFLOP/s": 2 * 1024**3 / best(lambda: a @ b, 9, clock) / 1e9}
    for label, count in (("64 MiB", 2**24), ("64 KiB", 2**14)):
        x, y, out = lib.ones(count), lib.ones(count), lib.ones(count)
        turns = 2**24 // count

        def add(x: Any = x, y: Any = y, out: Any = out, turns: int = turns) -> None:
            for _ in range(turns):
                lib.add(x, y, out=out)

        found[f"add {label} GB/s"] = 3 * 4 * 2**24 / best(add, 9, clock) / 1e9
    return found


def import_times(rounds: int) -> dict[str, float]:
    """Return how long a fresh process takes to import, in ms above one that imports nothing."""
    programs = {
        "nothing": "pass",
        "numpy": "import numpy",
        "chainrule": "import chainrule; chainrule.zeros(1)",
        "torch": "import torch; torch.zeros(1)",
    }
    # An installed package has its bytecode beside it; let a source tree have it too.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():
            start = time.perf_counter()
            command = [sys.executable, "-c", program]
            subprocess.run(command, check=True, env=environment)  # noqa: S603 - programs of ours
            if turn:  # the first turn reads the files, and writes the bytecode
                times[name].append(time.perf_counter() - start)
    medians = {name: 1e3 * statistics.median(values) for name, values in times.items()}
    return {name: medians[name] - medians["nothing"] for name in programs if name != "nothing"}


def installed_sizes() -> dict[str, float]:
    """Return what chainrule and PyTorch take on the disk with all they need, in MiB."""
    return {name: _size(name, set()) / 2**20 for name in ("chainrule", "torch")}


def _size(name: str, seen: set[str]) -> int:
    if name in seen:
        return 0
    seen.add(name)
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return 0
    paths = [Path(str(path.locate())) for path in found.files or ()]
    if name == "chainrule" and not any(p.name == "backend.py" for p in paths):  # an editable one
        paths = [p for package in _PACKAGES for p in _folder(package).rglob("*.py")]
    needed = [
        re.split(r"[^\w.-]", text, maxsplit=1)[0].lower()
        for text in found.requires or ()
        if "extra ==" not in text
    ]
    own = sum(p.stat().st_size for p in paths if p.suffix != ".pyc" and p.is_file())
    return own + sum(_size(other, seen) for other in needed)


_PACKAGES = ("chainrule", "chainrule_xp", "chainrule_numpy", "chainrule_sim")


def _folder(package: str) -> Path:
    spec: Any = importlib.util.find_spec(package)
    return Path(spec.submodule_search_locations[0])
