"""Promises about the written pages: links lead somewhere, commands are real, skips say why."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("core/**/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def tox_environments_and_labels():
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    environments = {
        name.partition(":")[2] for name in tox.sections() if name.startswith("testenv:")
    }
    labels = {line.partition("=")[0].strip() for line in tox["tox"]["labels"].splitlines() if line}
    return tox, environments, labels


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    prose = FENCED.sub("", page.read_text(encoding="utf-8"))
    targets = [target for target in LINK.findall(prose) if "://" not in target]

    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_an_example_that_is_skipped_says_why(page):
    directives = re.findall(r"<!--\s*skip:\s*(.*?)\s*-->", page.read_text(encoding="utf-8"))

    assert [text for text in directives if text != "end" and '"' not in text] == []


def test_readme_shows_the_two_commands():
    commands = re.findall(r"```console\n(.*?)\n```", read("README.md"), re.DOTALL)

    assert commands == [
        "python -m pip install . && chainrule demo",
        "python -m pip install tox && tox -m quick",
    ]


def test_continuous_integration_runs_the_readme_command():
    assert re.search(r"tox.* -m quick", read(".ci/run"))


def test_every_tox_environment_has_a_description():
    tox, environments, _ = tox_environments_and_labels()

    assert [name for name in environments if not tox[f"testenv:{name}"].get("description")] == []


def test_tox_commands_in_the_pages_name_what_exists():
    _, environments, labels = tox_environments_and_labels()
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = {
        name for names in re.findall(r"tox -e ([\w,-]*\w)", pages) for name in names.split(",")
    }

    assert named <= environments
    assert set(re.findall(r"tox (?:run-parallel )?-m ([\w-]+)", pages)) <= labels
