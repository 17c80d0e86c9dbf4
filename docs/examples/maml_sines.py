"""Model-agnostic meta-learning: a beginning from which one gradient step learns a sine.

The inner step is a gradient, and the outer loss is differentiated through it; `vmap` takes all
tasks at once. C. Finn, P. Abbeel and S. Levine, 2017, arXiv:1703.03400, section 5.1.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from common import BLUE, GREY, ORANGE, Training, arguments, draw_losses, panels
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

TASKS, SHOTS, INNER_RATE = 16, 10, 0.02

model = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
Weights = dict[str, Tensor]


def loss_of(weights: Weights, x: Tensor, y: Tensor) -> Tensor:
    """Return the mean squared error of the model with *weights*."""
    return F.mse_loss(functional_call(model, weights, (x,)), y)


def adapted(weights: Weights, x: Tensor, y: Tensor, steps: int = 1) -> Weights:
    """Return *weights* after gradient steps on the few points of a task."""
    for _ in range(steps):
        slopes = grad(loss_of)(weights, x, y)
        weights = {name: weights[name] - INNER_RATE * slopes[name] for name in weights}
    return weights


def loss_of_task(weights: Weights, x: Tensor, y: Tensor) -> Tensor:
    """Learn from the first half of a task's points; return the loss on the others."""
    return loss_of(adapted(weights, x[:SHOTS], y[:SHOTS]), x[SHOTS:], y[SHOTS:])


def tasks(count: int, points: int) -> tuple[Tensor, Tensor]:
    """Return points ``(count, points, 1)`` of sines, each of its own height and phase."""
    height = torch.empty(count, 1, 1).uniform_(0.1, 5.0)
    phase = torch.empty(count, 1, 1).uniform_(0, math.pi)
    x = torch.empty(count, points, 1).uniform_(-5, 5)
    return x, height * torch.sin(x + phase)


def main() -> None:
    """Learn to learn."""
    options = arguments(__doc__, steps=300)
    torch.manual_seed(options.seed)
    for layer in model[::2]:  # made at import, before the seed was known
        layer.reset_parameters()
    weights = dict(model.named_parameters())
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    training = Training(options.steps)
    for _ in training:
        x, y = tasks(TASKS, 2 * SHOTS)
        loss = vmap(loss_of_task, in_dims=(None, 0, 0))(weights, x, y).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        training.report(loss.item())
    if options.plot:
        draw(options.plot, training, {name: weight.detach() for name, weight in weights.items()})


def draw(filename: str, training: Training, weights: Weights) -> None:
    """Draw the losses, and what the model makes of a new sine before and after a few steps."""
    figure, (left, right) = panels(2, "Loss after one step, over tasks", "A new sine, ten points")
    draw_losses(left, training)
    x, y = tasks(1, 200)
    few = (x[0, :SHOTS], y[0, :SHOTS])
    order = x[0, :, 0].argsort()
    line = x[0][order]
    right.plot(line.flatten().tolist(), y[0, order, 0].tolist(), color=GREY, linewidth=3, alpha=0.4)
    right.scatter(*(part.flatten().tolist() for part in few), color=GREY, zorder=3)
    for steps, color in ((0, "#bbbbbb"), (1, BLUE), (10, ORANGE)):
        guess = functional_call(model, adapted(weights, *few, steps), (line,)).flatten()
        label = f"after {steps} step{'s' * (steps != 1)}"
        right.plot(line.flatten().tolist(), guess.tolist(), color=color, label=label)
    right.legend(frameon=False, fontsize=8)
    figure.savefig(filename)


if __name__ == "__main__":
    main()
