"""Every promise of tests/data is kept by PyTorch itself; and both give the same numbers."""

from __future__ import annotations

import inspect

import pytest
import torch
from promises import TESTS, load, promises

import chainrule as cr
import chainrule.utils.data

#: Promises in which chainrule goes beyond PyTorch on purpose, or that are its own, and why.
OURS_ALONE = {
    "test_processes": "about how chainrule ends its workers",
    "test_death_of_a_worker_is_told": "PyTorch's handler of SIGCHLD interrupts anything: "
    "its words differ by the moment, and at times it leaves a socket open",
}


globals().update(promises("data", OURS_ALONE))


# Side by side


@pytest.mark.parametrize(
    "make",
    [
        lambda t, d: [b.tolist() for b in d.DataLoader(range(10), 4, shuffle=True)],
        lambda t, d: [
            [b.tolist() for b in loader]
            for loader in [d.DataLoader(range(10), 3, True, generator=t.Generator().manual_seed(5))]
            for _ in range(3)
        ],
        lambda t, d: list(d.RandomSampler(range(5), True, 70)),
        lambda t, d: list(d.RandomSampler(range(5), False, 13)),
        lambda t, d: list(d.WeightedRandomSampler([0.1, 0.2, 0.7], 20)),
        lambda t, d: list(d.WeightedRandomSampler([0.1, 0.2, 0.7], 3, replacement=False)),
        lambda t, d: list(d.SubsetRandomSampler(range(3, 9))),
        lambda t, d: list(d.DistributedSampler(range(10), 3, 1, seed=3)),
        lambda t, d: [part.indices for part in d.random_split(range(10), [0.3, 0.7])],
    ],
)
def test_same_seed_gives_the_same_samples_and_leaves_the_same_state(make):
    found = []
    for library in (cr, torch):
        library.manual_seed(11)
        found.append((make(library, library.utils.data), library.rand(1).item()))

    assert found[0] == found[1]


def test_same_seed_gives_the_same_random_samples_in_workers():
    workers = load(TESTS / "data" / "test_workers.py")
    found = []
    for library in (cr, torch):
        library.manual_seed(0)
        loader = library.utils.data.DataLoader(
            workers.Facts(6, library), None, num_workers=2, collate_fn=workers.identity
        )
        found.append(list(loader))

    assert found[0] == found[1]


@pytest.mark.parametrize(
    "name",
    [n for n in cr.utils.data.__all__ if not n.startswith("_") and n != "random_split"],
)
def test_name_has_the_arguments_of_its_namesake(name):
    ours, theirs = (
        [
            (p.name, p.kind, p.default)
            for p in inspect.signature(getattr(library.utils.data, name)).parameters.values()
        ]
        for library in (cr, torch)
    )

    assert ours == theirs
