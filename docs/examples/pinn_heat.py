"""A physics-informed network: it solves the heat equation without being shown a solution.

The loss is how much the network breaks the law u_t = a u_xx inside the rod, and how far it is from
what is known at the beginning and at the ends; its derivatives come from `autograd.grad`.
M. Raissi, P. Perdikaris and G. E. Karniadakis, J. Comput. Phys. 378, 2019.
"""

from __future__ import annotations

import math

import torch
from common import GREY, ORANGE, Training, arguments, draw_losses, panels
from torch import Tensor, nn

SPREAD, INSIDE, EDGE = 0.1, 256, 64


class Rod(nn.Module):
    """The temperature at places between 0 and 1 and times between 0 and 1."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Return temperatures; factors of the first layer spread places and times around zero."""
        return self.layers(torch.cat([4 * x - 2, 4 * t - 2], dim=1))


def exact(x: Tensor, t: Tensor) -> Tensor:
    """Return the solution: two waves, the shorter of which dies out nine times as fast."""

    def wave(number: int) -> Tensor:
        decay = torch.exp(-SPREAD * (number * math.pi) ** 2 * t)
        return decay * torch.sin(number * math.pi * x)

    return wave(1) + 0.5 * wave(3)


def slope(y: Tensor, x: Tensor) -> Tensor:
    """Return the derivative of each row of *y* by its row of *x*, itself differentiable."""
    return torch.autograd.grad(y, x, torch.ones_like(y), create_graph=True)[0]


def broken_law(model: nn.Module) -> Tensor:
    """Return the mean square of u_t - a u_xx at random places and times."""
    x = torch.rand(INSIDE, 1, requires_grad=True)
    t = torch.rand(INSIDE, 1, requires_grad=True)
    u = model(x, t)
    return (slope(u, t) - SPREAD * slope(slope(u, x), x)).square().mean()


def broken_edges(model: nn.Module) -> Tensor:
    """Return how far the model is from the heat at the beginning and from zero at the ends."""
    x, t = torch.rand(EDGE, 1), torch.rand(EDGE, 1)
    zero = torch.zeros_like(x)
    beginning = model(x, zero) - exact(x, zero)
    ends = model(torch.bernoulli(torch.full_like(x, 0.5)), t)
    return beginning.square().mean() + ends.square().mean()


def main() -> None:
    """Solve, and compare with the exact solution."""
    options = arguments(__doc__, steps=1000)
    torch.manual_seed(options.seed)
    model = Rod()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    rate = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.05 ** (1 / options.steps))
    training = Training(options.steps)
    for _ in training:
        law, edges = broken_law(model), broken_edges(model)
        loss = law + 10 * edges
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
        training.report(loss.item(), law=law.item(), edges=edges.item())
    grid = torch.cartesian_prod(torch.linspace(0, 1, 101), torch.linspace(0, 1, 51))
    x, t = grid[:, :1], grid[:, 1:]
    with torch.no_grad():
        found, truth = model(x, t).view(101, 51), exact(x, t).view(101, 51)
    print(f"held-out error {((found - truth).norm() / truth.norm()).item():.4f}")
    if options.plot:
        draw(options.plot, training, found, truth)


def draw(filename: str, training: Training, found: Tensor, truth: Tensor) -> None:
    """Draw the losses, the heat over time, and profiles of it above the exact ones."""
    figure, (left, middle, right) = panels(3, "Loss", "Temperature", "Profiles, and exact (grey)")
    draw_losses(left, training)
    image = middle.imshow(
        found.tolist(), origin="lower", extent=(0, 1, 0, 1), aspect="auto", cmap="inferno"
    )
    figure.colorbar(image, ax=middle)
    middle.set_xlabel("time")
    middle.set_ylabel("place")
    places = torch.linspace(0, 1, 101).tolist()
    for column in (0, 5, 15, 30, 50):
        right.plot(places, truth[:, column].tolist(), color=GREY, linewidth=4, alpha=0.35)
        right.plot(places, found[:, column].tolist(), color=ORANGE, linewidth=1)
    right.set_xlabel("place")
    figure.savefig(filename)


if __name__ == "__main__":
    main()
