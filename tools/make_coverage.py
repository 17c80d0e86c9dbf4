"""Write ``docs/reference/coverage.md``: how each backend runs each op, from the declarations."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from chainrule.cli.facts import coverage

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "coverage.md"
INTRODUCTION = """# Which backend runs which op, and how

Made by `python tools/make_coverage.py` from the declarations; `chainrule ops` shows the same for
the backends and plugins that are installed, and `chainrule ops show NAME` the file and line of each
kernel.

*own kernel*: written for the backend. *inherited kernel*: of an ancestor or a family. *body*: the
op's reference, over the backend's other kernels. *traced*: its parts run and are recorded. *core*:
it moves between backends. *none*: it raises.
"""


def page() -> str:
    """Return the text of the page."""
    names, rows = coverage()
    rows = [row for row in rows if row["op"].startswith("cr::")]
    counts = {name: Counter(row[name] for row in rows) for name in names}
    told = [
        f"- **{name}**: {', '.join(f'{n} {how}' for how, n in counts[name].most_common())}"
        for name in names
    ]
    head = [f"| op | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    body = [
        f"| `{row['op'].removeprefix('cr::')}` | {' | '.join(row[name] for name in names)} |"
        for row in rows
    ]
    return "\n".join([INTRODUCTION, f"{len(rows)} ops.\n", *told, "", *head, *body, ""])


def main() -> int:
    """Write the page; with ``--check``, only say whether it is up to date."""
    text = page()
    if "--check" in sys.argv[1:]:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        if current != text:
            print("docs/reference/coverage.md is not up to date: python tools/make_coverage.py")
        return int(current != text)
    PAGE.write_text(text, encoding="utf-8")
    print(f"wrote {PAGE.name}: {text.count(chr(10))} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
