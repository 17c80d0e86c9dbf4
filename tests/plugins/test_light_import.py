"""Importing chainrule costs nothing for plugins, however many there are."""

from __future__ import annotations

import pytest

HEAVY = {
    "pluggy",
    "importlib.metadata",
    "numpy",
    "cupy",
    "rich",
    "safetensors",
    "chainrule.plugin.host",
}


def modules_after(answer, program, *installed):
    return set(answer(f"{program}\nimport sys; print(*sys.modules)", *installed).split())


def test_importing_chainrule_imports_no_plugin_machinery_and_no_array_library(answer):
    assert modules_after(answer, "import chainrule") & HEAVY == set()


def test_importing_chainrule_imports_the_same_with_plugins_installed(answer):
    bare = modules_after(answer, "import chainrule")
    full = modules_after(answer, "import chainrule", "good", "broken", "loop", "unusable")

    assert full == bare


def test_the_first_tensor_scans_no_entry_points_and_loads_no_plugin(answer):
    program = "import chainrule; chainrule.zeros(1)"
    modules = modules_after(answer, program, "good", "broken")

    assert modules & {"importlib.metadata", "good_plugin", "broken_plugin"} == set()


@pytest.mark.parametrize(
    "package", ["chainrule_numpy", "chainrule_sim", "chainrule_xp", "chainrule_cupy"]
)
def test_importing_a_backend_package_imports_no_array_library(answer, package):
    assert "numpy" not in modules_after(answer, f"import {package}")


def test_choosing_a_device_type_of_ours_scans_nothing(answer):
    program = "import chainrule; chainrule.device('sim:1')"

    assert "importlib.metadata" not in modules_after(answer, program, "good")
