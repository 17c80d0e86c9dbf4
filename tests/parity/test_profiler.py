"""Profiles beside PyTorch's: schedules, the names of nodes, how often each ran."""

from __future__ import annotations

import itertools
import re

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


ATTRIBUTES = [
    "cpu_time_str", "cpu_time_total_str", "self_cpu_time_total_str", "device_time",
    "device_time_total", "self_device_time_total", "device_memory_usage",
    "self_device_memory_usage", "flops", "is_async", "is_remote",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", ATTRIBUTES)
def test_events_have_the_attributes_of_pytorchs(name):
    kinds = []
    for m in (cr, torch):
        with m.profiler.profile() as prof:
            m.ones(2) + 1
        averages = prof.key_averages()
        kinds.append([type(getattr(event, name)) for event in (averages[0], prof.events()[0])])

    assert kinds[0] == kinds[1]
    assert isinstance(getattr(averages[0], name), kinds[0][0])


def test_times_as_text_have_their_unit():
    with cr.autograd.profiler.profile() as prof:
        cr.ones(2) + 1
    (event,) = prof.key_averages()

    assert re.fullmatch(r"\d+\.\d{3}(us|ms|s)", event.cpu_time_str)
