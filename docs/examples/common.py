"""What the examples share: a command line, a loop with a progress line, and an empty picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

BLUE, ORANGE, RED, GREY = "#1f5fa8", "#d97706", "#c0262d", "#777777"


def arguments(manual: str, *, steps: int) -> argparse.Namespace:
    """Read ``--seed``, ``--steps`` and ``--plot``; the script's docstring is the help text."""
    parser = argparse.ArgumentParser(
        description=manual, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (default: 0)")
    parser.add_argument("--steps", type=int, default=steps, help=f"of training (default: {steps})")
    parser.add_argument("--plot", metavar="FILE", help="draw what came out, e.g. to result.png")
    return parser.parse_args()


class Training:
    """Counts the steps of a training run, keeps its losses and tells how far it is.

    Ten times a run, a line goes to the standard output; a progress line shows in a terminal only.
    """

    def __init__(self, steps: int) -> None:
        self.steps, self.step = steps, 0
        self.losses: list[float] = []

    def __iter__(self) -> Iterator[int]:
        while self.step < self.steps:
            self.step += 1
            yield self.step

    def report(self, loss: float, **others: float) -> None:
        """Note the loss of this step, and other numbers to print beside it."""
        self.losses.append(loss)
        terminal = sys.stderr.isatty()
        if terminal:
            print(end="\r\033[K", file=sys.stderr, flush=True)  # wipes the progress line
        if self.step % max(1, self.steps // 10) == 0 or self.step in {1, self.steps}:
            numbers = "".join(f"  {name} {value:.6g}" for name, value in others.items())
            print(f"step {self.step:5}  loss {loss:.6g}{numbers}", flush=True)
        if terminal and self.step < self.steps:
            done = 30 * self.step // self.steps
            line = f"[{'=' * done:30}] {self.step}/{self.steps}  loss {loss:.4f}"
            print(line, end="", file=sys.stderr, flush=True)


def panels(count: int, *titles: str) -> tuple[Any, Any]:
    """Return a figure of *count* panels side by side, and the panels."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        sys.exit("--plot needs matplotlib: python -m pip install matplotlib")
    figure = Figure(figsize=(4.8 * count, 4.2), dpi=110, layout="constrained")
    axes = figure.subplots(1, count, squeeze=False)[0]
    for panel, title in zip(axes, titles, strict=True):
        panel.set_title(title, fontsize=10)
        panel.spines[["top", "right"]].set_visible(False)
    return figure, axes


def draw_losses(panel: Any, training: Training, scale: str = "log") -> None:
    """Draw how the loss fell."""
    panel.plot(range(1, len(training.losses) + 1), training.losses, color=BLUE, linewidth=1)
    panel.set_yscale(scale)
    panel.set_xlabel("step")
    panel.grid(alpha=0.25)
