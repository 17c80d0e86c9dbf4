"""Profiles beside PyTorch's: schedules, the names of nodes, how often each ran."""

from __future__ import annotations

import itertools

import pytest
import torch

import chainrule as cr


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_schedules_are_those_of_pytorch():
    for wait, warmup, active, repeat, skip in itertools.product(
        (0, 2), (0, 1), (1, 3), (0, 2), (0, 3)
    ):
        options = {"wait": wait, "warmup": warmup, "active": active, "repeat": repeat,
                   "skip_first": skip}  # fmt: skip
        ours, theirs = (m.profiler.schedule(**options) for m in (cr, torch))
        assert [ours(n).name for n in range(20)] == [theirs(n).name for n in range(20)], options


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_nodes_are_counted_as_by_pytorch():
    def nodes(m):
        x = m.ones(3, 2, requires_grad=True)
        w = m.ones(2, requires_grad=True)
        with m.profiler.profile() as prof:
            ((x * w).exp().sum(0) - w).relu().mean().backward()
        return {
            event.key: event.count
            for event in prof.key_averages()
            if event.key.endswith("Backward0") or event.key.endswith("AccumulateGrad")
        }

    assert nodes(cr) == nodes(torch)
