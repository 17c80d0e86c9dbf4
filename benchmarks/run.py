"""chainrule beside PyTorch and other peers: times, memory, import and size, in one table.

Every library runs in a process of its own, with the same number of threads and the same source,
turn and turn about; only the ratios are comparable between machines. What the programs computed is
compared, too: the table says where it differs, and the exit status is 1.

    python benchmarks/run.py
    python benchmarks/run.py --threads 2 --json ratios.json --picture ratios.png
    python benchmarks/run.py GPT CNN --columns numpy native PyTorch

On a machine that other programs use, with one thread, `--clock cpu` counts the processor's time
instead of the wall's.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import platform
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import machine
import report
from peers import PEERS
from programs import OVERHEAD, PROGRAMS
from worker import LIBRARIES, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCE = report.REFERENCE


def columns_here() -> list[str]:
    """Return the columns that this environment can fill."""
    found = ["numpy"]
    if importlib.util.find_spec("chainrule_native") is not None:
        found.append("native")
    return found + [c for c, module in LIBRARIES.items() if importlib.util.find_spec(module)]


def can(column: str, name: str) -> bool:
    """Return whether a column has a program."""
    return column.lower() not in PEERS or name in PEERS[column.lower()]


@contextlib.contextmanager
def started(columns: list[str], threads: int) -> Iterator[dict[str, Worker]]:
    """Start a process per column, and end them."""
    workers = {column: Worker(column, threads) for column in columns}
    try:
        yield workers
    finally:
        for worker in workers.values():
            worker.close()


def same(ours: list[list[float]], theirs: list[list[float]]) -> bool:
    """Return whether two libraries computed the same, up to rounding that training magnifies."""
    pairs = [p for a, b in zip(ours, theirs, strict=True) for p in zip(a, b, strict=True)]
    largest = max(abs(b) for _, b in pairs)
    return all(abs(a - b) <= 2e-3 * max(abs(b), largest / 10) for a, b in pairs)


def timed(
    workers: dict[str, Worker], name: str, turns: int, clock: int, least: float
) -> dict[str, dict[str, Any]]:
    """Run one program in all columns, alternating; return medians, ratios and whether all agree."""
    able = {column: worker for column, worker in workers.items() if can(column, name)}
    computed = {column: worker.ask("build", name) for column, worker in able.items()}
    once = min(worker.ask("time", 1)[clock] for worker in able.values())
    number = max(1, min(2000, round(least / max(once, 1e-7))))
    if name in OVERHEAD and least:
        number = min(number, 50) if name.startswith("backward") else number
    times: dict[str, list[float]] = {column: [] for column in able}
    for turn in range(turns):
        for column in sorted(able, reverse=bool(turn % 2)):
            times[column].append(able[column].ask("time", number)[clock])
    return {
        column: {
            **compared(found, times[REFERENCE]),
            "agrees": same(computed[column], computed[REFERENCE]),
        }
        for column, found in times.items()
    }


def compared(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Return the median, and median and quartiles of the ratios turn by turn."""
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    return {
        "wall": statistics.median(ours),
        "ratio": statistics.median(ratios),
        "low": ratios[len(ratios) // 4],
        "high": ratios[3 * len(ratios) // 4],
    }


def peak_memory(names: list[str], columns: list[str], threads: int) -> dict[str, dict[str, float]]:
    """Return the peaks, each program in each column in a process of its own."""
    found: dict[str, dict[str, float]] = {}
    for name in names:
        found[name] = {}
        for column in columns:
            if column == REFERENCE or column.lower() not in PEERS:
                with started([column], threads) as workers:
                    found[name][column] = workers[column].ask("memory", name)
    return found


def means(times: dict[str, dict[str, Any]], columns: list[str]) -> dict[str, float]:
    """Return the geometric mean of a column that has every row; the overhead's count as one."""
    found = {}
    for column in columns:
        rows = {name: row[column]["ratio"] for name, row in times.items() if column in row}
        overhead = [ratio for name, ratio in rows.items() if name in OVERHEAD]
        programs = [ratio for name, ratio in rows.items() if name not in OVERHEAD]
        if len(rows) == len(times):
            found[column] = report.mean([*programs, *([report.mean(overhead)] if overhead else [])])
    return found


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all that was asked for."""
    names = [n for n in (*OVERHEAD, *PROGRAMS) if not options.names or n in options.names]
    columns = [c for c in options.columns if c != REFERENCE] + [REFERENCE]
    turns, least = (1, 0.0) if options.quick else (options.turns, 0.02)
    with started(columns, options.threads) as workers:
        facts = {column: worker.ask("facts") for column, worker in workers.items()}
        for column, worker in workers.items():
            rated = column.lower() not in PEERS and not options.quick
            facts[column]["rates"] = worker.ask("rates", options.clock) if rated else {}
        times = {}
        for name in names:
            print(f"timing {name} ...", file=sys.stderr, flush=True)
            times[name] = timed(workers, name, turns, int(options.clock == "cpu"), least)
    remembered = [n for n in names if n in PROGRAMS and not options.no_memory]
    print("measuring memory, import and size ...", file=sys.stderr, flush=True)
    return {
        "machine": machine.processor(),
        "python": platform.python_version(),
        "threads": options.threads,
        "clock": options.clock,
        "columns": columns,
        "facts": facts,
        "times": times,
        "mean": means(times, columns),
        "memory": peak_memory(remembered[: 1 if options.quick else None], columns, options.threads),
        "import": machine.import_times(1 if options.quick else 7),
        "installed": machine.installed_sizes(),
    }


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    known = [*OVERHEAD, *PROGRAMS]
    parser.add_argument("names", nargs="*", help=f"rows, by default all of: {', '.join(known)}")
    parser.add_argument("--columns", nargs="+", default=columns_here(), help="by default all here")
    parser.add_argument("--threads", type=int, default=1, help="for each library (default 1)")
    parser.add_argument("--turns", type=int, default=21, help="alternations per row")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--no-memory", action="store_true", help="leave memory out")
    parser.add_argument("--quick", action="store_true", help="one turn, to see that all runs")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--picture", type=Path, help="draw the ratios into this file (matplotlib)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"no such row: {unknown[0]!r}. There are: {', '.join(known)}")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write; return 1 where libraries computed different numbers."""
    options = options_of(arguments)
    results = measure(options)
    for line in (*report.header(results), "", *report.table(results)):
        print(line)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if options.picture:
        report.picture(results, options.picture)
    return int(not all(f["agrees"] for row in results["times"].values() for f in row.values()))


if __name__ == "__main__":
    sys.exit(main())
