"""`opcheck` as an author calls it: one call, every check, and the name of what fails."""

from __future__ import annotations

import re

import pytest

import chainrule as cr
from chainrule.errors import ArgumentError
from chainrule.plugin import KernelSet, PluginInfo, composite, hookimpl
from chainrule.testing import OpcheckError, opcheck
from chainrule.testing.opcheck import CHECKS


def leaf(*values):
    return cr.tensor(values, dtype=cr.float64, requires_grad=True)


def test_a_right_op_passes_every_check():
    assert opcheck(cr.ops.mul, (leaf(1.0, 2.0), leaf(3.0))) == dict.fromkeys(CHECKS, "SUCCESS")


def test_a_function_of_tensors_can_be_checked():
    found = opcheck(lambda x, y: (x * y).sum(), (leaf(1.0, 2.0), leaf(3.0, 4.0)))

    assert set(found.values()) == {"SUCCESS"}


def test_the_failure_names_the_check_the_op_and_the_sample():
    def writes(x):
        x.detach().add_(1)
        return x * 1

    with pytest.raises(
        OpcheckError, match=r"^mutation: writes\(float64\[2\]\): it wrote into"
    ) as e:
        opcheck(writes, (leaf(1.0, 2.0).detach(),))

    assert e.value.check == "mutation"


def test_without_raising_every_check_is_told():
    kept = []

    def keeps(x):
        kept.append(x)
        return x * 2

    found = opcheck(keeps, (leaf(1.0),), raise_exception=False)

    assert found["saves"].startswith("saves: keeps(float64[1]): input 0 is kept alive")
    assert found["mutation"] == "SUCCESS"


def test_some_checks_can_be_chosen_and_an_unknown_one_is_refused():
    assert list(opcheck(cr.ops.exp, (leaf(1.0),), checks=["dtype"])) == ["dtype"]
    with pytest.raises(
        ArgumentError, match=r"expected names among call, mutation, .* got 'colour'"
    ):
        opcheck(cr.ops.exp, (leaf(1.0),), checks=["colour"])


def test_a_declared_view_is_no_aliasing():
    x = leaf(1.0, 2.0)

    assert opcheck(cr.ops.reshape, (x, (2, 1)))["aliasing"] == "SUCCESS"
    assert opcheck(lambda x: x[:1], (x,))["aliasing"] == "SUCCESS"


def test_an_in_place_op_says_that_it_writes():
    assert opcheck(cr.ops.relu, (leaf(-1.0),))["mutation"] == "SUCCESS"


def test_a_sandbox_loads_a_plugin_and_forgets_it(chainrule_sandbox):
    from chainrule.op import all_ops, composite
    from chainrule.plugin import PluginInfo, hookimpl
    from chainrule.plugin.host import host

    class Plugin:
        info = PluginInfo(name="boxed", api="1.0", namespaces=("boxed",))

        @hookimpl
        def chainrule_ops(self):
            @composite(namespace="boxed")
            def twice(self: Tensor) -> Tensor:  # noqa: F821 - a schema's word
                """Return ``self + self``."""
                return self + self

            yield twice

    record = chainrule_sandbox.register(Plugin())
    assert (record.state, record.ops) == ("active", ("boxed::twice",))
    assert "boxed::twice" in all_ops
    chainrule_sandbox.close()

    assert "boxed::twice" not in all_ops
    assert "boxed::twice" not in host.ops


def give(sandbox, function):
    """Return an op that squares, by the kernel *function* on every backend of the family."""

    def square(self: Tensor) -> Tensor:  # noqa: F821 - a schema's word
        """Return ``self * self``."""
        return self * self

    op = composite(square, namespace="planted", promote="float")
    op.vjp(self=lambda grad, self: grad * 2 * self)
    ks = KernelSet("numpy")
    ks.forward(op.name)(function)

    class Plugin:
        info = PluginInfo(name="planted", api="1.0", namespaces=("planted",))

        @hookimpl
        def chainrule_ops(self):
            return [op]

        @hookimpl
        def chainrule_kernels(self, backend):
            return ks if backend.isa("numpy") else None

    sandbox.register(Plugin())
    return op


def fail(x):
    raise ZeroDivisionError("planted")


@pytest.mark.parametrize(
    ("kernel", "check", "message"),
    [
        (lambda x: [1.0, 2.0], "call", "a kernel returned list, expected ndarray"),
        (lambda x: None, "call", "a kernel returned NoneType, expected ndarray"),
        (fail, "call", "it raised ZeroDivisionError: planted"),
        (lambda x: (x * x)[:1], "shape", r"output 0 has shape \(1,\), where the body gives \(2,\)"),
        (lambda x: 3.0, "shape", r"output 0 has shape \(\), where the body gives \(2,\)"),
        (lambda x: (x * x).astype("float32"), "dtype", "output 0 holds torch.float32"),
        (lambda x: x * x + 1, "body", "output 0 of the kernel is not what the body gives"),
    ],
)
def test_a_kernel_that_returns_what_it_must_not_is_named(chainrule_sandbox, kernel, check, message):
    op = give(chainrule_sandbox, kernel)
    found = opcheck(op, (leaf(1.0, 2.0),), raise_exception=False)

    assert next(name for name, text in found.items() if text != "SUCCESS") == check
    assert re.match(rf"{check}: planted::square\(float64\[2\]\): .*{message}", found[check])
