"""A plugin that cannot be loaded is put aside with its reason; the rest goes on working."""

from __future__ import annotations

import types
from dataclasses import dataclass

import pytest

import chainrule as cr
from chainrule.errors import PluginLoadError
from chainrule.op import Op
from chainrule.plugin import PluginInfo, PluginLoadWarning, hookimpl


def state_of(host, name, group="plugin"):
    record = host.find(name, group)
    return record.state, record.reason


def test_a_plugin_that_raises_on_import_is_put_aside_and_the_others_load(make_host):
    host = make_host("broken", "good")
    with pytest.warns(PluginLoadWarning, match="the author divided by zero") as warned:
        host.load_all()

    assert state_of(host, "broken") == ("failed", "ZeroDivisionError: the author divided by zero")
    assert state_of(host, "good") == ("loaded", "") or state_of(host, "good") == ("active", "")
    assert "CHAINRULE_DISABLE_PLUGINS=broken" in str(warned[0].message)
    assert warned[0].filename == __file__


def test_a_broken_plugin_that_was_asked_for_by_name_is_an_error_with_its_cause(make_host):
    host = make_host("broken")
    with pytest.raises(
        PluginLoadError, match=r"broken_plugin:plugin of broken_plugin 1.0"
    ) as caught:
        host.load(host.find("broken", "plugin"), asked=True)

    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_strict_mode_turns_quarantine_into_an_error(make_host):
    with pytest.raises(PluginLoadError, match="divided by zero"):
        make_host("broken", strict=True).load_all()


def test_the_traceback_of_a_failure_is_kept(make_host):
    host = make_host("broken")
    with pytest.warns(PluginLoadWarning):
        host.load_all()

    assert "broken_plugin.py" in host.find("broken", "plugin").traceback


def test_a_plugin_for_another_plugin_api_is_incompatible(make_host):
    host = make_host("old_api")
    with pytest.warns(PluginLoadWarning, match="written for plugin API 0.9"):
        host.load_all()

    assert state_of(host, "old")[0] == "incompatible"


def test_a_plugin_for_another_chainrule_is_incompatible(answer):
    program = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from chainrule.plugin.host import host; host.load_all()\n"
        "r = host.find('too_new', 'plugin')\n"
        "print(r.state, '|', r.reason)"
    )

    assert answer(program, "too_new").startswith("incompatible | needs chainrule >=99; this is")


def test_an_entry_point_to_nothing_is_put_aside(make_host):
    host = make_host("nothing")
    with pytest.warns(PluginLoadWarning, match="module_that_is_not_there"):
        host.load_all()

    assert state_of(host, "nothing")[0] == "failed"


def test_two_plugins_of_one_name_are_both_left_out_and_both_named(make_host):
    host = make_host("conflict_a", "conflict_b")
    host.load_all()

    state, reason = state_of(host, "shared")
    assert state == "conflict"
    assert "conflict_a 1.0" in reason
    assert "conflict_b 1.0" in reason
    assert host.ops == {}


def test_pinning_a_distribution_settles_the_conflict(make_host):
    host = make_host("conflict_a", "conflict_b", pins={"shared": "conflict-b"})
    host.load_all()

    assert host.find("shared", "plugin").distribution == "conflict_b"
    assert list(host.ops) == ["shared::whose"]


def test_the_name_of_a_backend_of_ours_cannot_be_taken(make_host):
    host = make_host("squatter")
    host.load_all()

    taken = next(record for record in host.records if record.distribution == "squatter")
    assert (taken.state, "chainrule's own" in taken.reason) == ("conflict", True)
    assert host.find("numpy", "backend").builtin


def test_a_file_of_entry_points_that_cannot_be_read_hides_no_other(answer):
    program = "import chainrule.plugin as p; print(*(r.name for r in p.list()))"

    assert "good" in answer(program, "unreadable", "good").split()


# What a plugin object must be


class Empty:
    info = PluginInfo(name="empty", api="1.0")


@dataclass
class Unhashable:
    name: str = "unhashable"


@pytest.mark.parametrize("plugin", [Empty, Unhashable(), types.ModuleType("empty")])
def test_what_is_no_plugin_object_is_refused_with_what_to_write(make_host, plugin):
    with pytest.raises(PluginLoadError, match=r"Expose an instance: plugin = MyPlugin\(\)"):
        make_host().register(plugin)


def test_a_plugin_without_info_is_refused(make_host):
    with pytest.raises(PluginLoadError, match="expected an attribute info: PluginInfo"):
        make_host().register(object())


def plugin_with(name, hook, *, marked=True):
    namespace = {"info": PluginInfo(name="made", api="1.0", namespaces=("made",))}
    namespace[name] = hookimpl(hook) if marked else hook
    return type("Plugin", (), namespace)()


def test_a_hook_that_does_not_exist_is_refused(make_host):
    plugin = plugin_with("chainrule_kernel", lambda self, backend: None)
    with pytest.raises(
        PluginLoadError, match=r"implements chainrule_kernel, unknown to plugin API 1.0"
    ):
        make_host().register(plugin)


def test_a_hook_that_lacks_its_mark_is_refused(make_host):
    plugin = plugin_with("chainrule_ops", lambda self: None, marked=False)
    with pytest.raises(PluginLoadError, match="chainrule_ops is not marked: write @hookimpl"):
        make_host().register(plugin)


