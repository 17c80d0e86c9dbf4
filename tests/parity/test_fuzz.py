"""A fixed slice of the random programs of tools/fuzz.py: each runs as it does in PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "tools"))

from fuzzing.campaign import tally

SLICE = 100


@pytest.mark.parametrize("first", range(0, 600, SLICE))
def test_random_programs_of_every_op_agree_with_pytorch(first):
    found = tally(range(first, first + SLICE))

    assert found.programs == SLICE
    report = [
        f"seed {f.seeds[0]}: {' | '.join(f.lines)}\n{f.difference}" for f in found.findings.values()
    ]
    assert not report, "\n\n".join(report)


def test_programs_use_every_kind_of_line():
    used = tally(range(300)).used

    assert len(used) > 300
    assert {"backward", "copy", "view", "unbind"} <= used.keys()
