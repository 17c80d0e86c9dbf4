"""A small convolutional network that reads handwritten digits.

The 1797 images of 8×8 pixels come with chainrule (see `chainrule.datasets`). Every fifth image is
held out; the accuracy on those is printed at the end.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from common import BLUE, RED, Training, arguments, draw_losses, panels
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from chainrule.datasets import load_digits


def digits() -> tuple[TensorDataset, TensorDataset]:
    """Return the images to learn from and those held out."""
    data = load_digits()
    images = torch.frombuffer(bytearray(data.images), dtype=torch.uint8).view(-1, 1, 8, 8) / 16
    labels = torch.frombuffer(bytearray(data.labels), dtype=torch.uint8).long()
    held_out = torch.arange(len(labels)) % 5 == 0
    return (
        TensorDataset(images[~held_out], labels[~held_out]),
        TensorDataset(images[held_out], labels[held_out]),
    )


def network() -> nn.Sequential:
    """Return two stages of convolution, each halving the image, and a reader of what is left."""
    return nn.Sequential(
        *stage(1, 16), *stage(16, 32), nn.Flatten(), nn.Dropout(0.2), nn.Linear(32 * 2 * 2, 10)
    )


def stage(channels: int, out: int) -> tuple[nn.Module, ...]:
    """Return a convolution, a normalization, a kink, and what halves the image.

    A bias before a normalization would be subtracted again, so that there is none.
    """
    convolution = nn.Conv2d(channels, out, 3, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(out), nn.ReLU(), nn.MaxPool2d(2)


def forever(loader: DataLoader) -> Iterator[tuple[Tensor, Tensor]]:
    """Go through the batches again and again, shuffled anew each time."""
    while True:
        yield from loader


@torch.no_grad()
def answers(model: nn.Module, images: Tensor) -> Tensor:
    """Return the digits that *model* reads."""
    model.eval()
    return model(images).argmax(dim=1)


def main() -> None:
    """Train, and read what was held out."""
    options = arguments(__doc__, steps=200)
    torch.manual_seed(options.seed)
    train, test = digits()
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    batches = forever(DataLoader(train, batch_size=64, shuffle=True))
    training = Training(options.steps)
    for _ in training:
        images, labels = next(batches)
        loss = F.cross_entropy(model(images), labels, label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        training.report(loss.item())
    images, labels = test.tensors
    read = answers(model, images)
    print(f"held-out accuracy {(read == labels).float().mean().item():.4f}")
    if options.plot:
        draw(options.plot, training, images, labels, read)


def draw(filename: str, training: Training, images: Tensor, labels: Tensor, read: Tensor) -> None:
    """Draw the losses, and images with what was read: those read wrong come first."""
    figure, (left, right) = panels(2, "Loss", "Held-out digits: what was read (wrong in red)")
    draw_losses(left, training)
    right.axis("off")
    order = (read == labels).int().argsort(stable=True)[:24].tolist()
    for place, index in enumerate(order):
        cell = right.inset_axes((place % 6 / 6, 0.76 - place // 6 / 4, 0.15, 0.19))
        cell.imshow(images[index, 0].tolist(), cmap="Greys")
        color = BLUE if read[index] == labels[index] else RED
        cell.set_title(str(read[index].item()), color=color, fontsize=9, pad=1)
        cell.set_xticks([])
        cell.set_yticks([])
    figure.savefig(filename)


if __name__ == "__main__":
    main()
