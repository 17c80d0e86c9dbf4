"""The graph shows what PyTorch's shows, and results have PyTorch's dtypes.

PyTorch is not needed here: what it shows was written down by tools/record_saved_names.py, in the
parity environment. Run that again after samples were added or changed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chainrule.testing import walk

TABLE = json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8"))


def recorded(entry, sample):
    """Return what was recorded of *sample*: most samples of an op share one entry."""
    return entry if isinstance(entry, str) else entry.get(repr(sample), entry["most"])


def shown(result):
    node = walk.node_of(result)
    return "no node" if node is None else f"{node.name()}({', '.join(walk.saved_names(node))})"


@pytest.mark.cases(suits=lambda case: case.name in TABLE["nodes"], dtypes=("float64",))
def test_node_and_saved_names_are_pytorchs(case, dtype, device):
    for sample in walk.samples(case, dtype, device, requires_grad=True):
        if not walk.differentiable(sample):
            continue  # nothing is recorded
        assert shown(walk.run(case, sample)) == recorded(TABLE["nodes"][case.name], sample)


@pytest.mark.cases(suits=lambda case: case.name in TABLE["dtypes"])
def test_result_dtype_is_pytorchs(case, dtype, device):
    entry = TABLE["dtypes"][case.name].get(dtype, dtype)
    for sample in walk.samples(case, dtype, device):
        found = [tensor.dtype.name for tensor in walk.tensors_of(walk.run(case, sample))]

        assert " ".join(dict.fromkeys(found)) == recorded(entry, sample)


@pytest.mark.cases(suits=lambda case: case.saved is not None or case.node is not None)
def test_node_and_saved_names_are_as_the_case_says(case, device):
    sample = next(iter(walk.samples(case, "float64", device, requires_grad=True)))
    node = walk.node_of(walk.run(case, sample))

    assert node is not None
    assert case.node in {None, node.name()}
    assert case.saved is None or tuple(sorted(case.saved)) == walk.saved_names(node)