def test_a_hook_with_an_argument_of_its_own_is_refused_and_not_left_registered(make_host):
    host = make_host()
    with pytest.raises(PluginLoadError, match="PluginValidationError"):
        host.register(plugin_with("chainrule_ops", lambda self, surprise: None))

    assert host.manager.get_plugins() == set()


def test_a_hook_argument_with_a_default_is_refused(make_host):
    plugin = plugin_with("chainrule_kernels", lambda self, backend=None: None)
    with pytest.raises(PluginLoadError, match="default"):
        make_host().register(plugin)


def test_a_hook_that_raises_puts_its_plugin_aside(make_host):
    def explode(self):
        yield from ()
        raise RuntimeError("no ops today")

    host = make_host()
    with pytest.raises(PluginLoadError, match="no ops today"):
        host.register(plugin_with("chainrule_ops", explode))

    assert host.manager.get_plugins() == set()


def test_an_op_outside_its_namespaces_is_refused(make_host):
    foreign = cr.ops.mul
    with pytest.raises(PluginLoadError, match="'cr::mul' stands in namespace 'cr'"):
        make_host().register(plugin_with("chainrule_ops", lambda self: [foreign]))


def test_what_is_no_op_and_what_is_no_backend_is_refused(make_host):
    with pytest.raises(
        PluginLoadError, match=r"expected what @primitive, @composite or .* give, got 3"
    ):
        make_host().register(plugin_with("chainrule_ops", lambda self: [3]))
    with pytest.raises(
        PluginLoadError, match="expected a BackendSpec with device types, got 'toy'"
    ):
        make_host().register(plugin_with("chainrule_backends", lambda self: ["toy"]))


def test_an_op_of_two_plugins_is_used_from_neither_and_both_are_named(make_host):
    from chainrule.op import composite

    def word(self: Tensor) -> Tensor:  # noqa: F821 - a schema's word
        """Return *self*."""
        return self

    def claimant(name):
        made = composite(word, namespace="both")
        info = PluginInfo(name=name, api="1.0", namespaces=("both",))
        methods = {"info": info, "chainrule_ops": hookimpl(lambda self: [made])}
        return type("Plugin", (), methods)()

    host = make_host()
    first = host.register(claimant("first"))
    with pytest.raises(
        PluginLoadError, match=r"'both::word' is claimed by plugin 'first'.*'second'"
    ):
        host.register(claimant("second"))

    assert (first.state, host.ops) == ("conflict", {})


def test_a_backend_of_two_plugins_is_used_from_neither(answer):
    program = (
        "import chainrule as cr, chainrule.plugin as p, loop_backend\n"
        "class Other(loop_backend.Plugin):\n"
        "    info = p.PluginInfo(name='other', api='1.0')\n"
        "    @p.hookimpl\n"
        "    def chainrule_backends(self): return [loop_backend.spec]\n"
        "p.register(loop_backend.plugin)\n"
        "try: p.register(Other())\n"
        "except ImportError as e: print(e)\n"
        "try: cr.use('loop')\n"
        "except cr.errors.BackendError as e: print(type(e).__name__)"
    )
    text, kind = answer(program, "loop", CHAINRULE_NO_PLUGINS="1").splitlines()

    assert "backend 'loop' is claimed by plugin 'loop'" in text
    assert kind == "BackendUnavailableError"


def test_registering_again_replaces_the_plugin_of_that_name(make_host):
    host = make_host()
    first = host.register(Empty())
    second = host.register(Empty())

    assert (first.state, second.state) == ("blocked", "loaded")
    assert [record for record in host.records if not record.builtin] == [second]


# What a plugin's op is


def test_the_op_of_a_plugin_is_reached_by_its_namespace_and_differentiates_twice(answer):
    program = (
        "import chainrule as cr\n"
        "x = cr.tensor([2.0], requires_grad=True); y = cr.ops.good.cube(x)\n"
        "(g,) = cr.autograd.grad(y, x, create_graph=True); (h,) = cr.autograd.grad(g, x)\n"
        "print(y.grad_fn.name(), y.item(), g.item(), h.item(), y.grad_fn._saved_self is x)"
    )

    assert answer(program, "good", "broken") == "CubeBackward0 8.0 12.0 12.0 True"


def test_an_unknown_name_in_ops_is_an_attribute_error_that_names_it(make_host):
    with pytest.raises(AttributeError, match=r"module 'chainrule.ops' has no attribute 'nonesuch'"):
        _ = cr.ops.nonesuch


def test_an_unknown_op_of_a_namespace_suggests_a_near_one(make_host):
    from chainrule.plugin.namespaces import find_namespace

    host = make_host("good")
    with pytest.raises(AttributeError, match=r"no op 'cubes'. Did you mean 'cube'?"):
        _ = find_namespace(host, "good").cubes


def test_a_namespace_lists_its_ops(make_host):
    from chainrule.plugin.namespaces import find_namespace

    namespace = find_namespace(make_host("good"), "good")

    assert dir(namespace) == ["cube"]
    assert isinstance(namespace.cube, Op)


def test_unloading_takes_ops_and_kernels_away(make_host):
    host = make_host("good")
    cr.zeros(1)
    backend = next(b for b in cr.backend.live if b.name == "numpy")
    record = host.find("good", "plugin")
    host.load(record)
    assert backend.find_kernel("good::cube") is not None

    host.unload(record)

    assert backend.find_kernel("good::cube") is None
    assert host.ops == {}
    assert host.manager.get_plugins() == set()
