"""The plugin that brings the backend: light to import, complete, and gone when it is unloaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

from chainrule import backend as registry
from chainrule.op import all_ops
from chainrule.plugin.checking import HOOKS
from chainrule.plugin.host import REGISTERED, host
from chainrule.plugin.kernels import check_signature
from chainrule.plugin.records import PluginRecord
from chainrule.plugin.validation import WEIGHT_TEST
from chainrule.testing.sandbox import Sandbox


@pytest.fixture
def record(backend: str) -> PluginRecord:
    registry.by_name(backend)
    return host.specs[backend][1]


def test_plugin_is_in_use(record: PluginRecord) -> None:
    assert record.state == "active", record.reason


def test_importing_the_plugin_imports_no_array_library(record: PluginRecord) -> None:
    if record.target == REGISTERED:
        pytest.skip("registered by the program: there is no module to import")
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", WEIGHT_TEST, record.target],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_hooks_are_known_ones(record: PluginRecord) -> None:
    assert set(record.hooks) <= HOOKS


def test_every_kernel_has_an_op_and_fits_its_signature(backend: str) -> None:
    for definitions in registry.by_name(backend).kernels.values():
        for name, definition in definitions.items():
            if name in all_ops:
                check_signature(all_ops[name], definition)


def test_plugin_loads_into_an_empty_host_and_leaves_nothing_behind(
    record: PluginRecord, chainrule_sandbox: Sandbox
) -> None:
    if record.builtin:
        (same,) = [r for r in chainrule_sandbox.host.records if r.key == record.key]
        assert chainrule_sandbox.host.load(same, asked=True)
        return
    plugin = record.plugin
    chainrule_sandbox.host.manager.register(plugin, record.key)
    assert list(chainrule_sandbox.host.manager.get_plugins()) == [plugin]
    chainrule_sandbox.host.manager.unregister(plugin)
    assert not chainrule_sandbox.host.manager.get_plugins()
