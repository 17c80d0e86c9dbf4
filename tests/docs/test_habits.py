"""Promises about the project's files: each exception to a rule has its reason beside it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = ["core", "backends", "plugins", "tests", "tools", "benchmarks"]
SOURCES = [
    ROOT / "conftest.py",
    *(file for folder in FOLDERS for file in ROOT.glob(f"{folder}/**/*.py")),
]
SUPPRESSION = re.compile(r"#\s*(?:noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*|type: ignore\[[\w, -]+\])")


def test_each_ignored_rule_of_ruff_has_its_reason():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ruff = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.pydocstyle]")]
    rules = [line for line in ruff.splitlines() if re.match(r'\s+"[A-Z]+\d*",', line)]

    assert len(rules) > len(SETTINGS["tool"]["ruff"]["lint"]["ignore"])
    assert [rule for rule in rules if not re.search(r"# \w+", rule)] == []


def test_each_suppression_has_its_reason():
    bare = [
        f"{source.relative_to(ROOT)}:{number}"
        for source in SOURCES
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1)
        if SUPPRESSION.search(line) and not reason(line)
    ]

    assert bare == []


def reason(line):
    """Return the words that follow the first suppression on *line*, other suppressions left out."""
    return re.findall(r"[a-z]{2,}", SUPPRESSION.sub("", line[SUPPRESSION.search(line).end() :]))


def test_each_changelog_fragment_has_a_name_and_a_kind():
    kinds = {kind["directory"] for kind in SETTINGS["tool"]["towncrier"]["type"]}
    files = {file.name for file in (ROOT / "docs" / "changelog.d").iterdir()} - {"README.md"}

    assert [
        f for f in files if not re.fullmatch(rf"\+[a-z0-9-]+\.({'|'.join(kinds)})\.md", f)
    ] == []


@pytest.mark.parametrize(
    "package", SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
)
def test_each_published_package_is_typed_and_found_by_every_tool(package):
    root = str(Path(package).parent.as_posix())
    tool = SETTINGS["tool"]

    assert (ROOT / package / "py.typed").is_file()
    assert package in tool["mypy"]["files"]
    assert (
        Path(package).name in tool["importlinter"]["root_packages"]
        or (
            # import-linter is given what every contributor can import; a test keeps CuPy's imports
            ROOT / "tests" / "backends" / f"test_{Path(root).name}_imports.py"
        ).is_file()
    )
    assert root in tool["mypy"]["mypy_path"]
    assert root in tool["pytest"]["ini_options"]["pythonpath"]
    assert root in tool["hatch"]["build"]["targets"]["wheel"]["dev-mode-dirs"]
    assert root in tool["ruff"]["src"]


def test_each_decision_has_a_number_of_its_own():
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [file.name.partition("-")[0] for file in files]
    headings = [file.read_text(encoding="utf-8").partition("\n")[0] for file in files]

    assert len(set(numbers)) == len(numbers)
    assert [
        heading
        for number, heading in zip(numbers, headings, strict=True)
        if not heading.startswith(f"# {int(number)}. ")
    ] == []
