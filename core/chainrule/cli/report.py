"""What a backend computes on this machine, how near and how fast: a file to be sent in.

Where nobody of the project has a device of some kind, the report of somebody who has one is the
only proof. It holds no paths and no names of users.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import chainrule as cr
from chainrule.backend import by_name
from chainrule.testing.samples import all_cases
from chainrule.testing.tolerances import tolerance
from chainrule.testing.walk import run, samples, tensors_of, with_tensors

from . import checks, facts

DTYPES: Final = ("float32", "float64", "float16", "int64")
#: Seconds that one measurement takes at least.
SPAN: Final = 0.2


def write(backend: str, file: Path, ops: Iterable[str] | None = None) -> dict[str, Any]:
    """Write a report on *backend* to *file*, and return it.

    Args:
        backend: Its name.
        file: Where to; JSON.
        ops: Names of cases of `chainrule.testing.samples`; all if None.

    Raises:
        BackendUnavailableError: it cannot run here.
    """
    live = by_name(backend)
    device = f"{live.spec.device_types[0]}@{backend}"
    (row,) = facts.backends(backend)
    made = {
        "chainrule": cr.__version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "backend": {key: row[key] for key in ("name", "versions", "devices", "lineage")},
        "details": facts.info()["sections"],
        "findings": checks.examine(backend),
        "accuracy": accuracy(device, ops),
        "speed": speed(device),
    }
    file.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return made


def accuracy(device: str, ops: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
    """Return, by dtype, how far results are from those of the CPU in double precision.

    Distances are relative to one plus the value. ``beyond`` lists the ops that are further off
    than the tolerance of the tests, ``failed`` those that raised, with the first line.
    """
    wanted = None if ops is None else set(ops)
    cases = [
        case
        for case in all_cases()
        if case.deterministic and (wanted is None or case.name in wanted)
    ]
    return {name: _accuracy_in(name, cases, device) for name in DTYPES}


def _accuracy_in(dtype: str, cases: list[Any], device: str) -> dict[str, Any]:
    distances: dict[str, float] = {}
    beyond: dict[str, float] = {}
    failed: dict[str, str] = {}
    before = cr.get_default_device()
    for case in cases:
        if dtype not in case.dtypes:
            continue
        try:
            cr.set_default_device(device)
            apart = list(_distances(case, dtype, device))
        except Exception as error:  # noqa: BLE001 - whatever it is goes into the report
            failed[case.name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            continue
        finally:
            cr.set_default_device(before)
        distances[case.name] = max((distance for distance, _ in apart), default=0.0)
        too_far = [d for d, result in apart if d > tolerance(case, dtype, result)[0]]
        if too_far:
            beyond[case.name] = max(too_far)
    farthest = sorted(distances.items(), key=lambda item: -item[1])[:20]
    return {
        "ops": len(distances),
        "farthest": dict(farthest),
        "beyond": beyond,
        "failed": failed,
    }


def _distances(case: Any, dtype: str, device: str) -> Iterator[tuple[float, str]]:
    """Yield how far each result of *case* is off, over all samples, and its dtype."""
    for sample in samples(case, dtype, device):
        found = tensors_of(run(case, sample))
        cr.set_default_device("cpu")
        doubled = with_tensors(sample, map(_on_the_host, tensors_of(sample)))
        expected = tensors_of(run(case, doubled))
        for got, wanted in zip(found, expected, strict=True):
            yield _apart(_on_the_host(got), _on_the_host(wanted)), got.dtype.name
        cr.set_default_device(device)


def _on_the_host(tensor: Any) -> Any:
    made = tensor.detach().cpu()
    return made.double() if made.is_floating_point() else made


def _apart(found: Any, wanted: Any) -> float:
    if not found.numel():
        return 0.0
    if found.is_complex():
        return max(_apart(found.real, wanted.real), _apart(found.imag, wanted.imag))
    found, wanted = found.double(), wanted.double()
    same = (found == wanted) | (found.isnan() & wanted.isnan())
    apart = (found - wanted).abs() / (wanted.abs() + 1)
    return float(apart.masked_fill(same, 0.0).max())


def speed(device: str) -> dict[str, float]:
    """Return a few numbers: of arithmetic, of memory, of launches, of a step of training."""
    matrix = cr.randn(1024, 1024, device=device)
    large, small = cr.randn(1 << 22, device=device), cr.randn(8, device=device)
    step = _step(device)
    return {
        "matmul 1024, GFLOP/s": 2 * 1024**3 / _seconds(lambda: matrix @ matrix, device) / 1e9,
        "add of 4 Mi float32, GB/s": 12 * (1 << 22) / _seconds(lambda: large + large, device) / 1e9,
        "add of 8 float32, microseconds": 1e6 * _seconds(lambda: small + small, device),
        "training step of an MLP, milliseconds": 1e3 * _seconds(step, device),
    }


def _step(device: str) -> Callable[[], Any]:
    sizes = [256, 512, 512, 10]
    layers = [
        layer
        for before, after in pairwise(sizes)
        for layer in (cr.nn.Linear(before, after), cr.nn.GELU())
    ]
    model = cr.nn.Sequential(*layers[:-1]).to(device)
    x, target = cr.randn(128, 256, device=device), cr.randint(0, 10, (128,), device=device)
    optimizer = cr.optim.AdamW(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        cr.nn.functional.cross_entropy(model(x), target).backward()
        optimizer.step()

    return step


def _seconds(work: Callable[[], Any], device: str) -> float:
    """Return how long *work* takes, from as many calls as fill `SPAN`; the device is waited for."""
    where = cr.device(device)
    live = by_name(where.backend or "")
    for _ in range(3):
        work()
    calls, spent = 1, 0.0
    while spent < SPAN:
        calls = max(2 * calls, int(1.1 * calls * SPAN / max(spent, SPAN / 100)))
        live.synchronize(where)
        start = time.perf_counter()
        for _ in range(calls):
            work()
        live.synchronize(where)
        spent = time.perf_counter() - start
    return spent / calls
