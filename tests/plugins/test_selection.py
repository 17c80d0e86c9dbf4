"""What may be loaded: the program's own word first, then the environment's."""

from __future__ import annotations

import pytest

from chainrule.plugin.records import PluginRecord
from chainrule.plugin.selection import Selection

LIST = (
    "import warnings; warnings.simplefilter('ignore')\n"
    "from chainrule.plugin.host import host; host.load_all()\n"
    "print({r.name: r.state for r in host.records if not r.builtin})"
)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {"good": "active", "broken": "failed"}),
        ({"CHAINRULE_DISABLE_PLUGINS": "broken"}, {"good": "active", "broken": "blocked"}),
        ({"CHAINRULE_DISABLE_PLUGINS": "Good-Plugin"}, {"good": "blocked", "broken": "failed"}),
        ({"CHAINRULE_PLUGINS": "good"}, {"good": "active", "broken": "not_selected"}),
        ({"CHAINRULE_PLUGINS": ""}, {"good": "not_selected", "broken": "not_selected"}),
        ({"CHAINRULE_NO_PLUGINS": "1"}, {"good": "blocked", "broken": "blocked"}),
        ({"CHAINRULE_NO_PLUGINS": "0"}, {"good": "active", "broken": "failed"}),
        (
            {"CHAINRULE_PLUGINS": "good", "CHAINRULE_DISABLE_PLUGINS": "good"},
            {"good": "active", "broken": "not_selected"},
        ),
    ],
)
def test_environment_variables_select_plugins(answer, environment, expected):
    assert eval(answer(LIST, "good", "broken", **environment)) == expected  # noqa: S307 - our own dict


def test_the_program_has_the_last_word(answer):
    program = f"import chainrule.plugin as p; p.allow('good'); p.block('broken')\n{LIST}"
    states = answer(program, "good", "broken", CHAINRULE_NO_PLUGINS="1")

    assert states == "{'broken': 'blocked', 'good': 'active'}"


def test_no_variable_removes_what_ships_with_chainrule(answer):
    program = "import chainrule as cr; print(cr.ones(1).backend)"

    assert (
        answer(program, CHAINRULE_NO_PLUGINS="1", CHAINRULE_DISABLE_PLUGINS="numpy,xp") == "numpy"
    )


def test_what_ships_with_chainrule_cannot_be_blocked():
    from chainrule.errors import ArgumentError
    from chainrule.plugin import block

    with pytest.raises(ArgumentError, match="chainrule's own"):
        block("numpy")


def test_blocking_a_loaded_plugin_unloads_it(answer):
    program = (
        "import chainrule as cr, chainrule.plugin as p\n"
        "cr.ops.good.cube(cr.ones(1)); p.block('good')\n"
        "print(hasattr(cr.ops, 'fine'), next(r.state for r in p.list() if r.name == 'good'))"
    )

    assert answer(program, "good") == "False blocked"


def test_names_are_compared_as_package_indexes_compare_them():
    record = PluginRecord(name="my_ops", group="plugin", target="x:y", distribution="My.Plugin")
    Selection.from_environment({"CHAINRULE_DISABLE_PLUGINS": "my-plugin"}).judge(record)

    assert record.state == "blocked"
