"""Every command works with plugins in any state, for a person and, with --json, for a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

BROKEN = (
    "broken",
    "old_api",
    "conflict_a",
    "conflict_b",
    "nothing",
    "squatter",
    "unusable",
    "unreadable",
)
STATES = {
    "broken": "failed", "old": "incompatible", "shared": "conflict", "nothing": "failed",
    "deviceless": "loaded", "good": "active",
}  # fmt: skip


def json_of(done):
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_info_shows_versions_backends_and_devices(command):
    code, out, err = command("info")

    assert (code, err) == (0, "")
    assert out.startswith("chainrule 0.1.0 on Python 3.")
    assert "numpy" in out
    assert 'pip install "chainrule[cupy12]"' in out


def test_info_as_json_names_the_backend_of_each_device_type(command):
    _, out, _ = command("info", "--json")
    facts = json.loads(out)

    assert (facts["devices"]["cpu"], facts["devices"]["sim"]) == ("numpy", "sim")
    assert facts["versions"]["chainrule"] == "0.1.0"


def test_info_shows_what_plugins_add_and_what_the_environment_says(fresh):
    done = fresh("info", "--json", installed=["good"], CHAINRULE_BACKEND="numpy")
    facts = json_of(done)

    assert facts["sections"]["Cubes"] == {"of three": "27"}
    assert "BLAS" in facts["sections"]["NumPy"]
    assert facts["environment"] == {"CHAINRULE_BACKEND": "numpy"}


@pytest.mark.parametrize("arguments", [["info"], ["backends"], ["plugins"], ["ops"], ["doctor"]])
@pytest.mark.parametrize("strict", ["", "1"])
def test_commands_work_when_plugins_are_broken(fresh, arguments, strict):
    done = fresh(*arguments, installed=BROKEN, CHAINRULE_STRICT_PLUGINS=strict)

    assert (done.returncode, done.stderr) == (1 if arguments == ["doctor"] else 0, "")
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    "arguments", [["info"], ["backends"], ["plugins"], ["ops"], ["doctor", "numpy"]]
)
def test_what_is_not_written_to_a_terminal_has_no_control_characters(command, arguments):
    code, out, _ = command(*arguments)

    assert code == 0
    assert [c for c in out if ord(c) < 32 and c != "\n"] == []


@pytest.mark.parametrize("arguments", [["info"], ["backends"], ["plugins"], ["ops"], ["doctor"]])
def test_every_command_speaks_json(command, arguments):
    _, out, _ = command(*arguments, "--json")

    assert json.loads(out)


def test_info_survives_a_wrong_choice_in_the_environment(fresh):
    done = fresh("info", CHAINRULE_BACKEND="cuppy")

    assert done.returncode == 0
    assert "CHAINRULE_BACKEND='cuppy': unknown backend 'cuppy'" in done.stdout


def test_plugins_tells_each_ones_state_and_why(fresh):
    rows = json_of(fresh("plugins", "--json", installed=(*BROKEN, "good")))
    found = {row["name"]: row for row in rows if not row["builtin"]}

    assert {name: found[name]["state"] for name in STATES} == STATES
    assert "the author divided by zero" in found["broken"]["reason"]
    assert "broken_plugin.py" in found["broken"]["traceback"]
    assert found["good"]["ops"] == ["good::cube"]
    assert found["good"]["kernels"] > 0


def test_backends_tells_the_four_states(fresh):
    rows = json_of(fresh("backends", "--json", installed=["unusable"]))

    states = {row["name"]: row["state"] for row in rows}
    assert states.pop("native") in {"available", "not installed"}  # some environments have it
    assert states == {
        "numpy": "available", "sim": "available", "cupy": "not installed",
        "absent": "not installed", "deviceless": "no device", "unimportable": "import failed",
    }  # fmt: skip


def test_backends_check_computes_a_gradient_on_every_device(command):
    code, out, _ = command("backends", "--check", "--json")
    rows = json.loads(out)
    checks = {check["device"]: check["passed"] for row in rows for check in row["checks"]}

    assert (code, checks) == (0, {"cpu": True, "sim:0": True, "sim:1": True})


def test_backends_check_names_backend_and_device_of_each_result(command):
    _, out, _ = command("backends", "--check")
    rows = [line.split()[:3] for line in out[out.index("a gradient on") :].splitlines()]

    assert ["numpy", "cpu", "works"] in rows
    assert ["sim", "sim:1", "works"] in rows


def test_a_backend_that_fails_when_made_is_told_of_and_left_out(fresh):
    listed = json_of(fresh("plugins", "--json", installed=["unmakeable"]))
    (row,) = (row for row in listed if row["name"] == "unmakeable")
    done = fresh("ops", "show", "mul", "--json", installed=["unmakeable"])

    assert "the factory broke" in row["reason"]
    assert [found["backend"] for found in json.loads(done.stdout)] == ["numpy", "sim"]
    assert done.stderr.startswith("left out: backend 'unmakeable': BackendUnavailableError")


def test_a_plugin_whose_kernels_do_not_fit_is_told_of(fresh):
    rows = json_of(fresh("plugins", "--json", installed=["misfit"], CHAINRULE_STRICT_PLUGINS="1"))
    (row,) = (row for row in rows if row["name"] == "misfit")

    assert row["state"] == "failed"
    assert "expected it to take 2 arrays by position" in row["reason"]


def test_doctor_says_to_uninstall_what_takes_a_name_of_ours(fresh):
    findings = json_of(fresh("doctor", "--json", installed=["squatter"]))

    assert "Uninstall it: pip uninstall squatter" in {finding["cure"] for finding in findings}


def test_ops_lists_how_each_backend_runs_each_op(command):
    _, out, _ = command("ops", "--json")
    rows = {row["op"]: row for row in json.loads(out)}

    assert rows["cr::mul"]["sim"] == "inherited kernel"


def test_ops_missing_lists_only_what_cannot_run(command):
    _, out, _ = command("ops", "--missing", "--json")

    assert all("none" in row.values() for row in json.loads(out))


def test_ops_show_explains_one_op(command):
    code, out, _ = command("ops", "show", "mul", "--backend", "numpy")

    assert code == 0
    assert out.startswith("cr::mul on backend 'numpy' (lineage numpy > xp)")


def test_doctor_finds_a_healthy_installation_healthy(command):
    code, out, _ = command("doctor", "numpy", "--json")

    assert (code, {finding["passed"] for finding in json.loads(out)}) == (0, {True})


@pytest.mark.parametrize(
    ("name", "reason", "cure"),
    [
        ("deviceless", "no device: no driver", "driver is installed"),
        ("cupy", "not installed", 'Get it: pip install "chainrule[cupy12]"'),
    ],
)
def test_doctor_says_what_is_wrong_and_what_to_do(fresh, name, reason, cure):
    done = fresh("doctor", name, "--json", installed=["unusable"])
    (finding,) = json_of(done)

    assert done.returncode == 1
    assert reason in finding["reason"]
    assert cure in finding["cure"]


# Bad input

BAD = {
    "an unknown command": (["frobnicate"], "invalid choice: 'frobnicate'"),
    "no command": ([], "COMMAND"),
    "an unknown option": (["info", "--frob"], "unrecognized arguments: --frob"),
    "an unknown backend to check": (
        ["doctor", "cuppy"],
        "unknown backend 'cuppy'. Did you mean 'cupy'?",
    ),
    "an unknown backend for ops": (["ops", "--backend", "nimpy"], "Did you mean 'numpy'?"),
    "an unknown op": (["ops", "show", "mull"], "expected an op or its name, got 'mull'"),
    "no op to show": (["ops", "show"], "chainrule ops show NAME"),
    "a word that is not show": (["ops", "explain", "mul"], "chainrule ops show NAME"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_one_clear_line_and_exit_code_2(command, arguments, message):
    code, out, err = command(*arguments)

    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_the_version_is_told(command):
    assert command("--version")[:2] == (0, "chainrule 0.1.0\n")


def test_a_reader_that_has_seen_enough_makes_no_noise():
    path = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        [sys.executable, "-m", "chainrule", "ops"],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()

        assert process.stderr.read() == b""
