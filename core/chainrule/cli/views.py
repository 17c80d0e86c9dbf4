"""The commands that show something: each gathers facts and prints them, as tables or as JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from chainrule.backend import AVAILABLE, NOT_INSTALLED
from chainrule.plugin.explanation import explain
from chainrule.plugin.records import ACTIVE, LOADED

from . import facts
from .checks import examine
from .output import console, escape, print_json, table

#: How a state is coloured; one that is not here is something to look at.
COLOURS: Final = {AVAILABLE: "green", ACTIVE: "green", LOADED: "green", NOT_INSTALLED: "dim"}


def info(options: argparse.Namespace) -> int:
    """Show versions, backends, devices and environment."""
    found = facts.info()
    if options.json:
        return print_json(found)
    screen = console()
    versions = found["versions"]
    screen.print(f"[bold]chainrule {versions['chainrule']}[/bold] on Python {versions['python']}")
    screen.print(escape(f"{found['platform']}\n{found['executable']}"), style="dim")
    others = {name: text for name, text in versions.items() if name not in {"chainrule", "python"}}
    _show_pairs(screen, "Libraries", others)
    screen.print("\n[bold]Backends[/bold]")
    screen.print(_backend_table(found["backends"]))
    _show_pairs(screen, "Backend of new tensors, per device type", _device_lines(found))
    _show_pairs(screen, "Environment", found["environment"] or {"CHAINRULE_…": "not set"})
    for title, content in found["sections"].items():
        _show_pairs(screen, title, content)
    return 0


def backends(options: argparse.Namespace) -> int:
    """List the backends; with --check, run something on each device."""
    rows = facts.backends()
    if options.check:
        for row in rows:
            row["checks"] = facts.check(row) if row["state"] == AVAILABLE else []
    passed = all(check["passed"] for row in rows for check in row.get("checks", ()))
    if options.json:
        print_json(rows)
    else:
        screen = console()
        screen.print(_backend_table(rows))
        if options.check:
            screen.print()
            screen.print(_check_table(rows))
    return 0 if passed else 1


def plugins(options: argparse.Namespace) -> int:
    """List the plugins."""
    rows = facts.plugins()
    if options.json:
        return print_json(rows)
    shown = table(
        "name", "kind", "from", "api", "state", "gives", "kernels", "ms",
        numbers=("kernels", "ms"),
    )  # fmt: skip
    for row in rows:
        gives = [*row["backends"], *row["ops"]]
        source = f"{row['distribution']} {row['version']}".strip()
        shown.add_row(
            row["name"], row["group"], source, row["api"], _state(row["state"]),
            ", ".join(gives[:4]) + ", …" * (len(gives) > 4), str(row["kernels"]),
            f"{row['load_ms']:.1f}",
        )  # fmt: skip
    screen = console()
    screen.print(shown)
    for name, reason in dict.fromkeys((r["name"], r["reason"]) for r in rows if r["reason"]):
        screen.print(f"\n{name}: {reason}", markup=False)
    for row in rows if options.all else ():
        _show_whole(screen, row)
    return 0


def _show_whole(screen: Console, row: dict[str, Any]) -> None:
    """Show what the table has no room for."""
    shown = {
        "entry point": row["target"],
        "hooks": ", ".join(row["hooks"]),
        "namespaces": ", ".join(row["namespaces"]),
        "backends": ", ".join(row["backends"]),
        "ops": ", ".join(row["ops"]),
    }
    _show_pairs(screen, escape(row["name"]), {name: text for name, text in shown.items() if text})
    if row["traceback"]:
        screen.print(row["traceback"].rstrip(), markup=False)


def ops(options: argparse.Namespace) -> int:
    """List how each backend runs each op, or explain one op."""
    if options.show:
        return _show_op(options)
    names, rows = facts.coverage(options.backend)
    if options.missing:
        rows = [row for row in rows if facts.is_missing(row, names)]
    if options.derived:
        rows = [row for row in rows if facts.is_derived(row, names)]
    if options.json:
        return print_json(rows)
    shown = table("op", *names)
    for row in rows:
        shown.add_row(row["op"], *(row[name] for name in names))
    screen = console()
    having = "has a kernel" if options.derived else "runs"
    screen.print(shown if rows else f"Every op {having} on {', '.join(names)}.")
    return 0


def _show_op(options: argparse.Namespace) -> int:
    word, *names = options.show
    if word != "show" or len(names) != 1:
        print(
            "chainrule ops: expected 'chainrule ops show NAME', as in 'ops show mul'",
            file=sys.stderr,
        )
        return 2
    found = [explain(names[0], backend=name) for name in facts.available_backends(options.backend)]
    if options.json:
        return print_json([vars(explanation) for explanation in found])
    print("\n\n".join(map(str, found)))
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Check the installation, or one backend, in the order in which things depend on each other."""
    if options.report and options.backend is None:
        print("chainrule doctor --report: expected a backend, as in 'doctor cupy'", file=sys.stderr)
        return 2
    findings = examine(options.backend)
    if options.report and all(finding["passed"] for finding in findings):
        return _report(options)
    if options.json:
        print_json(findings)
    else:
        screen = console()
        for finding in findings:
            mark = "[green]ok[/green]     " if finding["passed"] else "[red]problem[/red]"
            screen.print(f"{mark} {finding['what']}")
            if not finding["passed"]:
                screen.print(
                    f"        {finding['reason']}\n        {finding['cure']}", markup=False
                )
    return 0 if all(finding["passed"] for finding in findings) else 1


