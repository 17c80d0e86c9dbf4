"""``chainrule doctor BACKEND --report FILE``: what a backend computes here, how near, how fast."""

from __future__ import annotations

import json

import pytest

from chainrule import backend as registry
from chainrule.backend import KernelSet
from chainrule.cli import report
from chainrule.op import all_ops


@pytest.fixture
def quick(monkeypatch):
    """Measure for a moment only, and two ops."""
    monkeypatch.setattr(report, "SPAN", 1e-4)
    whole = report.write
    monkeypatch.setattr(
        report, "write", lambda backend, file: whole(backend, file, ["tanh", "sum"])
    )


@pytest.mark.usefixtures("quick")
def test_report_is_written_and_summed_up(command, tmp_path):
    file = tmp_path / "report.json"
    code, out, _ = command("doctor", "sim", "--report", str(file))
    made = json.loads(file.read_text())

    assert (code, made["backend"]["name"]) == (0, "sim")
    assert made["accuracy"]["float32"]["ops"] == 2
    assert made["accuracy"]["float32"]["beyond"] == made["accuracy"]["float32"]["failed"] == {}
    assert all(number > 0 for number in made["speed"].values())
    assert "float32   2 ops" in out


def test_report_without_a_backend_is_refused(command):
    code, _, err = command("doctor", "--report", "x.json")

    assert (code, err.strip()) == (
        2, "chainrule doctor --report: expected a backend, as in 'doctor cupy'",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kernel", "where"),
    [(lambda x: x * x.dtype.type(1.001), "beyond"), (lambda x: x.no_such_method(), "failed")],
    ids=["a wrong value", "an error"],
)
def test_wrong_kernel_is_told(kernel, where):
    live = registry.by_name("sim")
    before = live.kernels.setdefault("sim", {}).copy()
    wrong = KernelSet("sim")
    wrong.forward("cr::tanh")(kernel)
    try:
        live.add_kernels(wrong)
        all_ops["cr::tanh"].reset(live.index)
        found = report.accuracy("sim@sim", ["tanh"])["float32"]
        assert list(found[where]) == ["tanh"]
    finally:
        live.kernels["sim"] = before
        all_ops["cr::tanh"].reset(live.index)


def test_result_is_judged_by_the_tolerance_of_its_own_dtype(monkeypatch):
    monkeypatch.setattr(report, "_apart", lambda found, wanted: 1e-7)
    judged = report.accuracy("cpu@numpy", ["exp", "abs"])["int64"]
    assert (judged["ops"], judged["beyond"]) == (2, {"abs": 1e-7})
