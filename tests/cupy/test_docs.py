"""The examples of the pages that need a CUDA device run here."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("docs/how-to/autograd-for-cupy.md",)
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_the_page_run(page):
    text = "\n".join(BLOCK.findall((ROOT / page).read_text(encoding="utf-8")))
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags)
    examples = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    told = []
    runner.run(examples, out=told.append)
    assert len(examples.examples) > 10
    assert runner.failures == 0, "".join(told)
