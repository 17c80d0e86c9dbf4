"""A Kalman filter that finds out how noisy its world is.

A body moves in the plane, pushed about at random, and is seen through noise. The filter follows
it; how strong the pushes and the noise are is learned by raising the likelihood of what was seen,
with gradients through all steps of the filter.
R. E. Kalman, A New Approach to Linear Filtering and Prediction Problems, 1960.
"""

from __future__ import annotations

import math

import torch
from common import BLUE, GREY, ORANGE, RED, Training, arguments, draw_losses, panels
from torch import Tensor, nn

TIMES, PATHS, PUSH, NOISE = 40, 8, 0.3, 1.0
MOVE = torch.tensor([[1.0, 1.0], [0.0, 1.0]], dtype=torch.float64)  # place += speed
GAIN = torch.tensor([[0.5], [1.0]], dtype=torch.float64)  # what a push adds to place and speed
SEE = torch.tensor([[1.0, 0.0]], dtype=torch.float64)  # the place is seen


class Filter(nn.Module):
    """Follows bodies whose two coordinates move alike; knows the logarithms of two deviations."""

    def __init__(self) -> None:
        super().__init__()
        self.log_push = nn.Parameter(torch.zeros((), dtype=torch.float64))
        self.log_noise = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Map places ``(time, path, 2)`` to estimates of the same and their mean likelihood."""
        push = (2 * self.log_push).exp() * GAIN @ GAIN.T
        noise = (2 * self.log_noise).exp().view(1, 1)
        state = torch.zeros(2, seen[0].numel(), dtype=torch.float64)
        spread = 10 * torch.eye(2, dtype=torch.float64)
        places, likely = [], []
        for place in seen:
            state, spread = MOVE @ state, MOVE @ spread @ MOVE.T + push
            expected = SEE @ spread @ SEE.T + noise
            surprise = place.reshape(1, -1) - SEE @ state
            gain = torch.linalg.solve(expected, SEE @ spread).T
            state, spread = state + gain @ surprise, spread - gain @ SEE @ spread
            likely.append(surprise.square() / expected + torch.logdet(2 * math.pi * expected))
            places.append(state[0].view_as(place))
        return torch.stack(places), -0.5 * torch.stack(likely).mean()


def world() -> tuple[Tensor, Tensor]:
    """Return true places and seen ones, ``(time, path, 2)`` each."""
    pushes = PUSH * torch.randn(TIMES, PATHS, 2, dtype=torch.float64)
    speed = pushes.cumsum(0)
    true = (speed - 0.5 * pushes).cumsum(0)
    return true, true + NOISE * torch.randn(TIMES, PATHS, 2, dtype=torch.float64)


def main() -> None:
    """Learn the deviations, and say how much the filter helps."""
    options = arguments(__doc__, steps=80)
    torch.manual_seed(options.seed)
    true, seen = world()
    model = Filter()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    training, course = Training(options.steps), []
    for _ in training:
        loss = -model(seen)[1]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        course.append((model.log_push.exp().item(), model.log_noise.exp().item()))
        training.report(loss.item(), push=course[-1][0], noise=course[-1][1])
    found = model(seen)[0].detach()
    before, after = ((places - true).square().mean().sqrt() for places in (seen, found))
    print(f"held-out error {before.item():.4f} as seen, {after.item():.4f} filtered")
    if options.plot:
        draw(options.plot, training, course, true, seen, found)


def draw(
    filename: str, training: Training, course: list[tuple[float, float]], true: Tensor,
    seen: Tensor, found: Tensor,
) -> None:  # fmt: skip
    """Draw the losses, how the deviations were found, and one path."""
    figure, (left, middle, right) = panels(
        3, "Negative log-likelihood", "Deviations (dashed: true)", "A path: true, seen, filtered"
    )
    draw_losses(left, training, "linear")
    for values, truth, color in zip(zip(*course, strict=True), (PUSH, NOISE), (BLUE, RED),
                                    strict=True):  # fmt: skip
        middle.plot(values, color=color)
        middle.axhline(truth, color=color, linestyle="--", linewidth=0.8)
    middle.set_xlabel("step")
    right.plot(*true[:, 0].T.tolist(), color=GREY, linewidth=3, alpha=0.4)
    right.scatter(*seen[:, 0].T.tolist(), color=BLUE, s=8)
    right.plot(*found[:, 0].T.tolist(), color=ORANGE)
    figure.savefig(filename)


if __name__ == "__main__":
    main()
