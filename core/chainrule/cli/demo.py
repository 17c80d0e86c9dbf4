"""``chainrule demo``: `chainrule.demo` with a progress bar, a table, files and a picture."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

import chainrule as cr
from chainrule import demo as program
from chainrule.backend import Backend, by_name, for_device
from chainrule.serialization import save_file

from .output import console, escape

ROW = "{:>5}  {:>8}  {:>14}  {:>13}"


@dataclass
class Run:
    """What one run of the demo came to."""

    backend: str
    device: str
    epochs: list[program.Epoch]
    seconds: float
    kept: int
    kept_frozen: int | None
    correct: int
    tested: int

    @property
    def accuracy(self) -> float:
        """The share of the held-out digits that were read right."""
        return self.correct / self.tested


def demo(options: argparse.Namespace) -> int:
    """Train, tell about it, and write what was asked for."""
    if options.plot and importlib.util.find_spec("matplotlib") is None:
        print("chainrule demo: --plot draws with matplotlib, which is not installed. Get it:\n"
              '    python -m pip install "chainrule[plot]"', file=sys.stderr)  # fmt: skip
        return 2
    screen = console(quiet=options.json)
    backend = by_name(options.backend) if options.backend else for_device(cr.device("cpu"))
    model, data, run = _train(options, backend, screen)
    screen.print(
        f"\nTest accuracy: [bold]{run.accuracy:.2%}[/bold] "
        f"({run.correct} of {run.tested} digits it never saw), {run.seconds:.1f} s"
    )
    if options.save:
        save_file(model.state_dict(), options.save)
        screen.print(f"Saved the weights to {escape(options.save)}")
    if options.plot:
        from .plot import draw

        draw(options.plot, run.epochs, model, data)
        screen.print(f"Drew the curves and some answers in {escape(options.plot)}")
    if options.json:
        print(json.dumps({**asdict(run), "accuracy": run.accuracy}))
    return 0


def _train(
    options: argparse.Namespace, backend: Backend, screen: Console
) -> tuple[program.DigitReader, program.Data, Run]:
    """Do what `chainrule.demo` does, and tell about it."""
    start = time.perf_counter()
    cr.manual_seed(options.seed)
    data = program.load_data()
    device = cr.device(f"{backend.spec.device_types[0]}@{backend.name}")
    model = program.DigitReader(data.train_images).to(device)
    screen.print(_introduction(model, data, backend))
    sample = data.train_images[: options.batch_size].to(device)
    labels = data.train_labels[: options.batch_size].to(device)
    kept, kept_frozen = program.bytes_kept(model, sample, labels), None
    if options.freeze:
        program.freeze(model.layers[0])
        kept_frozen = program.bytes_kept(model, sample, labels)
        screen.print(_comparison(len(sample), kept, kept_frozen))
    epochs = list(_watched(model, data, options, screen))
    correct = round(epochs[-1].test_accuracy * len(data.test_labels))
    run = Run(
        backend=backend.name,
        device=str(model.mean.device),
        epochs=epochs,
        seconds=time.perf_counter() - start,
        kept=kept,
        kept_frozen=kept_frozen,
        correct=correct,
        tested=len(data.test_labels),
    )
    return model, data, run


def _introduction(model: program.DigitReader, data: program.Data, backend: Backend) -> str:
    sizes = " > ".join(map(str, (program.PIXELS, *program.HIDDEN, program.DIGITS)))
    weights = sum(parameter.numel() for parameter in model.parameters())
    return (
        f"Digits:  {len(data.train_labels)} handwritten ones to learn from, "
        f"{len(data.test_labels)} held out\n"
        f"Network: {sizes}, {weights:,} weights, on backend {backend.name}\n"
    )


def _comparison(size: int, kept: int, kept_frozen: int) -> str:
    less = 1 - kept_frozen / kept
    return (
        f"Kept for backward, per batch of {size}:\n"
        f"  {kept:>9,} bytes with every layer in training\n"
        f"  {kept_frozen:>9,} bytes with the first layer frozen, {less:.0%} less\n"
    )


def _watched(
    model: program.DigitReader,
    data: program.Data,
    options: argparse.Namespace,
    screen: Console,
) -> Iterator[program.Epoch]:
    """Yield the epochs while a bar shows how far it is; no bar where nobody looks."""
    batches = options.epochs * -(-len(data.train_labels) // options.batch_size)
    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    screen.print(ROW.format("epoch", "loss", "train accuracy", "test accuracy"), style="bold")
    hidden = not screen.is_terminal
    with Progress(*columns, console=screen, transient=True, disable=hidden) as bar:
        task = bar.add_task("training", total=batches)
        steps = program.train(
            model,
            data,
            epochs=options.epochs,
            batch_size=options.batch_size,
            lr=options.lr,
            after_batch=lambda: bar.advance(task),
        )
        for epoch in steps:
            accuracies = f"{epoch.train_accuracy:.2%}", f"{epoch.test_accuracy:.2%}"
            screen.print(ROW.format(epoch.number, f"{epoch.loss:.4f}", *accuracies))
            yield epoch
