"""Hosts over the fixtures' plugins, in this process and in fresh ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.plugin.host import PluginHost
from chainrule.plugin.records import PluginRecord
from chainrule.plugin.selection import Selection

FIXTURES = Path(__file__).parents[1] / "fixtures" / "plugins"


def folder_of(name):
    """Return the folder to put on the path, to have a fixture installed."""
    return FIXTURES.parent / name if name == "overlay" else FIXTURES / name


@pytest.fixture
def run():
    """Run a program in a fresh Python that has some of the fixtures installed."""

    def run(program, *installed, **environment):
        kept = {n: v for n, v in os.environ.items() if not n.startswith("CHAINRULE_")}
        path = [*(str(folder_of(name)) for name in installed), *filter(None, sys.path)]
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            env={**kept, **environment, "PYTHONPATH": os.pathsep.join(path)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def answer(run):
    """Return what a program prints in a fresh Python, after checking that it ran to its end."""

    def answer(program, *installed, **environment):
        done = run(program, *installed, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return answer


@pytest.fixture
def make_host(monkeypatch):
    """Return a host of its own for plugins of the fixtures: ``make_host("good", "broken")``."""

    hosts = []

    def make_host(*installed, **selection):
        for name in installed:
            monkeypatch.syspath_prepend(folder_of(name))
        scan = lambda: [record_of(name) for name in installed]  # noqa: E731 - it is passed on
        hosts.append(PluginHost(Selection(**selection), scan))
        return hosts[-1]

    yield make_host
    for host in hosts:  # the live backends are the process's: leave no kernel behind
        for record in host.serving():
            if not record.builtin:
                host.unload(record)


def record_of(name):
    """Return the record that a scan would make of a fixture."""
    (folder,) = folder_of(name).glob("*.dist-info")
    distribution, _, version = folder.name.removesuffix(".dist-info").partition("-")
    group, entry = (folder / "entry_points.txt").read_text().split("\n")[:2]
    entry_name, _, target = entry.partition(" = ")
    return PluginRecord(
        name=entry_name,
        group="backend" if "backends" in group else "plugin",
        target=target,
        distribution=distribution,
        version=version,
    )
