"""A whole program, from data to the average of weights: both libraries print the same numbers."""

from __future__ import annotations

import pytest
import torch

import chainrule as cr
import chainrule.utils.data

TEXT = "the quick brown fox jumps over the lazy dog. " * 20


def characters(library):
    """Return a dataset of pieces of a text, and how many characters there are."""
    alphabet = sorted(set(TEXT))
    numbers = [alphabet.index(character) for character in TEXT]

    class Pieces(library.utils.data.Dataset):
        def __len__(self):
            return len(numbers) - 17

        def __getitem__(self, index):
            return (
                library.tensor(numbers[index : index + 16]),
                library.tensor(numbers[index + 1 : index + 17]),
            )

    return Pieces(), len(alphabet)


def language_model(library, count):
    nn = library.nn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(count, 16)
            self.rnn = nn.LSTM(16, 32, 2, batch_first=True, dropout=0.1)
            self.head = nn.Linear(32, count)

        def forward(self, x):
            return self.head(self.rnn(self.embedding(x))[0]).flatten(0, 1)

    return Model()


def program(library, make, workers):
    library.manual_seed(0)
    dataset, count = characters(library)
    data, swa = library.utils.data, library.optim.swa_utils
    train, test = data.random_split(dataset, [0.9, 0.1])
    loader = data.DataLoader(train, 32, shuffle=True, num_workers=workers, drop_last=True)
    model = language_model(library, count)
    optimizer = make(library.optim, model.parameters())
    scheduler = library.optim.lr_scheduler.CosineAnnealingLR(optimizer, 30)
    averaged = swa.AveragedModel(model, multi_avg_fn=swa.get_ema_multi_avg_fn(0.9))
    loss_of, found = library.nn.CrossEntropyLoss(), []
    for x, y in loader:
        optimizer.zero_grad()
        loss = loss_of(model(x), y.flatten())
        loss.backward()
        norm = library.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        averaged.update_parameters(model)
        found.append((loss.item(), norm.item()))
    model.eval()
    averaged.eval()
    with library.no_grad():
        for x, y in data.DataLoader(test, 32):
            found.append([loss_of(m(x), y.flatten()).item() for m in (model, averaged)])
    return found


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "make",
    [
        lambda o, p: o.RMSprop(p, 3e-3),
        lambda o, p: o.NAdam(p, 3e-3, weight_decay=1e-2, decoupled_weight_decay=True),
    ],
)
def test_language_model_is_trained_to_the_same_numbers(make, workers):
    ours, theirs = program(cr, make, workers), program(torch, make, 0)

    assert len(ours) == len(theirs) > 20
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, rel=1e-3)
