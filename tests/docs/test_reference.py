"""The reference is complete: every hook, record, error and environment variable stands in it."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from chainrule import errors
from chainrule.backend import Availability, BackendSpec, KernelDef, KernelSet
from chainrule.plugin import PluginInfo, PluginRecord
from chainrule.plugin.checking import HOOKS
from chainrule.plugin.selection import VARIABLES
from chainrule.testing import OpCase, OpcheckError

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference"


def page(name):
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def test_every_hook_has_its_section_with_its_arguments_and_no_other_does():
    text = page("hooks")
    sections = re.findall(r"^## (chainrule_\w+)$", text, re.MULTILINE)

    assert sorted(sections) == sorted(HOOKS)
    for name in HOOKS:
        assert f"\n`{name}(" in text, f"{name}: its section begins with the call"


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_every_hook_is_used_by_something_that_ships(hook):
    places = ("backends", "plugins", "core/chainrule/cli/templates")
    files = (
        file
        for place in places
        for pattern in ("*.py", "*.py.txt")
        for file in (ROOT / place).rglob(pattern)
    )
    used = re.compile(rf"@(?:p\.)?hookimpl\n    def {hook}\(")

    assert any(used.search(file.read_text(encoding="utf-8")) for file in files)


@pytest.mark.parametrize(
    "record",
    [PluginInfo, BackendSpec, Availability, KernelSet, KernelDef, PluginRecord, OpCase],
    ids=lambda record: record.__name__,
)
def test_every_field_of_every_record_is_explained(record):
    _, _, rest = page("records").partition(f"\n## {record.__name__}\n")
    section = rest.partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", section, re.MULTILINE))))

    assert named == {field.name for field in fields(record)}


def test_every_error_is_listed():
    cells = "".join(re.findall(r"^\| (.*?) \|", page("errors"), re.MULTILINE))
    found = set(re.findall(r"`(\w+)`", cells))
    ours = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.ChainruleError)
    }

    assert found == (ours - {"ChainruleError"}) | {OpcheckError.__name__}


def test_every_environment_variable_is_listed_and_read_somewhere():
    listed = set(re.findall(r"^\| `(CHAINRULE_\w+)` \|", page("environment"), re.MULTILINE))
    sources = [*(ROOT / "core").rglob("*.py"), *ROOT.glob("backends/*/chainrule_*/**/*.py")]
    read = {
        name
        for source in sources
        for name in re.findall(r"CHAINRULE_[A-Z]+(?:_[A-Z]+)*", source.read_text(encoding="utf-8"))
    }

    assert listed == read
    assert set(VARIABLES) <= listed


def test_the_coverage_table_has_a_row_per_op_that_names_how_each_backend_runs_it():
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", page("coverage"), re.MULTILINE)
    hows = {how for _, cells in rows for how in cells.split(" | ")}

    assert len(rows) > 400
    assert hows <= {"own kernel", "inherited kernel", "body", "traced", "core", "none"}
