"""What a run of the kit found: counts, failures, the level reached; as text and as JSON."""

from __future__ import annotations

import json
import platform
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .. import backend as registry
from ..errors import ChainruleError
from .levels import NAMES

#: The version of the kit: what it checks. Authors pin it by pinning chainrule.
KIT: Final = "1.0"

PASSED, FAILED, KNOWN, SKIPPED = "passed", "failed", "known failure", "not verified"


@dataclass
class Result:
    """What one test of the kit came to."""

    id: str
    suite: str
    backend: str
    op: str
    level: int | None
    outcome: str
    message: str = ""


@dataclass
class Report:
    """The results of one run.

    Attributes:
        complete: Whether all suites and all of core's ops were run; a level is judged only then.
    """

    results: list[Result] = field(default_factory=list)
    complete: bool = True

    def backends(self) -> list[str]:
        """Return the backends that were tested."""
        return sorted({result.backend for result in self.results if result.backend})

    def level(self, backend: str) -> int | None:
        """Return the level that *backend* reached, -1 if not the lowest; None if not judged."""
        if not self.complete:
            return None
        mine = [r for r in self.results if r.backend == backend]
        failed = [r for r in mine if r.outcome in {FAILED, KNOWN}]
        if any(r.suite == "protocol" and r.outcome == FAILED for r in failed):
            return -1
        missed = [r.level for r in failed if r.level is not None]
        return min(missed, default=len(NAMES)) - 1

    def counts(self, backend: str) -> Counter[str]:
        """Return how many tests of *backend* had each outcome."""
        return Counter(r.outcome for r in self.results if r.backend == backend)

    def summary(self, backend: str) -> str:
        """Return one line on *backend*."""
        counts, level = self.counts(backend), self.level(backend)
        reached = (
            "level not judged: not everything was run" if level is None
            else "level 0 not reached" if level < 0
            else f"level {level} ({NAMES[level]})"
        )  # fmt: skip
        told = ", ".join(f"{counts[o]} {o}" for o in (PASSED, FAILED, KNOWN) if counts[o])
        skipped = f"; {counts[SKIPPED]} not verified on this machine" if counts[SKIPPED] else ""
        return f"{backend}: {reached}; {told or 'nothing run'}{skipped}"

    def failures(self) -> dict[str, str]:
        """Return the ids of what failed, known or not, with the first line of each message."""
        return {r.id: r.message for r in self.results if r.outcome in {FAILED, KNOWN}}

    def write(self, path: Path) -> None:
        """Write everything to *path* as JSON."""
        path.write_text(json.dumps(self.as_dict(), indent=2) + "\n", encoding="utf-8")

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data: all counts, and every result that is no success."""
        from .. import __version__

        return {
            "kit": KIT,
            "chainrule": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "complete": self.complete,
            "backends": {
                name: {
                    **_facts(name),
                    "level": self.level(name),
                    "counts": dict(self.counts(name)),
                    "suites": self._by(name, "suite"),
                    "ops": self._by(name, "op"),
                }
                for name in self.backends()
            },
            "results": [vars(r) for r in self.results if r.outcome != PASSED],
        }

    def _by(self, backend: str, what: str) -> dict[str, dict[str, int]]:
        found: dict[str, Counter[str]] = {}
        for result in self.results:
            if result.backend == backend and getattr(result, what):
                found.setdefault(getattr(result, what), Counter())[result.outcome] += 1
        return {name: dict(found[name]) for name in sorted(found)}


def _facts(backend: str) -> dict[str, Any]:
    try:
        spec = registry.by_name(backend).spec
    except ChainruleError as error:
        return {"state": str(error)}
    return {
        "device_types": list(spec.device_types),
        "lineage": [spec.name, *spec.parents],
        "capabilities": sorted(spec.capabilities),
    }
