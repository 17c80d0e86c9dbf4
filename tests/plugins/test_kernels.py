"""Who may give which kernel: installing a plugin changes no result of existing code."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.backend import KernelSet, by_name
from chainrule.errors import ArgumentError, PluginLoadError
from chainrule.op import all_ops
from chainrule.plugin import PluginInfo, explain, hookimpl, prefer, register, unload
from chainrule.plugin.host import host


@pytest.fixture
def give():
    """Register a plugin that gives kernel sets; it is unloaded after the test."""
    given = []

    def give(*sets, name="guest"):
        class Guest:
            info = PluginInfo(name=name, api="1.0")

            @hookimpl
            def chainrule_kernels(self, backend):
                return [ks for ks in sets if backend.name == "numpy"]

        cr.zeros(1)
        given.append(register(Guest()))
        return given[-1]

    yield give
    for record in given:
        if record.serves:
            host.unload(record)


def wrong_tanh():
    ks = KernelSet("numpy")

    @ks.forward("cr::tanh")
    def tanh(x):
        return np.full_like(x, 42.0)

    return ks


def test_a_strangers_kernel_for_an_op_of_core_is_not_used(give):
    give(wrong_tanh())

    assert cr.zeros(1).tanh().item() == 0.0


def test_it_is_used_once_it_is_preferred_and_no_longer_when_that_is_taken_back(give):
    give(wrong_tanh())
    prefer("tanh", "guest", backend="numpy")
    preferred = cr.zeros(1).tanh().item()
    prefer("tanh", None, backend="numpy")

    assert (preferred, cr.zeros(1).tanh().item()) == (42.0, 0.0)


def test_unloading_takes_a_preferred_kernel_back(give):
    give(wrong_tanh())
    prefer("tanh", "guest", backend="numpy")
    unload("guest")

    assert cr.zeros(1).tanh().item() == 0.0


def test_preferring_who_has_no_kernel_is_an_error_that_says_who_has(give):
    give(wrong_tanh())
    with pytest.raises(PluginLoadError, match=r"got 'nobody'. Plugins with one: xp, guest"):
        prefer("tanh", "nobody", backend="numpy")


def refused(give, ks):
    with pytest.raises(PluginLoadError) as caught:
        give(ks)
    return str(caught.value)


def test_a_kernel_with_too_few_arrays_is_refused(give):
    ks = KernelSet("numpy")
    ks.forward("cr::mul")(lambda x: x)

    assert "expected it to take 2 arrays by position, it takes (x)" in refused(give, ks)


def test_a_kernel_without_a_static_argument_of_its_op_is_refused(give):
    ks = KernelSet("numpy")
    ks.forward("cr::add")(lambda x, y: x)

    assert "expected it to take the keyword 'alpha', it takes (x, y)" in refused(give, ks)


def test_a_kernel_set_for_a_backend_of_another_lineage_is_refused(give):
    assert "KernelSet('cupy'): not in the lineage of backend 'numpy'" in refused(
        give, KernelSet("cupy")
    )


def test_what_is_no_kernel_set_is_refused(give):
    assert "expected KernelSet, got function" in refused(give, lambda x: x)


def test_a_kernel_for_an_op_that_core_does_not_have_is_refused(give):
    ks = KernelSet("numpy")
    ks.forward("cr::nonesuch")(lambda x: x)

    assert "a kernel for 'cr::nonesuch' at" in refused(give, ks)


def test_two_kernels_of_one_provider_for_one_op_are_refused_with_both_places(give):
    first, second = wrong_tanh(), wrong_tanh()
    with pytest.raises(PluginLoadError) as caught:
        give(first, second)

    assert str(caught.value).count("test_kernels.py:") == 2


def test_a_kernel_for_an_op_that_does_not_exist_is_refused_unless_optional(answer):
    program = (
        "import chainrule as cr, chainrule.plugin as p; cr.zeros(1)\n"
        "def attempt(optional):\n"
        "    class Guest:\n"
        "        info = p.PluginInfo(name='guest', api='1.0', namespaces=('guest',))\n"
        "        @p.hookimpl\n"
        "        def chainrule_kernels(self, backend):\n"
        "            ks = p.KernelSet('numpy')\n"
        "            ks.forward('guest::nonesuch', optional=optional)(lambda x: x)\n"
        "            yield ks\n"
        "    return p.register(Guest()).state\n"
        "print(attempt(True))\n"
        "try: attempt(False)\n"
        "except ImportError as e: print(e)"
    )
    optional, required = answer(program).splitlines()

    assert optional == "loaded"
    assert "'guest::nonesuch'" in required
    assert "there is no such op" in required


@pytest.mark.parametrize("name", ["numpy", "sim"])
def test_every_kernel_of_ours_has_its_op(name):
    kernels = by_name(name).kernels
    lost = [
        f"{family}: {op}"
        for family, definitions in kernels.items()
        for op, definition in definitions.items()
        if op not in all_ops and not definition.optional
    ]

    assert lost == []


def test_a_namespace_owners_kernel_is_used_and_carries_its_name(answer):
    program = (
        "import chainrule as cr\n"
        "x = cr.ones(2); cr.ops.good.cube(x)\n"
        "print(cr.explain('good::cube', x))"
    )
    text = answer(program, "good")

    assert "inherited kernel of good_plugin 0.3 (family 'xp')" in text
    assert "good_plugin.py:" in text


# explain


def test_explain_names_kernel_provider_file_and_line():
    text = str(explain("mul", cr.ones(2), cr.ones(2)))

    assert "cr::mul on backend 'numpy' (lineage numpy > xp)" in text
    assert "chainrule_xp" in text


def test_explain_says_what_was_passed_over_and_how_to_use_it(give):
    give(wrong_tanh())
    text = str(explain("tanh", cr.ones(2)))

    assert "passed over: a kernel of guest" in text
    assert "prefer('cr::tanh', 'guest', backend='numpy')" in text


def test_explain_without_tensors_or_backend_is_an_error():
    with pytest.raises(TypeError, match="expected tensors to run cr::mul on"):
        explain("mul")


@pytest.mark.parametrize("function", ["softmax", "nn.functional.softmax", cr.softmax])
def test_explain_of_a_function_explains_the_op_that_it_calls(function):
    assert explain(function, cr.ones(2)).op == "cr::_softmax"


def test_explain_of_a_name_that_is_none_shows_those_near_it():
    with pytest.raises(ArgumentError, match="Near it: cr::_lstm_sequence"):
        explain("lstm", cr.ones(1))


def test_explain_of_an_unknown_op_is_an_error():
    with pytest.raises(TypeError, match="expected an op or its name, got 'mull'"):
        explain("mull", cr.ones(1))


def test_every_op_of_core_can_be_explained_on_every_backend():
    for name in ("numpy", "sim"):
        for op in all_ops:
            if op.startswith("cr::"):
                assert explain(op, backend=name).lineage[0] == name


@pytest.mark.parametrize(
    ("op", "result", "told"),
    [
        ("tanh", [1.0], r"cr::tanh: a kernel returned list, expected ndarray: \[1\.0\]"),
        ("sum", None, r"cr::sum: a kernel returned NoneType, expected ndarray: None"),
        ("mm", (1, 2), r"cr::mm: a kernel returned tuple, expected ndarray: \(1, 2\)"),
        (
            "frexp",
            np.ones(2),
            r"cr::frexp: a kernel returned ndarray, expected a tuple of 2 arrays",
        ),
        (
            "frexp",
            (np.ones(2),),
            r"cr::frexp: a kernel returned a tuple of 1, expected .* 2 arrays",
        ),
    ],
)
def test_what_no_kernel_may_return_is_told_with_the_name_of_the_op(give, op, result, told):
    ks = KernelSet("numpy")
    ks.forward(f"cr::{op}")(lambda *arrays, **statics: result)
    give(ks)
    prefer(op, "guest", backend="numpy")

    x = cr.ones(2, 2)
    with pytest.raises(ArgumentError, match=told):
        getattr(x, op)(*[x] * (op == "mm"))