def _report(options: argparse.Namespace) -> int:
    from pathlib import Path

    from .report import write

    made = write(options.backend, Path(options.report))
    wrong = {name: [*row["beyond"], *row["failed"]] for name, row in made["accuracy"].items()}
    if options.json:
        return print_json(made)
    screen = console()
    for name, row in made["accuracy"].items():
        bad = f"; beyond the tolerance or failed: {', '.join(wrong[name])}" if wrong[name] else ""
        screen.print(f"{name:<9} {row['ops']} ops{bad}", markup=False)
    for name, value in made["speed"].items():
        screen.print(f"{value:12.3f}  {name}", markup=False)
    screen.print(f"written to {options.report}", markup=False)
    return 1 if any(wrong.values()) else 0


# How things are shown


def _state(state: str) -> str:
    colour = COLOURS.get(state, "yellow")
    return f"[{colour}]{state}[/{colour}]"


def _check_table(rows: Iterable[dict[str, Any]]) -> Table:
    shown = table("a gradient on", "device", "result", "ms", numbers=("ms",))
    for row in rows:
        for check in row["checks"]:
            result = "[green]works[/green]" if check["passed"] else "[red]fails[/red]"
            reason = f": {escape(check['reason'])}" if check["reason"] else ""
            shown.add_row(row["name"], check["device"], f"{result}{reason}", f"{check['ms']:.1f}")
    return shown


def _backend_table(rows: Iterable[dict[str, Any]]) -> Table:
    shown = table("name", "device types", "state", "details")
    for row in rows:
        versions = ", ".join(f"{name} {version}" for name, version in row["versions"].items())
        count = f"{row['devices']} devices" if row["devices"] > 1 else ""
        details = ", ".join(filter(None, (versions, count, row["reason"])))
        shown.add_row(
            row["name"], ", ".join(row["device_types"]), _state(row["state"]), escape(details)
        )
    return shown


def _device_lines(found: dict[str, Any]) -> dict[str, str]:
    """Return the backend of each device type, with its state where it cannot run."""
    states = {row["name"]: row["state"] for row in found["backends"]}
    return {
        kind: name if states.get(name, AVAILABLE) == AVAILABLE else f"{name} ({states[name]})"
        for kind, name in found["devices"].items()
    }


def _show_pairs(screen: Console, title: str, pairs: dict[str, str]) -> None:
    screen.print(f"\n[bold]{title}[/bold]")
    width = max(map(len, pairs), default=0)
    for name, text in pairs.items():
        screen.print(f"{name:<{width}}  {text}", markup=False)
