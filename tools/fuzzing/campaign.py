"""Many programs: run them, shorten those that differ, gather differences of one cause."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import comparison, programs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .comparison import Difference


@dataclass
class Finding:
    """Differences of one cause: the seeds, and a short program that shows it."""

    seeds: list[int]
    lines: list[str]
    difference: Difference


@dataclass
class Tally:
    """What came of many programs."""

    programs: int = 0
    lines: int = 0
    refused: int = 0
    beyond: int = 0
    undecided: int = 0
    known: int = 0
    deadly: list[int] = field(default_factory=list)  # seeds of programs that end the process
    used: Counter[str] = field(default_factory=Counter)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)

    def add(self, seed: int) -> None:
        """Run the program of *seed* and count it."""
        lines = programs.draw(seed)
        outcome = programs.run(lines)
        self.programs += 1
        self.lines += len(lines)
        self.refused += outcome.refused
        self.beyond += outcome.beyond
        self.undecided += outcome.undecided
        self.known += outcome.known
        self.used.update(comparison.op_of(line.label) for line in lines)
        if outcome.difference is None:
            return
        signature = outcome.difference.signature
        if signature in self.findings:
            self.findings[signature].seeds.append(seed)
            return
        shorter, difference = shortened(lines, outcome.difference)
        self.findings[signature] = Finding([seed], [line.label for line in shorter], difference)

    def merge(self, other: Tally) -> None:
        """Add what another process found."""
        self.programs += other.programs
        self.lines += other.lines
        self.refused += other.refused
        self.beyond += other.beyond
        self.undecided += other.undecided
        self.known += other.known
        self.deadly += other.deadly
        self.used.update(other.used)
        for signature, finding in other.findings.items():
            if signature in self.findings:
                self.findings[signature].seeds += finding.seeds
            else:
                self.findings[signature] = finding


def tally(seeds: Iterable[int]) -> Tally:
    """Return what came of the programs of *seeds*."""
    result = Tally()
    for seed in seeds:
        result.add(seed)
    return result


def shortened(
    lines: list[programs.Line], difference: Difference
) -> tuple[list[programs.Line], Difference]:
    """Return the program without the lines that the difference does not need."""
    position = 0
    while position < len(lines):
        candidate = [*lines[:position], *lines[position + 1 :]]
        found = programs.run(candidate).difference
        if found is not None and found.signature == difference.signature:
            lines, difference = candidate, found
        else:
            position += 1
    return lines, difference
