"""The results for people: a table of times and ratios, and a picture of the ratios."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from worker import LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

REFERENCE = "PyTorch"
WIDTH = 30


def mean(ratios: Iterable[float]) -> float:
    """Return the geometric mean."""
    logs = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logs) / len(logs))


def seconds(value: float) -> str:
    """Return a time in the unit that suits it."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def table(results: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of all tables."""
    columns = results["columns"]
    others = [c for c in columns if c != REFERENCE]
    yield "Time of a step, and its ratio to PyTorch's (quartiles over the turns)"
    head = "".join(f"{c:>{WIDTH}}" for c in others)
    yield f"{'':<20}{REFERENCE:>10}{head}   same numbers"
    for name, row in results["times"].items():
        cells = "".join(f"{_cell(row.get(c)):>{WIDTH}}" for c in others)
        yield f"{name:<20}{seconds(row[REFERENCE]['wall']):>10}{cells}   {_agreement(row)}"
    means = results["mean"]
    cells = "".join(
        f"{means[c]:.2f}".rjust(WIDTH - 12) + " " * 12 if c in means else " " * WIDTH
        for c in others
    )
    yield f"{'geometric mean':<20}{'':>10}{cells}"
    yield "  of the whole programs and of the mean of the first three rows, where a column has all"
    if results["memory"]:
        yield ""
        yield "Peak of resident memory above that before the first step, and its ratio to PyTorch's"
        for name, row in results["memory"].items():
            cells = "".join(f"{_memory(row, c):>{WIDTH}}" for c in others)
            yield f"{name:<20}{row[REFERENCE]:>6.1f} MiB{cells}"
    yield ""
    for label, unit in (("import", "ms"), ("installed", "MiB")):
        found = ", ".join(f"{n} {v:.1f} {unit}" for n, v in results[label].items())
        yield f"{label:<20}{found}"


def _cell(found: dict[str, float] | None) -> str:
    if found is None:
        return "-" + " " * 12
    quartiles = f"({found['low']:.2f}-{found['high']:.2f})".ljust(11)
    return f"{seconds(found['wall'])} {found['ratio']:>6.2f} {quartiles}"


def _agreement(row: dict[str, Any]) -> str:
    wrong = [c for c, found in row.items() if not found["agrees"]]
    return "NOT BY " + ", ".join(wrong) if wrong else "yes"


def _memory(row: dict[str, float], column: str) -> str:
    if column not in row:
        return "-" + " " * 12
    return f"{row[column]:.1f} MiB {row[column] / row[REFERENCE]:>6.2f}" + " " * 12


def header(results: dict[str, Any]) -> Iterator[str]:
    """Yield what was measured with and on."""
    yield f"{results['machine']}; Python {results['python']}; {results['threads']} thread(s) each"
    for column, facts in results["facts"].items():
        rates = ", ".join(f"{label} {value:.0f}" for label, value in facts["rates"].items())
        yield f"  {column:<10}{facts['version']:<16}{facts['blas']}"
        if rates:
            yield f"  {'':<10}{rates}"


def ratios_of(results: dict[str, Any], column: str) -> dict[str, float]:
    """Return the ratios of a column, and their mean where it has one."""
    rows = results["times"].items()
    found: dict[str, float] = {name: row[column]["ratio"] for name, row in rows if column in row}
    if column in results["mean"]:
        found["geometric mean"] = results["mean"][column]
    return found


def picture(results: dict[str, Any], path: Path) -> None:
    """Draw the ratios as bars on a logarithmic scale."""
    from matplotlib.figure import Figure

    rows = [*results["times"], "geometric mean"]
    others = [c for c in results["columns"] if c != REFERENCE]
    figure = Figure(figsize=(9, 0.42 * len(rows) + 1.6), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(others)
    for turn, column in enumerate(others):
        found = ratios_of(results, column)
        label = column if column in LIBRARIES else f"chainrule, {column}"
        places = [rows.index(name) + (turn - (len(others) - 1) / 2) * height for name in found]
        lengths = [ratio - 1 for ratio in found.values()]
        bars = axes.barh(places, lengths, height * 0.9, left=1, label=label)
        for bar, value in zip(bars, found.values(), strict=True):
            y = bar.get_y() + bar.get_height() / 2
            side = "left" if value >= 1 else "right"
            axes.annotate(
                f"{value:.2f}", (value, y), (3 if value >= 1 else -3, 0),
                textcoords="offset points", va="center", ha=side, fontsize=7,
            )  # fmt: skip
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.25, high * 1.25)
    ticks = [t for t in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if low / 1.25 <= t <= high * 1.25]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.set_xlabel("time / PyTorch's time (left of 1: faster than PyTorch)")
    axes.set_title(f"{results['machine']}; {results['threads']} thread(s) each", fontsize=9)
    axes.legend(loc="lower right", fontsize=8)
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(path, dpi=150)
