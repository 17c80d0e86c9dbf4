"""The hooks: their names are settled, each has its manual, and each plugin is asked on its own."""

from __future__ import annotations

import inspect

import pytest

from chainrule.plugin import PluginInfo, PluginLoadWarning, hookimpl
from chainrule.plugin.checking import HOOKS
from chainrule.plugin.specs import Hooks

SETTLED = {
    "chainrule_backends": [],
    "chainrule_ops": [],
    "chainrule_kernels": ["backend"],
    "chainrule_select_backend": ["device_type", "candidates"],
    "chainrule_from_array": ["obj"],
    "chainrule_missing_kernel": ["op", "backend", "policy"],
    "chainrule_backend_activated": ["backend"],
    "chainrule_info_section": [],
    "chainrule_conformance_cases": ["op_names"],
}
FIRST_RESULT = {"chainrule_select_backend", "chainrule_from_array", "chainrule_missing_kernel"}


def test_names_and_arguments_are_those_of_plugin_api_1_0():
    found = {name: list(inspect.signature(getattr(Hooks, name)).parameters)[1:] for name in HOOKS}

    assert found == SETTLED


def test_no_argument_has_a_default():
    parameters = [
        p for name in HOOKS for p in inspect.signature(getattr(Hooks, name)).parameters.values()
    ]

    assert [p.name for p in parameters if p.default is not p.empty] == []


@pytest.mark.parametrize("name", sorted(SETTLED))
def test_each_hook_says_what_it_gives_back(name):
    first_line = getattr(Hooks, name).__doc__.splitlines()[0]

    assert first_line.startswith(("Return ", "Be told "))


@pytest.mark.parametrize("name", sorted(SETTLED))
def test_which_hooks_stop_at_the_first_answer(make_host, name):
    options = getattr(make_host().manager.hook, name).spec.opts

    assert options["firstresult"] == (name in FIRST_RESULT)


def plugin(name, **hooks):
    methods = {hook: hookimpl(function) for hook, function in hooks.items()}
    return type("Plugin", (), {"info": PluginInfo(name=name, api="1.0"), **methods})()


def test_plugins_are_asked_in_the_order_of_their_names_not_of_registration(make_host):
    host = make_host()
    for name in ("b", "c", "a"):
        host.register(plugin(name, chainrule_from_array=answering(name)))

    assert host.first("chainrule_from_array", obj=object()) == "a"


def answering(name):
    def chainrule_from_array(self, obj):
        return name

    return chainrule_from_array


def test_a_plugin_that_fails_does_not_silence_the_others(make_host):
    def explode(self):
        raise RuntimeError("out of order")

    host = make_host()
    host.register(plugin("bad", chainrule_info_section=explode))
    host.register(plugin("well", chainrule_info_section=lambda self: ("Title", {})))
    with pytest.warns(PluginLoadWarning, match="out of order"):
        answers = list(host.each("chainrule_info_section"))

    assert [(record.name, answer) for record, answer in answers] == [("well", ("Title", {}))]
    assert host.find("bad", "plugin").state == "failed"


@pytest.mark.parametrize("answer", [None, [], (), iter(())])
def test_an_empty_answer_of_any_kind_is_no_answer(make_host, answer):
    host = make_host()
    record = host.register(plugin("quiet", chainrule_ops=lambda self: answer))

    assert list(host.call(record, "chainrule_ops")) == []


def test_an_implementation_may_leave_out_arguments(make_host):
    host = make_host()
    host.register(plugin("brief", chainrule_from_array=lambda self: "yes"))

    assert host.first("chainrule_from_array", obj=object()) == "yes"
