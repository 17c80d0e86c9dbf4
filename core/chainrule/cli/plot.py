"""The picture of a demo run: learning curves, and test digits with what the model read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

import chainrule as cr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..demo import Data, DigitReader, Epoch

ROWS, COLUMNS = 5, 8
BLUE, ORANGE, RED, GREY = "#1f5fa8", "#d97706", "#c0262d", "#555555"


def draw(filename: str, epochs: Sequence[Epoch], model: DigitReader, data: Data) -> None:
    """Write the picture of a run to *filename*."""
    figure = Figure(figsize=(11, 5.6), dpi=120, layout="constrained")
    parts: Any = figure.subfigures(1, 2, width_ratios=(1, 1.25), wspace=0.04)
    curves, digits = parts
    upper, lower = curves.subplots(2, 1, sharex=True)
    _draw_loss(upper, epochs)
    _draw_accuracy(lower, epochs)
    _draw_answers(digits, model, data)
    figure.savefig(filename)


def _draw_loss(axes: Any, epochs: Sequence[Epoch]) -> None:
    numbers = [epoch.number for epoch in epochs]
    axes.plot(numbers, [epoch.loss for epoch in epochs], color=BLUE, marker="o", markersize=3)
    axes.set_yscale("log")
    axes.set_title("Loss on the training part", fontsize=10)
    _tidy(axes)


def _draw_accuracy(axes: Any, epochs: Sequence[Epoch]) -> None:
    numbers = [epoch.number for epoch in epochs]
    for values, color, label in (
        ([epoch.train_accuracy for epoch in epochs], BLUE, "training part"),
        ([epoch.test_accuracy for epoch in epochs], ORANGE, "held out"),
    ):
        axes.plot(numbers, values, color=color, marker="o", markersize=3, label=label)
    axes.set_title(f"Accuracy (held out, at the end: {epochs[-1].test_accuracy:.2%})", fontsize=10)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    _tidy(axes)


def _tidy(axes: Any) -> None:
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_answers(figure: Any, model: DigitReader, data: Data) -> None:
    """Draw test digits with the model's answers: all the wrong ones that fit, then right ones."""
    with cr.no_grad():
        answers = model(data.test_images.to(model.mean.device)).argmax(dim=1).tolist()
    labels = data.test_labels.tolist()
    images = data.test_images.view(-1, 8, 8).tolist()
    chosen = _chosen(answers, labels)
    figure.suptitle("Held-out digits, as the model reads them (mistakes in red)", fontsize=10)
    for axes, number in zip(figure.subplots(ROWS, COLUMNS).flat, chosen, strict=False):
        axes.imshow(images[number], cmap="gray_r", vmin=0, vmax=16)
        wrong = answers[number] != labels[number]
        title = f"{answers[number]}, not {labels[number]}" if wrong else str(answers[number])
        axes.set_title(title, color=RED if wrong else GREY, fontsize=10, pad=2)
        axes.set_axis_off()


def _chosen(answers: Sequence[int], labels: Sequence[int]) -> list[int]:
    """Return which digits to draw: up to one row of mistakes, the rest from the right ones."""
    pairs = list(enumerate(zip(answers, labels, strict=True)))
    wrong = [number for number, (answer, label) in pairs if answer != label][:COLUMNS]
    right = [number for number, (answer, label) in pairs if answer == label]
    places = ROWS * COLUMNS - len(wrong)
    return [*(right[i * len(right) // places] for i in range(places)), *wrong]
