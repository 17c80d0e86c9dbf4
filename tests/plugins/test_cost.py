"""Plugins cost nothing per op: counted in Python calls, with none, ten and a hundred of them."""

from __future__ import annotations

import pytest

PLUGIN = """
from __future__ import annotations

from chainrule.plugin import KernelSet, PluginInfo, composite, hookimpl

class Plugin:
    info = PluginInfo(name="{name}", api="1.0", namespaces=("{name}",))

    @hookimpl
    def chainrule_ops(self):
        @composite(namespace="{name}", promote="float")
        def twice(self: Tensor) -> Tensor:
            "Return ``self + self``."
            return self + self

        twice.vjp(self=lambda grad: grad * 2)
        yield twice

    @hookimpl
    def chainrule_kernels(self, backend):
        ks = KernelSet("numpy")
        ks.forward("{name}::twice")(lambda x: x + x)
        ks.forward("cr::tanh")(lambda x: x)
        return ks if backend.isa("numpy") else None

plugin = Plugin()
"""

#: Counts the calls that a program of common ops makes, after a first round that resolves them.
COUNT = """
import sys
import chainrule as cr
from chainrule.plugin.host import host

host.load_all()
x, y = cr.ones(3, 4, requires_grad=True), cr.ones(4)

def program():
    z = ((x * y + 1.0).tanh() @ cr.ones(4, 2)).sum()
    z.backward()

program()
calls = 0

def count(frame, event, argument):
    global calls
    calls += event in {"call", "c_call"}

sys.setprofile(count)
program()
sys.setprofile(None)
print(calls, sum(record.serves for record in host.records if not record.builtin))
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Return a folder with so many plugins installed."""

    def many(count):
        folder = tmp_path_factory.mktemp(f"plugins{count}")
        for number in range(count):
            name = f"extra{number}"
            (folder / f"{name}_plugin.py").write_text(PLUGIN.format(name=name))
            info = folder / f"{name}_plugin-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {name}_plugin\nVersion: 1.0\n"
            )
            (info / "entry_points.txt").write_text(
                f"[chainrule.plugins]\n{name} = {name}_plugin:plugin\n"
            )
        return str(folder)

    return many


@pytest.fixture
def answer_with(answer, many):
    """Return what a program prints where so many plugins are installed."""
    return lambda program, count: answer(
        f"import sys; sys.path.insert(0, {many(count)!r})\n{program}"
    )


def test_an_op_call_makes_as_many_python_calls_with_a_hundred_plugins_as_with_none(answer_with):
    found = {count: answer_with(COUNT, count).split() for count in (0, 10, 100)}

    assert {count: int(loaded) for count, (_, loaded) in found.items()} == {0: 0, 10: 10, 100: 100}
    assert len({calls for calls, _ in found.values()}) == 1


def test_importing_chainrule_imports_the_same_modules_with_a_hundred_plugins(answer_with):
    program = "import chainrule; print(*sorted(n for n in sys.modules if 'extra' not in n))"

    assert answer_with(program, 0) == answer_with(program, 100)


def test_the_first_tensor_loads_none_of_a_hundred_plugins(answer_with):
    counted = "print(sum('extra' in name for name in sys.modules))"
    program = f"import chainrule as cr; cr.ones(2).tanh(); {counted}"

    assert answer_with(program, 100) == "0"
