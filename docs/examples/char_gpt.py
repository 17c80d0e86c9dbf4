"""A small GPT that learns to write like Python's own manual, one character after the other.

The text is what `help("assignment")` and its like print: the topics of the standard library's
`pydoc_data`. Attention is causal, so that a character sees only those before it.
"""

from __future__ import annotations

from pydoc_data.topics import topics

import torch
import torch.nn.functional as F
from common import Training, arguments, draw_losses, panels
from torch import Tensor, nn

CONTEXT, WIDTH, HEADS, LAYERS, BATCH = 48, 64, 4, 2, 16
TEXT = "\n".join(topics[name] for name in sorted(topics))
ALPHABET = sorted(set(TEXT))


class Block(nn.Module):
    """Attention, then a small network, each added to what came in."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(batch, time, width)`` to the same."""
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))

    def attention(self, x: Tensor) -> Tensor:
        """Let each place look at itself and at those before it."""
        batch, time, width = x.shape
        heads = self.qkv(x).view(batch, time, 3, HEADS, width // HEADS)
        q, k, v = heads.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(mixed.transpose(1, 2).reshape(batch, time, width))


class GPT(nn.Module):
    """Characters in, scores of the next character out."""

    def __init__(self) -> None:
        super().__init__()
        self.characters = nn.Embedding(len(ALPHABET), WIDTH)
        self.places = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, len(ALPHABET), bias=False)

    def forward(self, text: Tensor) -> Tensor:
        """Map characters ``(batch, time)`` to scores ``(batch, time, alphabet)``."""
        x = self.characters(text) + self.places(torch.arange(text.size(1)))
        return self.head(self.norm(self.blocks(x)))


def batch_of(text: Tensor) -> tuple[Tensor, Tensor]:
    """Return passages of *text*, and the same passages one character later."""
    starts = torch.randint(len(text) - CONTEXT, (BATCH,)).tolist()
    windows = torch.stack([text[start : start + CONTEXT + 1] for start in starts])
    return windows[:, :-1], windows[:, 1:]


@torch.no_grad()
def write(model: GPT, begin: str, length: int) -> str:
    """Go on after *begin* for *length* characters."""
    text = torch.tensor([[ALPHABET.index(character) for character in begin]])
    for _ in range(length):
        likely = F.softmax(model(text[:, -CONTEXT:])[:, -1] / 0.8, dim=-1)
        text = torch.cat([text, torch.multinomial(likely, 1)], dim=1)
    return "".join(ALPHABET[index] for index in text[0].tolist())


def main() -> None:
    """Train, and let the model write."""
    options = arguments(__doc__, steps=300)
    torch.manual_seed(options.seed)
    numbers = {character: index for index, character in enumerate(ALPHABET)}
    text = torch.tensor([numbers[character] for character in TEXT[:200_000]])
    model = GPT()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.steps, eta_min=3e-4)
    training = Training(options.steps)
    for _ in training:
        now, later = batch_of(text)
        loss = F.cross_entropy(model(now).flatten(0, 1), later.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rate.step()
        training.report(loss.item())
    model.eval()
    print(write(model, "The ", min(options.steps, 200)))
    if options.plot:
        draw(options.plot, training, model.places.weight.detach())


def draw(filename: str, training: Training, places: Tensor) -> None:
    """Draw the losses, and how alike the model finds two places of a passage."""
    figure, (left, right) = panels(2, "Loss (nats per character)", "Likeness of places")
    draw_losses(left, training, "linear")
    unit = F.normalize(places, dim=1)
    image = right.imshow((unit @ unit.T).tolist(), cmap="RdBu_r", vmin=-1, vmax=1)
    figure.colorbar(image, ax=right, shrink=0.8)
    figure.savefig(filename)


if __name__ == "__main__":
    main()
