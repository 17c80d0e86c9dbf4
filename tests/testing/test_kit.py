"""The conformance kit bites: each planted fault is caught, by the test of its name.

The kit runs as an outsider runs it: by ``--pyargs``, in a fresh process, in an empty folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[1] / "fixtures" / "plugins"

PROTOCOL = [".test_protocol"]

#: The fault, the backend it shows on, and the tests that must find it.
FAULTS = {
    "wrong_gradient": ("numpy", {"test_gradient_agrees_with_finite_differences"}),
    "wrong_second_derivative": ("numpy", {"test_second_derivative_agrees_with_finite_differences"}),
    "aliasing_output": ("numpy", {"test_aliasing_is_declared"}),
    "mutated_input": ("numpy", {"test_mutation_of_inputs_is_none", "test_inputs_are_left_alone"}),
    "lost_dtype": ("numpy", {"test_dtype_is_the_promised_one"}),
    "wrong_broadcast": ("numpy", {"test_shape_is_that_of_the_reference"}),
    "undeclared_save": ("numpy", {"test_saves_are_declared"}),
    "hoarding_kernel": ("numpy", {"test_saves_are_declared"}),
    "host_access": ("sim", {"test_call_gives_arrays_of_the_backend"}),
    "not_deterministic": ("numpy", {"test_determinism"}),
}


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """Run the kit over some fixtures; return what it wrote, and what pytest said."""

    def kit(*arguments, suites=("",), installed=(), **environment):
        folder = tmp_path_factory.mktemp("kit")
        kept = {n: v for n, v in os.environ.items() if not n.startswith("CHAINRULE_")}
        path = [*(str(FIXTURES / name) for name in installed), *filter(None, sys.path)]
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
                *("-p", "chainrule.testing.plugin", "--pyargs"),
                *(f"chainrule.testing.conformance{suite}" for suite in suites),
                *("--chainrule-report=report.json", *arguments),
            ],
            cwd=folder,
            env={**kept, **environment, "PYTHONPATH": os.pathsep.join(path)},
            capture_output=True,
            text=True,
            check=False,
        )
        report = folder / "report.json"
        return done, json.loads(report.read_text()) if report.exists() else None, folder

    return kit


@pytest.fixture(scope="module")
def faulty(kit):
    done, report, _ = kit(
        "--chainrule-backend=numpy", "--chainrule-backend=sim", "--chainrule-ops=faulty::*",
        installed=["faulty"],
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    return {
        (r["op"], r["backend"], r["id"].partition("[")[0])
        for r in report["results"]
        if r["outcome"] == "failed"
    }


@pytest.mark.parametrize(("fault", "where"), FAULTS.items(), ids=FAULTS)
def test_a_planted_fault_is_caught_by_the_test_of_its_name(faulty, fault, where):
    backend, tests = where

    assert tests <= {
        test for op, name, test in faulty if (op, name) == (f"faulty::{fault}", backend)
    }


def test_host_access_passes_where_the_host_is_the_device(faulty):
    assert [
        test for op, name, test in faulty if (op, name) == ("faulty::host_access", "numpy")
    ] == []


def test_an_op_without_fault_passes(faulty):
    assert [test for op, _, test in faulty if op == "faulty::right"] == []


def test_a_backend_passes_the_protocol_under_another_name(kit):
    done, report, _ = kit(
        "--chainrule-backend=loop", suites=[".test_protocol", ".test_plugin"], installed=["loop"]
    )

    assert done.returncode == 0, done.stdout
    assert report["backends"]["loop"]["counts"].keys() == {"passed", "not verified"}
    assert report["backends"]["loop"]["level"] is None
    assert "level not judged" in done.stdout


def test_a_backend_that_was_asked_for_and_cannot_run_fails(kit):
    done, _, _ = kit(
        "--chainrule-backend=deviceless", "-k", "synchronize", suites=PROTOCOL,
        installed=["unusable"],
    )  # fmt: skip

    assert done.returncode == 1
    assert "backend deviceless was asked for and cannot run here" in done.stdout
    assert "deviceless: no device lib 1.2 no driver" in done.stdout


def test_skipping_it_is_a_statement(kit):
    done, _, _ = kit(
        "--chainrule-backend=deviceless", "--chainrule-on-unavailable=skip", "-k", "synchronize",
        suites=PROTOCOL, installed=["unusable"],
    )  # fmt: skip

    assert done.returncode == 0
    assert "1 not verified on this machine" in done.stdout


def test_a_required_backend_of_the_environment_fails_too(kit):
    done, _, _ = kit(
        "-k", "synchronize", suites=PROTOCOL, CHAINRULE_REQUIRE_BACKENDS="numpy,nonesuch"
    )

    assert done.returncode == 1
    assert "nonesuch was asked for" in done.stdout


def test_known_failures_are_written_kept_and_strict(kit, tmp_path):
    file = tmp_path / "known.toml"
    select = (
        "--chainrule-ops=faulty::wrong_gradient", f"--chainrule-xfails={file}", "-k",
        "finite_differences or determinism",
    )  # fmt: skip
    accepted, _, _ = kit(*select, "--chainrule-accept", installed=["faulty"])
    text = file.read_text()
    again, report, _ = kit(*select, installed=["faulty"])

    assert accepted.returncode == 0, accepted.stdout
    assert "test_gradient_agrees_with_finite_differences[numpy-" in text
    assert again.returncode == 0, again.stdout
    assert {r["outcome"] for r in report["results"]} == {"known failure"}

    id_ = "test_determinism[numpy-faulty::wrong_gradient-float64]"
    file.write_text(f'{text}\n[[xfail]]\nid = "{id_}"\nreason = "it passes"\n')
    passing, _, _ = kit(*select, installed=["faulty"])
    assert passing.returncode == 1
    assert "XPASS(strict)" in passing.stdout

    file.write_text('[[xfail]]\nid = "test_determinism[numpy-nonesuch-float64]"\nreason = "gone"\n')
    stale, _, _ = kit(*select, installed=["faulty"])
    assert stale.returncode == 4
    assert "no test is called test_determinism[numpy-nonesuch-float64]" in stale.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--chainrule-xfails=nothing.toml"], "nothing.toml is not there"),
        (["--chainrule-accept"], "name the file to write"),
        (["--chainrule-ops=nonesuch::*"], "no op matches nonesuch::*"),
    ],
)
def test_bad_options_are_one_clear_line(kit, arguments, message):
    done, _, _ = kit(*arguments, suites=PROTOCOL)

    assert done.returncode == 4
    assert message in done.stderr + done.stdout
