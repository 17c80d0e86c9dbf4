"""A `Function` published as an op of a plugin: one class, used by .apply and by its public name."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.autograd import Function, gradcheck, gradgradcheck
from chainrule.backend import KernelSet
from chainrule.errors import KernelNotFoundError, OpDefinitionError, PluginLoadError
from chainrule.plugin import PluginInfo, explain, hookimpl, register
from chainrule.plugin.host import host

ran = []


class Scale(Function):
    """``x ** power * y``, with kernels that may take over from forward."""

    @staticmethod
    def forward(x, y: cr.Tensor, power: int = 2):
        ran.append("forward")
        return x**power * y

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, y, ctx.power = inputs
        ctx.save_for_backward(x, y, output)

    @staticmethod
    def backward(ctx, grad):
        x, y, _ = ctx.saved_tensors
        return grad * y * ctx.power * x ** (ctx.power - 1), grad * x**ctx.power


class Sinh(Function):
    """An op that needs a kernel: its forward is a signature."""

    @staticmethod
    def forward(x):
        """Return the hyperbolic sine."""

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x.cosh()


class FirstStyle(Function):
    """Saves in forward, so that no kernel can take its place."""

    @staticmethod
    def forward(ctx, x, factor=3.0):
        ctx.factor = factor
        ctx.save_for_backward(x)
        return x * x * factor

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * ctx.factor * x * grad


class Both(Function):
    """Two outputs, the second without a gradient."""

    @staticmethod
    def forward(x) -> tuple[cr.Tensor, cr.Tensor]:
        return x * 2, x > 0

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, grad, _):
        return grad * 2


def kernels():
    ks = KernelSet("numpy")

    @ks.forward("pub::scale")
    def scale(x, y, *, power=2):
        ran.append("kernel")
        return x**power * y

    @ks.forward("pub::sinh")
    def sinh(x):
        return np.sinh(x)

    return ks


class Plugin:
    info = PluginInfo(name="pub", api="1.0", namespaces=("pub",))

    @hookimpl
    def chainrule_ops(self):
        for cls in (Scale, Sinh, FirstStyle, Both):
            yield cls.as_op(f"pub::{cls.__name__.lower()}")

    @hookimpl
    def chainrule_kernels(self, backend):
        return kernels() if backend.isa("numpy") else None


@pytest.fixture(autouse=True)
def ops():
    cr.zeros(1)
    record = register(Plugin())
    ran.clear()
    yield cr.ops.pub
    host.unload(record)
    for cls in (Scale, Sinh, FirstStyle, Both):
        cls._op = None


def pair(device="cpu"):
    values = ([1.0, 2.0], [3.0, 4.0])
    return [cr.tensor(v, dtype=cr.float64, device=device, requires_grad=True) for v in values]


def test_the_op_is_reached_by_its_name_and_runs_the_kernel(ops):
    assert ops.scale(*pair()).tolist() == [3.0, 16.0]
    assert ran == ["kernel"]


def test_arguments_go_by_position_and_by_name(ops):
    x, y = pair()

    assert ops.scale(x, y, 3).tolist() == ops.scale(y=y, x=x, power=3).tolist() == [3.0, 32.0]


def test_apply_and_the_op_are_one_node_and_one_kernel(ops):
    by_op, by_apply = ops.scale(*pair()), Scale.apply(*pair())

    assert by_op.grad_fn.name() == by_apply.grad_fn.name() == "ScaleBackward"
    assert type(by_op.grad_fn) is type(by_apply.grad_fn)
    assert ran == ["kernel", "kernel"]


def test_a_backend_without_a_kernel_runs_forward(ops):
    result = ops.scale(*pair("sim"))

    assert (result.tolist(), ran) == ([3.0, 16.0], ["forward"])


def test_what_is_saved_is_read_by_name(ops):
    x, y = pair()
    node = ops.scale(x, y).grad_fn

    assert [n for n in dir(node) if n.startswith("_saved_")] == [
        "_saved_result", "_saved_x", "_saved_y",
    ]  # fmt: skip
    assert (node._saved_x is x, node._saved_y is y) == (True, True)
    assert node._saved_result.grad_fn is node
    assert node.power == 2
    with pytest.raises(AttributeError, match="_saved_z"):
        _ = node._saved_z


def test_a_saved_tensor_that_is_changed_raises(ops):
    x, y = pair()
    result = ops.scale(x, y)
    with cr.no_grad():
        x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.sum().backward()


@pytest.mark.parametrize("name", ["scale", "sinh", "firststyle"])
def test_first_and_second_derivative_agree_with_finite_differences(ops, name):
    op = getattr(ops, name)
    inputs = pair()[: len(op.schema.tensors)]

    assert gradcheck(op, inputs)
    assert gradgradcheck(op, inputs)


def test_an_input_that_requires_no_grad_gets_none(ops):
    x, y = pair()
    ops.scale(x.detach(), y).sum().backward()

    assert (x.grad, y.grad.tolist()) == (None, [1.0, 4.0])


def test_a_forward_that_is_a_signature_needs_a_kernel(ops):
    assert ops.sinh(cr.zeros(1)).item() == 0.0
    with pytest.raises(KernelNotFoundError, match="pub::sinh: expected a kernel for backend 'sim'"):
        ops.sinh(cr.zeros(1, device="sim"))


def test_several_outputs_and_one_without_a_gradient(ops):
    x, _ = pair()
    doubled, positive = ops.both(x)
    doubled.sum().backward()

    assert (positive.requires_grad, positive.tolist()) == (False, [True, True])
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_view_is_read_anew_and_devices_do_not_mix(ops):
    base = cr.zeros(4)
    view = base[:2]
    base.add_(1)

    assert ops.sinh(view).tolist() == pytest.approx([1.1752012] * 2)
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        ops.scale(cr.ones(1), cr.ones(1, device="sim"))


def test_what_is_no_tensor_is_refused_with_pytorchs_sentence(ops):
    with pytest.raises(TypeError, match=r"argument 'x' \(position 1\) must be Tensor, not int"):
        ops.sinh(3)


def test_explain_names_kernel_forward_and_backward(ops):
    text = str(explain("pub::scale", cr.ones(1)))

    assert "own kernel of pub" in text
    assert "the backward of Scale" in text
    assert explain("pub::scale", backend="sim").how == "body"


def test_a_kernel_for_a_function_that_saves_in_forward_is_refused():
    class Other(Plugin):
        info = PluginInfo(name="other", api="1.0", namespaces=("other",))

        @hookimpl
        def chainrule_ops(self):
            yield FirstStyle.as_op("other::first")

        @hookimpl
        def chainrule_kernels(self, backend):
            ks = KernelSet("numpy")
            ks.forward("other::first")(lambda x, factor=3.0: x)
            return ks if backend.isa("numpy") else None

    with pytest.raises(PluginLoadError, match=r"saves in forward\(ctx, ...\)"):
        register(Other())


class Everything(Function):
    @staticmethod
    def forward(*args):
        return args[0]


@pytest.mark.parametrize(
    ("cls", "name", "message"),
    [
        (Scale, "scale", "expected a name like 'special::scale', got 'scale'"),
        (Scale, "pub::", "expected a name like 'special::scale', got 'pub::'"),
        (Function, "pub::f", "Function has no forward"),
        (Everything, "pub::f", "to name its parameters"),
    ],
)
def test_what_cannot_be_an_op_is_refused(cls, name, message):
    with pytest.raises(OpDefinitionError, match=message):
        cls.as_op(name)
