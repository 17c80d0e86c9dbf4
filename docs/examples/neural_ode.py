"""A neural differential equation that learns the law behind a spiral.

The network says how fast the state moves; a Runge-Kutta solver follows it. Gradients come from the
adjoint equation, solved backwards in time, so that no step of the way forth need be kept.
R. T. Q. Chen and others, Neural Ordinary Differential Equations, 2018, arXiv:1806.07366.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from common import GREY, ORANGE, Training, arguments, draw_losses, panels
from torch import Tensor, nn

TICK, TICKS, PATHS, PIECES, TOGETHER = 0.05, 120, 12, 64, 10

State = tuple[Tensor, ...]


def runge_kutta(law: Callable[[State], State], state: State, tick: float) -> State:
    """Follow *law* for one tick, with the classical method of fourth order."""

    def moved(by: State, size: float) -> State:
        return tuple(part + size * change for part, change in zip(state, by, strict=True))

    k1 = law(state)
    k2 = law(moved(k1, tick / 2))
    k3 = law(moved(k2, tick / 2))
    k4 = law(moved(k3, tick))
    mean = tuple((a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(k1, k2, k3, k4, strict=True))
    return moved(mean, tick)


class Adjoint(torch.autograd.Function):
    """Where a state is after each of some ticks; backward solves the adjoint equation."""

    @staticmethod
    def forward(ctx: Any, field: nn.Module, ticks: int, y: Tensor, *weights: Tensor) -> Tensor:
        """Return states ``(ticks, batch, 2)``."""
        path = [y]
        for _ in range(ticks):
            path += runge_kutta(lambda state: (field(state[0]),), (path[-1],), TICK)
        ctx.field = field
        ctx.save_for_backward(torch.stack(path), *weights)
        return torch.stack(path[1:])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        """Go back tick by tick; at each, the gradient of the state there comes in."""
        path, *weights = ctx.saved_tensors

        def law(state: State) -> State:
            with torch.enable_grad():
                y = state[0].detach().requires_grad_()
                speed = ctx.field(y)
            pulled = torch.autograd.grad(speed, [y, *weights], state[1])
            return speed.detach(), *(-part for part in pulled)

        slope, sums = torch.zeros_like(path[0]), tuple(map(torch.zeros_like, weights))
        for y, incoming in zip(path[1:].flip(0), grad.flip(0), strict=True):
            _, slope, *sums = runge_kutta(law, (y, slope + incoming, *sums), -TICK)
        return None, None, slope, *sums


def spiral(y: Tensor) -> Tensor:
    """Return the speed by the true law."""
    return y**3 @ torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])


def true_paths(start: Tensor) -> Tensor:
    """Return states ``(ticks + 1, batch, 2)`` that follow the true law."""
    path = [start]
    for _ in range(TICKS):
        path += runge_kutta(lambda state: (spiral(state[0]),), (path[-1],), TICK)
    return torch.stack(path)


class Cubes(nn.Module):
    """What the network is told of the law: that it is one of cubes (as the authors' example is)."""

    def forward(self, y: Tensor) -> Tensor:
        """Return each number's cube."""
        return y**3


def pieces_of(paths: Tensor) -> Tensor:
    """Return pieces ``(TOGETHER + 1, PIECES, 2)`` that begin at random places of random paths."""
    starts = torch.randint(TICKS - TOGETHER, (PIECES,))
    times = starts + torch.arange(TOGETHER + 1).unsqueeze(1)
    return paths[times, torch.randint(PATHS, (PIECES,))]


def main() -> None:
    """Learn from short pieces of paths."""
    options = arguments(__doc__, steps=200)
    torch.manual_seed(options.seed)
    paths = true_paths(torch.empty(PATHS, 2).uniform_(-1.5, 1.5))
    field = nn.Sequential(Cubes(), nn.Linear(2, 50), nn.Tanh(), nn.Linear(50, 2))
    optimizer = torch.optim.Adam(field.parameters(), lr=2e-2)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.steps, eta_min=1e-3)
    training = Training(options.steps)
    for _ in training:
        piece = pieces_of(paths)
        found = Adjoint.apply(field, TOGETHER, piece[0], *field.parameters())
        loss = (found - piece[1:]).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
        training.report(loss.item())
    if options.plot:
        draw(options.plot, training, field, paths)


@torch.no_grad()
def draw(filename: str, training: Training, field: nn.Module, paths: Tensor) -> None:
    """Draw the losses, and three paths with what the network makes of their beginnings."""
    figure, (left, right) = panels(2, "Mean distance", "True paths, and learned ones (orange)")
    draw_losses(left, training)
    learned = Adjoint.apply(field, TICKS, paths[0], *field.parameters())
    for index in range(3):
        right.plot(*paths[:, index].T.tolist(), color=GREY, linewidth=3, alpha=0.4)
        right.plot(*learned[:, index].T.tolist(), color=ORANGE, linewidth=1)
    figure.savefig(filename)


if __name__ == "__main__":
    main()
