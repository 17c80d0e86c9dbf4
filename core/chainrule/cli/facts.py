"""What the commands know: gathered as plain data, whatever state the plugins are in."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from typing import Any, Final

import chainrule as cr
from chainrule import ops
from chainrule.backend import AVAILABLE, NOT_INSTALLED, by_name, live
from chainrule.errors import ChainruleError
from chainrule.op import all_ops
from chainrule.plugin.builtin import BUILTIN
from chainrule.plugin.choosing import choose
from chainrule.plugin.discovery import is_installed
from chainrule.plugin.explanation import BODY, NONE, TRACED, explain
from chainrule.plugin.finding import backend_names, find_spec, first_line, probe
from chainrule.plugin.host import host
from chainrule.plugin.records import DISCOVERED, PluginRecord

Facts = dict[str, Any]

#: Distributions whose versions matter.
RELATED: Final = (
    "chainrule",
    "numpy",
    "pluggy",
    "safetensors",
    "rich",
    "matplotlib",
    "cupy-cuda12x",
    "cupy-cuda13x",
)


@contextlib.contextmanager
def lenient() -> Iterator[None]:
    """Let a broken plugin be shown and not raised, in strict mode too."""
    strict, host.selection.strict = host.selection.strict, False
    try:
        yield
    finally:
        host.selection.strict = strict


def load_plugins() -> None:
    """Load every plugin that may be."""
    with lenient():
        host.load_all()


def info() -> Facts:
    """Return versions, environment, backends, the backend of each device type, plugins' own."""
    load_plugins()
    rows = backends()
    return {
        "versions": {"python": platform.python_version(), **_versions()},
        "platform": f"{platform.platform()}, {os.cpu_count()} processors",
        "executable": sys.executable,
        "environment": {n: v for n, v in sorted(os.environ.items()) if n.startswith("CHAINRULE_")},
        "backends": rows,
        "devices": _device_map(rows),
        "sections": {
            title: dict(content) for _, (title, content) in host.each("chainrule_info_section")
        },
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in RELATED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {**found, "chainrule": cr.__version__}


def _device_map(rows: list[Facts]) -> dict[str, str]:
    """Return which backend makes new arrays on each device type, or why none does."""
    found = {}
    for kind in sorted({kind for row in rows for kind in row["device_types"]}):
        try:
            found[kind] = choose(host, kind)
        except ChainruleError as error:
            found[kind] = f"none: {error}"
    return found


def backends(only: str | None = None) -> list[Facts]:
    """Return what is known of every backend: those that are installed, then ours that are not."""
    load_plugins()
    installed, missing = backend_names(host)
    names = [*installed, *missing] if only is None else [only]
    return [_backend(name) for name in names]


def _backend(name: str) -> Facts:
    row: Facts = {
        "name": name,
        "device_types": [],
        "state": NOT_INSTALLED,
        "reason": "",
        "devices": 0,
        "versions": {},
        "lineage": [],
        "live": any(backend.name == name for backend in live),
        "install_hint": BUILTIN[name].install_hint if name in BUILTIN else "",
    }
    if name in BUILTIN and not is_installed(BUILTIN[name].target):
        return {
            **row,
            "reason": row["install_hint"],
            "device_types": list(BUILTIN[name].default_for),
        }
    try:
        spec, _ = find_spec(host, name)
    except ChainruleError as error:
        return {**row, "state": "cannot be loaded", "reason": str(error)}
    found = probe(spec)
    return {
        **row,
        "device_types": list(spec.device_types),
        "state": found.state,
        "reason": found.reason,
        "devices": found.devices,
        "versions": dict(found.versions),
        "lineage": [name, *spec.parents],
        "install_hint": spec.install_hint,
    }


def check(row: Facts) -> list[Facts]:
    """Return what a small computation on each device of an available backend came to."""
    kind = row["device_types"][0]
    places = [kind] if row["devices"] == 1 else [f"{kind}:{i}" for i in range(row["devices"])]
    return [{"device": place, **_smoke(f"{place}@{row['name']}")} for place in places]


def _smoke(device: str) -> Facts:
    start = time.perf_counter()
    try:
        x = cr.tensor([1.0, 2.0, 3.0]).to(device).requires_grad_()
        (x * x).sum().backward()
        found = x.grad.tolist() if x.grad is not None else None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the user wants to know
        return {"passed": False, "reason": first_line(error), "ms": 0.0}
    ms = 1000 * (time.perf_counter() - start)
    passed = found == [2.0, 4.0, 6.0]
    return {
        "passed": passed,
        "reason": "" if passed else f"the gradient of x*x is {found}",
        "ms": ms,
    }


def plugins() -> list[Facts]:
    """Return what became of every plugin, each asked for its kernels for what can run here."""
    problems = {row["name"]: problem for row in backends() if (problem := wake(row))}
    return [
        _plugin(record, problems)
        for record in host.records
        if not record.builtin or record.serves or is_installed(record.target)
    ]


def wake(row: Facts) -> str:
    """Let the backend of *row* collect its kernels, if it can run; return why it cannot, or ""."""
    if row["state"] != AVAILABLE:
        return ""
    try:
        with lenient():
            by_name(row["name"]).kernels  # noqa: B018 - reading it collects them
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the user wants to know
        return first_line(error)
    return ""


def _plugin(record: PluginRecord, problems: dict[str, str]) -> Facts:
    """Return *record* as plain data, with what is wrong with its backends."""
    shown = (
        "name", "group", "target", "distribution", "version", "builtin", "state", "reason", "api",
        "hooks", "namespaces", "backends", "ops", "kernels", "load_ms", "traceback",
    )  # fmt: skip
    facts = {name: getattr(record, name) for name in shown}
    facts |= {name: list(facts[name]) for name in ("hooks", "namespaces", "backends", "ops")}
    if record.builtin:
        facts["version"] = cr.__version__
    facts["reason"] = facts["reason"] or next(
        (problems[name] for name in record.backends if name in problems), ""
    )
    return facts


def available_backends(only: str | None = None) -> list[str]:
    """Return the names of the backends that can run here, with their kernels.

    One that says that it can and fails is told of on standard error, and left out.

    Raises:
        BackendError: *only* this one was asked for, and it cannot.
    """
    if only is not None:
        return [by_name(only).name]
    names = []
    for row in backends():
        problem = wake(row)
        if problem:
            print(f"left out: backend {row['name']!r}: {problem}", file=sys.stderr)
        elif row["state"] == AVAILABLE:
            names.append(row["name"])
    return names


def coverage(only: str | None = None) -> tuple[list[str], list[Facts]]:
    """Return the backends, and for each op how each of them runs it."""
    names = available_backends(only)
    ops.load_late()
    for record in host.records:
        if record.state == DISCOVERED and not record.builtin:
            host.load(record)
    rows = [
        {"op": op, **{name: explain(op, backend=name).how for name in names}}
        for op in sorted(all_ops)
    ]
    return names, rows


def is_derived(row: Facts, names: list[str]) -> bool:
    """Return whether some backend runs the op of *row* by its body, for want of a kernel."""
    return any(row[name] in {BODY, TRACED} for name in names)


def is_missing(row: Facts, names: list[str]) -> bool:
    """Return whether some backend cannot run the op of *row*."""
    return any(row[name] == NONE for name in names)
