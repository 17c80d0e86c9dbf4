"""Random expressions of complex and real tensors: the same values, first and second gradients.

An expression is drawn from its seed. It mixes functions of complex numbers with those that lead
from real ones to complex ones and back, with views of parts and with writes into them.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

import chainrule

HOLOMORPHIC = (
    "exp", "sin", "cos", "tan", "tanh", "sinh", "cosh", "log", "log10", "log2", "log1p", "expm1",
    "sqrt", "rsqrt", "reciprocal", "square", "sigmoid", "asin", "acos", "atan", "asinh", "acosh",
    "atanh", "neg",
)  # fmt: skip
CONJUGATE = ("conj", "conj_physical", "resolve_conj", "sgn")
REAL = ("exp", "sin", "tanh", "abs", "sigmoid", "neg", "square")
TO_REAL = {
    "abs": lambda z: z.abs(), "angle": lambda z: z.angle(), "real": lambda z: z.real,
    "imag": lambda z: z.imag, "norm": lambda z: z.norm().expand(3),
}  # fmt: skip


def flipped(lib, z):
    return lib.view_as_complex(lib.view_as_real(z.resolve_conj()).flip(-1).contiguous())


def written(lib, z):
    z = z * 1
    z.imag[1:] = z.real[:2] * 2
    z.imag.add_(0.5)
    return z


def with_parts(lib, z, x, y):
    z = z * 1
    z.real = x
    z.imag.mul_(y)
    return z


ONE = {  # of one complex tensor
    "prod": lambda lib, z: z.prod().expand(3),
    "mean": lambda lib, z: z.mean(0, keepdim=True) * z,
    "cumsum": lambda lib, z: z.cumsum(0),
    "cumprod": lambda lib, z: z.cumprod(0),
    "index": lambda lib, z: z[lib.tensor([2, 0, 0])],
    "power": lambda lib, z: z**3,
    "root": lambda lib, z: z**0.5,
    "complex power": lambda lib, z: z ** (1 + 1j),
    "flipped": flipped,
    "written": written,
}
TWO = {  # of two
    "add": lambda lib, z, w: z + (1 - 2j) * w,
    "mul": lambda lib, z, w: z * w,
    "sub": lambda lib, z, w: z - w.conj(),
    "div": lambda lib, z, w: z / (2 + w * w.conj()),
    "where": lambda lib, z, w: lib.where(z.real > 0.2, z, w),
    "addcmul": lambda lib, z, w: lib.addcmul(z, w, z, value=0.5),
    "matmul": lambda lib, z, w: (z.reshape(3, 1) @ w.reshape(1, 3)) @ z,
    "cat": lambda lib, z, w: lib.cat([z, w])[1:4],
}
MIXED = {  # of a complex one and two real ones
    "scaled": lambda lib, z, x, y: x * z,
    "divided": lambda lib, z, x, y: z / (2 + y),
    "power": lambda lib, z, x, y: z**x,
    "polar": lambda lib, z, x, y: lib.polar(x.abs() + 0.1, y),
    "complex": lambda lib, z, x, y: lib.complex(x, y),
    "with parts": with_parts,
}
JOINED = {  # two real ones
    "add": lambda lib, x, y: x + 2 * y,
    "mul": lambda lib, x, y: x * y,
    "div": lambda lib, x, y: x / (1 + y**2),
}


def expression(draw, depth, kind):
    """Return a function of the library and the leaves that gives a tensor of three elements."""
    if depth == 0:
        which = draw.randrange(2)
        return lambda lib, leaves: leaves[kind][which]
    return (complex_one if kind == "complex" else real_one)(draw, depth - 1)


def complex_one(draw, depth):
    family = draw.choice(("method", "method", "one", "two", "two", "mixed", "mixed"))
    z = expression(draw, depth, "complex")
    if family == "method":
        name = draw.choice(HOLOMORPHIC + CONJUGATE)
        return lambda lib, leaves: getattr(z(lib, leaves), name)()
    if family == "one":
        function = ONE[draw.choice(sorted(ONE))]
        return lambda lib, leaves: function(lib, z(lib, leaves))
    if family == "two":
        function, w = TWO[draw.choice(sorted(TWO))], expression(draw, depth, "complex")
        return lambda lib, leaves: function(lib, z(lib, leaves), w(lib, leaves))
    function = MIXED[draw.choice(sorted(MIXED))]
    x, y = expression(draw, depth, "real"), expression(draw, depth, "real")
    return lambda lib, leaves: function(lib, z(lib, leaves), x(lib, leaves), y(lib, leaves))


def real_one(draw, depth):
    family = draw.choice(("method", "to real", "to real", "joined"))
    if family == "to real":
        function, z = TO_REAL[draw.choice(sorted(TO_REAL))], expression(draw, depth, "complex")
        return lambda lib, leaves: function(z(lib, leaves))
    x = expression(draw, depth, "real")
    if family == "method":
        name = draw.choice(REAL)
        return lambda lib, leaves: getattr(x(lib, leaves), name)()
    function, y = JOINED[draw.choice(sorted(JOINED))], expression(draw, depth, "real")
    return lambda lib, leaves: function(lib, x(lib, leaves), y(lib, leaves))


def leaves_of(lib):
    complex_ones = [0.5 + 0.3j, -0.7 + 0.2j, 0.2 - 0.9j], [-0.3 + 0.6j, 0.8 + 0.1j, 0.4 + 0.4j]
    real_ones = [0.3, -0.5, 0.9], [0.7, 0.2, -0.4]
    return {
        kind: [lib.tensor(np.array(values), requires_grad=True) for values in rows]
        for kind, rows in (("complex", complex_ones), ("real", real_ones))
    }


def outcome(lib, seed):
    """Return the value, the gradients and those of their squares, with dtypes, as NumPy arrays."""
    draw = random.Random(seed)  # noqa: S311 - expressions to try, no secret
    made = expression(draw, draw.randint(1, 4), draw.choice(("complex", "real")))
    leaves = leaves_of(lib)
    inputs = leaves["complex"] + leaves["real"]
    value = made(lib, leaves)
    weights = lib.tensor(np.array([1.0, -0.5, 2.0]))
    if value.is_complex():
        weights = lib.complex(weights, weights.flip(0))
    total = (value * weights).sum()
    loss = total.abs() + total.real if value.is_complex() else total
    slopes = lib.autograd.grad(loss, inputs, create_graph=True, allow_unused=True)
    squares = [(g * g.conj()).sum().real for g in slopes if g is not None and g.requires_grad]
    curved = lib.autograd.grad(sum(squares), inputs, allow_unused=True) if squares else ()
    curved = [lib.zeros_like(x) if g is None else g for g, x in zip(curved, inputs, strict=False)]
    return [plain(lib, value), *(plain(lib, g) for g in slopes)], [plain(lib, g) for g in curved]


def plain(lib, tensor):
    if tensor is None:
        return None
    if lib is torch:
        tensor = (tensor.detach() + 0).resolve_conj().resolve_neg()
    return str(tensor.dtype), tensor.detach().numpy()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's word on overflow
@pytest.mark.parametrize("seed", range(300))
def test_expression_of_complex_numbers_has_pytorchs_gradients(seed):
    (first, second), (expected, curved) = outcome(chainrule, seed), outcome(torch, seed)

    assert [f is None for f in first] == [e is None for e in expected]
    assert len(second) == len(curved)
    for mine, other in zip(first + second, expected + curved, strict=True):
        if mine is None:
            continue
        assert mine[0] == other[0]
        largest = np.nanmax(np.abs(other[1]), initial=1.0)
        if np.isfinite(largest) and largest < 1e12:
            np.testing.assert_allclose(mine[1], other[1], rtol=1e-6, atol=1e-9 * largest)
