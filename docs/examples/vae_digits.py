"""A variational autoencoder that lays handwritten digits out on a plane.

An encoder gives each image a normal distribution over two numbers, a decoder draws an image from
two numbers; both learn to raise a lower bound of the images' likelihood.
D. P. Kingma and M. Welling, Auto-Encoding Variational Bayes, 2014, arXiv:1312.6114.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from common import Training, arguments, draw_losses, panels
from torch import Tensor, nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from chainrule.datasets import load_digits

LATENT, HIDDEN, BATCH = 2, 64, 128


class VAE(nn.Module):
    """An encoder, a decoder, and the prior between them."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(64, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, 2 * LATENT)
        )
        self.decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, 64))

    def encode(self, images: Tensor) -> Independent:
        """Return the distribution of the two numbers of each image."""
        mean, log_std = self.encoder(images).chunk(2, dim=-1)
        return Independent(Normal(mean, log_std.exp()), 1)

    def decode(self, latent: Tensor) -> Independent:
        """Return the distribution of the images that the numbers stand for."""
        ink = Bernoulli(logits=self.decoder(latent), validate_args=False)  # grey is between 0 and 1
        return Independent(ink, 1, validate_args=False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the images cost given their numbers, and what the numbers cost."""
        posterior = self.encode(images)
        prior = Independent(Normal(torch.zeros(LATENT), torch.ones(LATENT)), 1)
        cost = -self.decode(posterior.rsample()).log_prob(images)
        return cost.mean(), kl_divergence(posterior, prior.expand(posterior.batch_shape)).mean()


def main() -> None:
    """Train, and show the plane."""
    options = arguments(__doc__, steps=600)
    torch.manual_seed(options.seed)
    data = load_digits()
    images = torch.frombuffer(bytearray(data.images), dtype=torch.uint8).view(-1, 64) / 16
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    training = Training(options.steps)
    for _ in training:
        batch = images[torch.randint(len(images), (BATCH,))]
        cost, divergence = model(batch)
        loss = cost + divergence
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        training.report(loss.item(), images=cost.item(), numbers=divergence.item())
    if options.plot:
        draw(options.plot, training, model, images, list(data.labels))


@torch.no_grad()
def draw(filename: str, training: Training, model: VAE, images: Tensor, labels: list[int]) -> None:
    """Draw the losses, where the images lie, and what the decoder sees across the plane."""
    figure, (left, middle, right) = panels(
        3, "Lower bound (negative, nats)", "Where the images lie", "What lies between"
    )
    draw_losses(left, training, "linear")
    places = model.encode(images).mean
    dots = middle.scatter(places[:, 0].tolist(), places[:, 1].tolist(), c=labels, cmap="tab10", s=6)
    figure.colorbar(dots, ax=middle, ticks=range(10))
    line = Normal(0.0, 1.0).icdf(torch.linspace(0.03, 0.97, 12))
    plane = torch.cartesian_prod(-line, line).flip(1)  # rows from the top, columns from the left
    drawn = F.pad(model.decode(plane).mean.view(12, 12, 8, 8), (1, 1, 1, 1))
    right.imshow(drawn.transpose(1, 2).reshape(120, 120).tolist(), cmap="Greys")
    right.axis("off")
    figure.savefig(filename)


if __name__ == "__main__":
    main()
