"""An LSTM that continues sine waves which it has never seen.

It learns to tell the next value from those before it; then it is fed its own answers, and so
continues a wave of a frequency that it finds out from the beginning.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from common import BLUE, GREY, ORANGE, Training, arguments, draw_losses, panels
from torch import Tensor, nn

WAVES, LENGTH, GIVEN = 32, 60, 40


class Continuer(nn.Module):
    """An LSTM, and a line that reads the next value from its state."""

    def __init__(self, hidden: int = 32) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.read = nn.Linear(hidden, 1)

    def forward(
        self, waves: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map values ``(batch, time)`` to the next values, and tell the state they left."""
        hidden, state = self.lstm(waves.unsqueeze(-1), state)
        return waves + self.read(hidden).squeeze(-1), state

    @torch.no_grad()
    def go_on(self, waves: Tensor, count: int) -> Tensor:
        """Return the *count* values that follow, each made from those before it."""
        values, state = self(waves)
        found = [values[:, -1:]]
        for _ in range(count - 1):
            value, state = self(found[-1], state)
            found.append(value)
        return torch.cat(found, dim=1)


def sines(count: int) -> Tensor:
    """Return *count* waves of *LENGTH* values, each of its own frequency and phase."""
    frequency = torch.empty(count, 1).uniform_(0.15, 0.4)
    phase = torch.empty(count, 1).uniform_(0, 2 * math.pi)
    return torch.sin(frequency * torch.arange(LENGTH) + phase)


def main() -> None:
    """Train, and continue new waves."""
    options = arguments(__doc__, steps=300)
    torch.manual_seed(options.seed)
    model = Continuer()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.steps, eta_min=1e-3)
    training = Training(options.steps)
    for _ in training:
        waves = sines(WAVES)
        next_values, _ = model(waves[:, :-1])
        loss = F.mse_loss(next_values, waves[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rate.step()
        training.report(loss.item())
    waves = sines(3)
    continued = model.go_on(waves[:, :GIVEN], LENGTH - GIVEN)
    error = F.mse_loss(continued, waves[:, GIVEN:]).sqrt()
    print(f"held-out error {error.item():.4f}")
    if options.plot:
        draw(options.plot, training, waves, continued)


def draw(filename: str, training: Training, waves: Tensor, continued: Tensor) -> None:
    """Draw the losses, and the continued waves above the true ones."""
    figure, (left, right) = panels(2, "Mean squared error", "Three waves, continued (orange)")
    draw_losses(left, training)
    for row, (wave, guess) in enumerate(zip(waves, continued, strict=True)):
        right.plot((wave - 3 * row).tolist(), color=GREY, linewidth=3, alpha=0.35)
        right.plot((wave[:GIVEN] - 3 * row).tolist(), color=BLUE)
        right.plot(range(GIVEN, LENGTH), (guess - 3 * row).tolist(), color=ORANGE)
    right.set_yticks([])
    right.set_xlabel("time")
    figure.savefig(filename)


if __name__ == "__main__":
    main()
