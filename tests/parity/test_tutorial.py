"""Pages that say `import chainrule as torch` print the same with `import torch` in its place."""

from __future__ import annotations

import doctest
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS, THEIRS = ">>> import chainrule as torch\n", ">>> import torch\n"
PAGES = [
    page for page in sorted(ROOT.glob("docs/**/*.md")) if OURS in page.read_text(encoding="utf-8")
]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def examples(page, first):
    """Return the examples of *page* as one doctest that begins with the import *first*."""
    text = page.read_text(encoding="utf-8")
    program = "\n".join(BLOCK.findall(text)).replace(OURS, first)
    return doctest.DocTestParser().get_doctest(program, {}, page.name, str(page), 0)


def failures(test):
    """Return what a run of *test* reports: nothing if everything printed as on the page."""
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=report.write)
    return report.getvalue()


def test_there_are_such_pages():
    assert "requires_grad.md" in {page.name for page in PAGES}


@pytest.mark.parametrize("library", [OURS, THEIRS], ids=["chainrule", "torch"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_prints_what_it_shows(page, library):
    test = examples(page, library)

    assert len(test.examples) > 10
    assert failures(test) == ""
