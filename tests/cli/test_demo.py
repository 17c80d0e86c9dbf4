"""The demo learns, tells about it cleanly, and writes what it is asked to write."""

from __future__ import annotations

import json
import re

import pytest

import chainrule as cr
from chainrule.cli import main
from chainrule.serialization import load_file

SHORT = ("demo", "--epochs", "2", "--batch-size", "128")


def test_it_reads_97_of_100_digits_it_never_saw(command):
    code, out, _ = command("demo", "--json")
    run = json.loads(out)

    assert code == 0
    assert run["accuracy"] >= 0.97
    assert run["tested"] == 359


def test_it_tells_loss_and_accuracy_per_epoch_and_the_test_accuracy(command):
    code, out, err = command(*SHORT)
    rows = re.findall(r"^ +(\d+) +(\d\.\d{4}) +(\d\d\.\d\d%) +(\d\d\.\d\d%)$", out, re.MULTILINE)

    assert (code, err) == (0, "")
    assert [row[0] for row in rows] == ["1", "2"]
    assert re.search(r"^Test accuracy: \d\d\.\d\d% \(\d+ of 359 digits", out, re.MULTILINE)


def test_what_is_not_written_to_a_terminal_is_plain_text(command):
    _, out, _ = command(*SHORT)

    assert [c for c in out if not c.isprintable() and c != "\n"] == []


def test_one_seed_gives_one_result_and_another_seed_another(command):
    def losses(seed):
        _, out, _ = command(*SHORT, "--json", "--seed", seed)
        return [epoch["loss"] for epoch in json.loads(out)["epochs"]]

    first = losses("1")
    assert losses("1") == first
    assert losses("2") != first


def test_a_backend_can_be_chosen_and_computes_the_same(command):
    def run(backend):
        _, out, _ = command(*SHORT, "--json", "--backend", backend)
        return json.loads(out)

    numpy, sim = run("numpy"), run("sim")

    assert (sim["backend"], sim["device"]) == ("sim", "sim:0")
    # Their kernels add up in different orders: equal to float32's rounding, over 24 updates.
    assert [e["loss"] for e in sim["epochs"]] == pytest.approx(
        [e["loss"] for e in numpy["epochs"]], rel=1e-5
    )


def test_freezing_keeps_fewer_bytes_for_backward_and_shows_both(command):
    _, out, _ = command(*SHORT, "--freeze")
    every, frozen = (
        int(number.replace(",", "")) for number in re.findall(r"([\d,]+) bytes with", out)
    )

    assert "Kept for backward, per batch of 128:" in out
    assert every - frozen == 128 * 64 * 4  # the batch of images, which only the first layer needs


def test_a_frozen_layer_keeps_its_weights(command, tmp_path):
    def first_layer(*arguments):
        file = tmp_path / "weights.safetensors"
        command(*SHORT, "--seed", "5", "--save", str(file), *arguments)
        return load_file(file)["layers.0.weight"]

    cr.manual_seed(5)
    from chainrule import demo

    untrained = demo.DigitReader(demo.load_data().train_images).layers[0].weight

    assert first_layer("--freeze").equal(untrained)
    assert not first_layer().equal(untrained)


def test_the_saved_weights_make_the_same_model_again(command, tmp_path):
    from chainrule import demo

    file = tmp_path / "weights.safetensors"
    _, out, _ = command(*SHORT, "--json", "--save", str(file))
    cr.manual_seed(0)
    data = demo.load_data()
    model = demo.DigitReader(data.train_images)
    model.load_state_dict(load_file(file))

    assert demo.accuracy(model, data.test_images, data.test_labels) == json.loads(out)["accuracy"]


def test_the_picture_is_written(command, tmp_path):
    pytest.importorskip("matplotlib", reason="the extra 'plot' is not installed")
    file = tmp_path / "digits.png"
    code, out, _ = command(*SHORT, "--plot", str(file))

    assert code == 0
    assert file.read_bytes().startswith(b"\x89PNG")
    assert str(file) in out


def test_without_matplotlib_a_plot_is_refused_before_any_training(command, monkeypatch, tmp_path):
    import importlib.util

    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "matplotlib" else find_spec(name, *rest),
    )
    code, out, err = command(*SHORT, "--plot", str(tmp_path / "digits.png"))

    assert (code, out) == (2, "")
    assert 'python -m pip install "chainrule[plot]"' in err


BAD = {
    "no epochs": (["--epochs", "0"], "expected a whole number from 1 to 10000, got '0'"),
    "epochs in words": (
        ["--epochs", "many"],
        "expected a whole number from 1 to 10000, got 'many'",
    ),
    "an empty batch": (["--batch-size", "0"], "expected a whole number from 1"),
    "a seed below zero": (["--seed", "-1"], "expected a whole number from 0"),
    "a rate of zero": (["--lr", "0"], "expected a positive number like 0.001, got '0'"),
    "an infinite rate": (["--lr", "inf"], "expected a positive number"),
    "a rate that is none": (["--lr", "nan"], "expected a positive number"),
    "an unknown backend": (["--backend", "cuppy"], "unknown backend 'cuppy'. Did you mean 'cupy'?"),
    "a backend that is not here": (["--backend", "cupy"], 'pip install "chainrule[cupy12]"'),
    "another kind of file": (["--save", "weights.pt"], "ends in .safetensors, got 'weights.pt'"),
    "another kind of picture": (["--plot", "x.gif"], "ends in .pdf or .png or .svg, got 'x.gif'"),
    "no such folder": (["--save", "nowhere/x.safetensors"], "in a folder that exists"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_one_clear_error_and_exit_code_2(command, arguments, message):
    code, out, err = command("demo", *arguments)

    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_it_runs_as_a_command(fresh):
    done = fresh(*SHORT, "--json")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["backend"] == "numpy"


def test_main_returns_the_exit_code():
    assert main(["doctor", "numpy", "--json"]) == 0
