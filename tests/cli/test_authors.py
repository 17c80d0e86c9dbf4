"""The commands for plugin authors: validate, new, conformance; each with --json."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import chainrule as cr
from chainrule.cli import main


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Write the project of a plugin; return its folder, with the plugin as good as installed."""

    def project(kind, name):
        folder = tmp_path / name
        assert main(["plugins", "new", "--kind", kind, name, "--into", str(folder), "--json"]) == 0
        source = folder / "src"
        group = "chainrule.plugins" if kind == "op" else "chainrule.backends"
        info = source / f"chainrule_{name}-0.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: chainrule-{name}\nVersion: 0.1.0\n"
        )
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = chainrule_{name}:plugin\n")
        return folder

    return project


def python(folder, *arguments):
    kept = {n: v for n, v in os.environ.items() if not n.startswith("CHAINRULE_")}
    path = [str(folder / "src"), *filter(None, sys.path)]
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": os.pathsep.join(path), "CHAINRULE_STRICT_PLUGINS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("kind", "name"), [("op", "smooth"), ("backend", "mine")])
def test_a_new_project_is_in_order_and_passes_its_own_tests(project, kind, name):
    folder = project(kind, name)
    found = python(folder, "-m", "chainrule", "plugins", "validate", name, "--json")
    tests = python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert found.returncode == 0, found.stdout + found.stderr
    assert all(finding["passed"] for finding in json.loads(found.stdout))
    assert tests.returncode == 0, tests.stdout


def test_the_ops_of_a_new_project_pass_the_kit(project):
    folder = project("op", "smooth")
    done = python(
        folder, "-m", "chainrule", "conformance", "-b", "numpy", "-b", "sim", "--ops", "smooth::*",
        "--suite", "kernels", "--suite", "grad", "--suite", "opcheck", "--json",
    )  # fmt: skip
    report = json.loads(done.stdout)

    assert done.returncode == 0, done.stdout
    assert {name: set(b["ops"]) for name, b in report["backends"].items()} == {
        "numpy": {"smooth::log_cosh"},
        "sim": {"smooth::log_cosh"},
    }
    assert all(b["counts"].keys() == {"passed"} for b in report["backends"].values())


def test_a_new_backend_passes_the_protocol(project):
    folder = project("backend", "mine")
    done = python(
        folder, "-m", "chainrule", "conformance", "-b", "mine", "--suite", "protocol", "--suite",
        "plugin",
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert "mine: level not judged: not everything was run" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["new", "--kind", "op", "numpy"], "is a name of chainrule's own"),
        (["new", "--kind", "op", "Has Space"], "expected a name in small letters"),
        (["new", "--kind", "op", "class"], "expected a name in small letters"),
        (["new", "--kind", "op", "fine", "--into", "/dev/null"], "expected a folder that is empty"),
        (["new", "--kind", "stack", "fine"], "invalid choice: 'stack'"),
        (["new", "fine"], "required: --kind"),
        (["validate", "nonesuch"], "expected module:attribute, or the name of an installed plugin"),
    ],
)
def test_bad_input_is_one_clear_line(capsys, arguments, message):
    try:
        code = main(["plugins", *arguments])
    except SystemExit as stop:
        code = stop.code
    assert (code, message in capsys.readouterr().err) == (2, True)


def test_a_folder_that_holds_something_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("precious")

    assert main(["plugins", "new", "--kind", "op", "fine", "--into", str(tmp_path)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert "expected a folder that is empty" in capsys.readouterr().err


# validate

PROBLEMS = {
    "broken": ("it can be imported", "ZeroDivisionError: the author divided by zero"),
    "old": ("it loads: info, plugin API, hooks, ops, backends", "plugin API 0.9"),
    "nothing": ("it can be imported", "module_that_is_not_there"),
    "misfit": ("its kernels for numpy fit their ops", "expected it to take 2 arrays by position"),
    "unmakeable": ("backend unmakeable can be made", "RuntimeError: the factory broke"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_validate_says_what_is_wrong(fresh, name):
    fixture = {"old": "old_api"}.get(name, name)
    done = fresh("plugins", "validate", name, "--json", installed=[fixture])
    found = {f["what"]: f["reason"] for f in json.loads(done.stdout)}
    what, reason = PROBLEMS[name]

    assert done.returncode == 1
    assert reason in found[what]


def test_validate_finds_a_plugin_that_is_heavy_to_import(tmp_path):
    (tmp_path / "heavy.py").write_text(
        "import numpy\nfrom chainrule.plugin import PluginInfo\n"
        "class P: info = PluginInfo(name='heavy', api='1.0')\nplugin = P()\n"
    )
    done = python(tmp_path, "-c", (
        "import sys; sys.path.insert(0, '.'); from chainrule.cli import main\n"
        "import os; os.environ['PYTHONPATH'] += os.pathsep + os.getcwd()\n"
        "sys.exit(main(['plugins', 'validate', 'heavy:plugin', '--json']))"
    ))  # fmt: skip
    found = json.loads(done.stdout)

    assert done.returncode == 1
    assert "importing the plugin imports numpy" in found[0]["reason"]


def test_validate_leaves_the_process_as_it_was(command):
    x = cr.ones(2)  # a backend that is live keeps its kernels
    code, out, err = command("plugins", "validate", "numpy")

    assert code == 0, out + err
    assert (x + x).tolist() == [2.0, 2.0]
    assert cr.erfinv(x * 0).tolist() == [0.0, 0.0]
    assert command("plugins", "--json")[0] == 0


def test_plugins_all_shows_hooks_and_tracebacks(fresh):
    done = fresh("plugins", "--all", installed=["broken", "good"])

    assert done.returncode == 0
    assert "chainrule_info_section, chainrule_kernels, chainrule_ops" in done.stdout
    assert "ZeroDivisionError" in done.stdout


def test_ops_derived_lists_what_runs_by_its_body(command):
    rows = json.loads(command("ops", "--derived", "--backend", "sim", "--json")[1])

    assert rows
    assert all(row["sim"] in {"body", "traced"} for row in rows)
