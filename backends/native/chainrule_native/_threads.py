"""How many threads are right: what the user says, else what the machine gives this process."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def right_number() -> int:
    """Return OMP_NUM_THREADS if it is set, else the CPUs that the process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return max(1, min(_cpus(), _share(_CGROUPS) or _cpus()))


def _cpus() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _share(root: Path) -> int | None:
    """Return the CPUs' worth of time that a container gets, rounded up; None: no limit."""
    try:
        if (root / "cpu.max").exists():
            quota, period = (root / "cpu.max").read_text().split()
        else:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text()
            period = (root / "cpu/cpu.cfs_period_us").read_text()
        count = int(quota) / int(period)
    except (OSError, ValueError):  # no such file, or the word "max"
        return None
    return math.ceil(count) if count > 0 else None
