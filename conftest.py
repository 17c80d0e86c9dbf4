"""Run the examples of README, docs and docstrings as tests.

A fenced ``python`` block in a page runs, as plain code or as ``>>>`` examples; so does every
``>>>`` example of a docstring, which finds the names of its module and ``cr``. The examples of one
file share their names and a folder of their own to write in. A block that cannot run says why:
``<!-- skip: next "needs a CUDA device" -->``.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers import markdown, rest
from sybil.sybil import SybilCollection

FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE


@pytest.fixture(scope="module")
def folder_of_examples(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Let the examples of one file write where nothing is littered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("examples"))
        yield


def name_the_package(namespace: dict[str, object]) -> None:
    """Give docstrings the name ``cr``; pages import it themselves, as a reader would."""
    namespace["cr"] = importlib.import_module("chainrule")


def docstrings(folder: str) -> Sybil:
    """Return the collector of the docstrings below *folder*."""
    return Sybil(
        parsers=[rest.DocTestParser(optionflags=FLAGS)],
        path=folder,
        pattern="*.py",
        excludes=["setup.py", "*/setup.py"],  # they build something when imported
        setup=name_the_package,
        fixtures=["folder_of_examples"],
    )


class WithoutItsLibrary(pytest.Module):
    """A file that cannot be imported here, because the library that it is for is not installed."""

    def collect(self) -> list[pytest.Item]:
        """Return nothing: pytest itself would import the file, where its path was named."""
        return []


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> WithoutItsLibrary | None:
    """Pass over the files of the CuPy backend where there is no CuPy."""
    if "chainrule_cupy" not in module_path.parts or importlib.util.find_spec("cupy"):
        return None
    return WithoutItsLibrary.from_parent(parent, path=module_path)


pages = Sybil(
    parsers=[markdown.PythonCodeBlockParser(doctest_optionflags=FLAGS), markdown.SkipParser()],
    pattern="*.md",
    fixtures=["folder_of_examples"],
)

pytest_collect_file = SybilCollection([pages, docstrings("core"), docstrings("backends")]).pytest()
