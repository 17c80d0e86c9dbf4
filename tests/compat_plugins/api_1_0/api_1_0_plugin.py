"""A plugin for plugin API 1.0, frozen: every later chainrule of this major has to run it as it is.

It implements every hook and uses every record and every way to state an op. Do not change it; a
new minor gets a file of its own beside it.
"""

from __future__ import annotations

from dataclasses import replace

import chainrule_numpy
from chainrule.autograd import Function
from chainrule.plugin import KernelSet, PluginInfo, composite, hookimpl, primitive

told = []


@primitive(namespace="api_1_0", promote="float")
def negative(self: Tensor) -> Tensor:  # noqa: F821 - a schema's word
    """Return ``-self``."""


negative.vjp(self=lambda grad: -grad)


@composite(namespace="api_1_0", promote="float")
def cube(self: Tensor) -> Tensor:  # noqa: F821 - a schema's word
    """Return ``self ** 3``."""
    return self * self * self


cube.vjp(self=lambda grad, self: grad * 3 * self * self)


class Scale(Function):
    """Return ``x * factor``."""

    @staticmethod
    def forward(x, factor: float = 2.0):
        return x * factor

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.factor = inputs[1]

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.factor


ks = KernelSet("xp")
ks.forward("api_1_0::negative")(lambda x: -x)
ks.forward("api_1_0::not_yet", optional=True)(lambda x: x)


@ks.family("api_1_0::cube")
def cube_kernel(xp):
    return lambda x: xp.multiply(xp.multiply(x, x), x)


class Plugin:
    info = PluginInfo(
        name="api_1_0", api="1.0", namespaces=("api_1_0",), summary="frozen",
        homepage="https://example.org", maturity="stable",
    )  # fmt: skip

    @hookimpl
    def chainrule_backends(self):
        yield replace(
            chainrule_numpy.spec, name="frozen", device_types=("frozen",), storage="frozen"
        )

    @hookimpl
    def chainrule_ops(self):
        yield negative
        yield cube
        yield Scale.as_op("api_1_0::scale")

    @hookimpl
    def chainrule_kernels(self, backend):
        return ks if backend.isa("xp") else None

    @hookimpl
    def chainrule_select_backend(self, device_type, candidates):
        return candidates[0]

    @hookimpl
    def chainrule_from_array(self, obj):
        return None

    @hookimpl
    def chainrule_missing_kernel(self, op, backend, policy):
        return None

    @hookimpl
    def chainrule_backend_activated(self, backend):
        told.append(backend.name)

    @hookimpl
    def chainrule_info_section(self):
        return "Frozen", {"api": "1.0"}

    @hookimpl
    def chainrule_conformance_cases(self, op_names):
        return []


plugin = Plugin()
