"""The main job: a small network learns to read handwritten digits. `chainrule demo` runs it.

The five stages of training, in the words of any PyTorch program: define the architecture, forward,
loss, backward, update. It ends in a model that reads at least 97 of 100 digits it never saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import chainrule as cr
from chainrule import nn, optim
from chainrule.datasets import load_digits

if TYPE_CHECKING:
    from chainrule import Tensor

PIXELS, HIDDEN, DIGITS = 64, (128, 64), 10
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Data:
    """Images ``(N, 64)`` of pixels from 0 to 16, labels ``(N,)``; some are held out."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


@dataclass(frozen=True)
class Epoch:
    """What one round over the training part came to."""

    number: int
    loss: float
    train_accuracy: float
    test_accuracy: float


class DigitReader(nn.Module):
    """A multilayer perceptron over pixels. It brings each pixel to mean 0 and deviation 1 itself.

    Args:
        images: What to take the mean and the deviation of each pixel from.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        deviation = images.std(0)
        # A pixel that is never inked has deviation 0: leave it as it is.
        self.register_buffer("mean", images.mean(0))
        self.register_buffer("deviation", cr.where(deviation > 0, deviation, 1.0))
        self.layers = nn.Sequential(
            nn.Linear(PIXELS, HIDDEN[0]),
            nn.ReLU(),
            nn.Linear(HIDDEN[0], HIDDEN[1]),
            nn.ReLU(),
            nn.Linear(HIDDEN[1], DIGITS),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return a score per digit, ``(N, 10)``: the highest is the model's answer."""
        scores: Tensor = self.layers((images - self.mean) / self.deviation)
        return scores


def load_data() -> Data:
    """Return the digits, of which a fifth of each kind, picked at random, is held out."""
    digits = load_digits()
    images = cr.frombuffer(bytearray(digits.images), dtype=cr.uint8).view(-1, PIXELS).float()
    labels = cr.frombuffer(bytearray(digits.labels), dtype=cr.uint8).long()
    train, test = [], []
    for digit in range(DIGITS):
        (indices,) = cr.where(labels == digit)
        shuffled = indices[cr.randperm(len(indices))]
        held_out = round(TEST_SHARE * len(indices))
        test.append(shuffled[:held_out])
        train.append(shuffled[held_out:])
    learn, hold = cr.cat(train), cr.cat(test)
    return Data(images[learn], labels[learn], images[hold], labels[hold])


def batches(images: Tensor, labels: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all images and labels in random order, *size* at a time."""
    for indices in cr.randperm(len(images)).split(size):
        yield images[indices], labels[indices]


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of *images* that *model* reads as their *labels* say."""
    with cr.no_grad():
        answers = model(images).argmax(dim=1)
    return int((answers == labels).sum()) / len(labels)


def train(
    model: DigitReader,
    data: Data,
    *,
    epochs: int,
    batch_size: int,
    lr: float,
    after_batch: Callable[[], object] = lambda: None,
) -> Iterator[Epoch]:
    """Train *model* in place; yield what each epoch came to.

    Stage 1, defining the architecture, is `DigitReader`.
    """
    device = model.mean.device
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = optim.Adam(trainable, lr=lr)
    for number in range(1, epochs + 1):
        total = 0.0
        for images, labels in batches(data.train_images, data.train_labels, batch_size):
            scores = model(images.to(device))  # 2. forward
            loss = nn.functional.cross_entropy(scores, labels.to(device))  # 3. loss
            optimizer.zero_grad()
            loss.backward()  # 4. backward: the gradient of each weight
            optimizer.step()  # 5. update, by the learning rate
            total += loss.item() * len(images)
            after_batch()
        yield Epoch(
            number,
            loss=total / len(data.train_images),
            train_accuracy=accuracy(
                model, data.train_images.to(device), data.train_labels.to(device)
            ),
            test_accuracy=accuracy(model, data.test_images.to(device), data.test_labels.to(device)),
        )


# Freezing


def freeze(module: nn.Module) -> None:
    """Take *module* out of training: its parameters get no gradient and no update."""
    for parameter in module.parameters():
        parameter.requires_grad_(False)


def bytes_kept(model: DigitReader, images: Tensor, labels: Tensor) -> int:
    """Return how many bytes a forward pass keeps for backward, beside the model's own weights.

    Every node of the graph shows what it keeps under names that begin with ``_saved_``.
    """
    loss = nn.functional.cross_entropy(model(images), labels)
    kept = {tensor.data_ptr(): tensor.nbytes for tensor in _saved_tensors(loss)}
    for parameter in model.parameters():
        kept.pop(parameter.data_ptr(), None)  # the model holds it anyway
    return sum(kept.values())


def _saved_tensors(root: Tensor) -> Iterator[Tensor]:
    """Yield what the nodes of the graph behind *root* have saved."""
    waiting, seen = [root.grad_fn], set[object]()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        saved = [getattr(node, name) for name in dir(node) if name.startswith("_saved_")]
        yield from (item for item in saved if isinstance(item, cr.Tensor))
        waiting.extend(following for following, _ in node.next_functions)
