"""A policy gradient that learns to balance a pole on a cart.

Many carts drive at once; a push left or right is drawn from the policy, and made more likely by
what was earned after it (REINFORCE: R. J. Williams, Machine Learning 8, 1992). The cart and its
pole move as in A. G. Barto, R. S. Sutton and C. W. Anderson, IEEE Trans. SMC 13, 1983.
"""

from __future__ import annotations

import torch
from common import BLUE, GREY, Training, arguments, panels
from torch import Tensor, nn
from torch.distributions import Categorical

CARTS, LONGEST, DISCOUNT = 16, 100, 0.98


class CartPoles:
    """Carts on a rail: place, speed, angle of the pole and its speed, one row each."""

    gravity, cart, pole, half_length, force, tick = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02

    def __init__(self) -> None:
        self.state = torch.empty(CARTS, 4).uniform_(-0.05, 0.05)

    def push(self, right: Tensor) -> Tensor:
        """Push each cart; return which poles still stand."""
        _, speed, angle, turn = self.state.unbind(1)
        mass = self.cart + self.pole
        force = self.force * (2.0 * right - 1.0)
        pushed = (force + self.pole * self.half_length * turn**2 * angle.sin()) / mass
        fall = (self.gravity * angle.sin() - angle.cos() * pushed) / (
            self.half_length * (4 / 3 - self.pole * angle.cos() ** 2 / mass)
        )
        gain = pushed - self.pole * self.half_length * fall * angle.cos() / mass
        self.state = self.state + self.tick * torch.stack([speed, gain, turn, fall], dim=1)
        return (self.state[:, 0].abs() < 2.4) & (self.state[:, 2].abs() < 0.21)


def drive(policy: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
    """Let all carts drive until each pole fell; return log-probabilities, entropies and rewards."""
    carts, standing = CartPoles(), torch.ones(CARTS, dtype=torch.bool)
    likely, entropies, rewards = [], [], []
    while standing.any() and len(rewards) < LONGEST:
        choice = Categorical(logits=policy(carts.state))
        right = choice.sample()
        likely.append(choice.log_prob(right))
        entropies.append(choice.entropy())
        rewards.append(standing.float())
        standing = standing & carts.push(right)
    return torch.stack(likely), torch.stack(entropies), torch.stack(rewards)


def earned_later(rewards: Tensor) -> Tensor:
    """Return the discounted sum of what came from each time on."""
    later, sums = torch.zeros(CARTS), []
    for reward in rewards.flip(0):
        later = reward + DISCOUNT * later
        sums.append(later)
    return torch.stack(sums[::-1])


def main() -> None:
    """Train until the poles stand."""
    options = arguments(__doc__, steps=40)
    torch.manual_seed(options.seed)
    policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(policy.parameters(), lr=2e-2)
    training, lengths = Training(options.steps), []
    for _ in training:
        likely, entropies, rewards = drive(policy)
        gained, there = earned_later(rewards), rewards.bool()
        advantage = (gained - gained[there].mean()) / (gained[there].std() + 1e-6)
        loss = -(likely * advantage + 0.01 * entropies)[there].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        lengths.append(rewards.sum(0))
        training.report(loss.item(), stood=lengths[-1].mean().item())
    if options.plot:
        draw(options.plot, lengths, policy)


@torch.no_grad()
def draw(filename: str, lengths: list[Tensor], policy: nn.Module) -> None:
    """Draw how long the poles stood, and where the policy pushes."""
    figure, (left, right) = panels(2, "Ticks that the poles stood", "Probability to push right")
    for step, length in enumerate(lengths, start=1):
        left.scatter([step] * CARTS, length.tolist(), color=GREY, s=4, alpha=0.5)
    left.plot(range(1, len(lengths) + 1), [length.mean().item() for length in lengths], color=BLUE)
    left.set_xlabel("step")
    angle, turn = torch.meshgrid(
        torch.linspace(-0.2, 0.2, 50), torch.linspace(-1.5, 1.5, 50), indexing="xy"
    )
    states = torch.stack([torch.zeros_like(angle), torch.zeros_like(angle), angle, turn], dim=-1)
    pushes = policy(states).softmax(dim=-1)[..., 1]
    image = right.contourf(angle.tolist(), turn.tolist(), pushes.tolist(), 20, cmap="RdBu_r")
    figure.colorbar(image, ax=right, ticks=[0, 0.5, 1])
    right.set_xlabel("angle of the pole")
    right.set_ylabel("its speed")
    figure.savefig(filename)


if __name__ == "__main__":
    main()
