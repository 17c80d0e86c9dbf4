"""Memory shared with PyTorch, both ways."""

from __future__ import annotations

import pytest
import torch

import chainrule as cr


@pytest.mark.parametrize(("source", "target"), [(torch, cr), (cr, torch)], ids=["in", "out"])
def test_tensors_share_memory_with_pytorchs(source, target):
    given = source.arange(6.0).reshape(2, 3).t()
    found = target.from_dlpack(given)
    given[0, 1] = -1.0
    found[2, 0] = 7.0

    assert found.tolist() == given.tolist() == [[0.0, -1.0], [1.0, 4.0], [7.0, 5.0]]
    assert found.stride() == given.stride()
