"""The promise of the plugin API: a plugin for an earlier minor of this major loads and works."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainrule.plugin import API
from chainrule.plugin.checking import HOOKS

FROZEN = Path(__file__).parents[1] / "compat_plugins"
PROGRAM = """
import sys; sys.path.insert(0, {folder!r})
import chainrule as cr
from chainrule.plugin.host import host
x = cr.tensor([2.0], requires_grad=True)
ops = cr.ops.{name}
y = ops.scale(ops.cube(ops.negative(x)), 0.5)
y.backward()
record = host.find({name!r}, "plugin")
print(record.state, y.item(), x.grad.item(), len(record.hooks), *sorted(record.ops))
"""


@pytest.mark.parametrize("minor", range(API[1] + 1))
def test_a_plugin_for_every_minor_of_this_major_is_kept_and_works(answer, minor):
    name = f"api_{API[0]}_{minor}"
    found = answer(PROGRAM.format(folder=str(FROZEN / name), name=name)).split()

    assert found[:3] == ["active", "-4.0", "-6.0"]
    assert int(found[3]) <= len(HOOKS)
    assert [op.partition("::")[2] for op in found[4:]] == ["cube", "negative", "scale"]


def test_the_frozen_plugin_of_the_newest_minor_implements_every_hook():
    text = (FROZEN / f"api_{API[0]}_{API[1]}" / f"api_{API[0]}_{API[1]}_plugin.py").read_text()

    assert {hook for hook in HOOKS if f"def {hook}(" in text} == HOOKS
