"""Scalars of NumPy are the numbers that they hold: what is computed with them keeps its dtype.

``numpy.float64`` is a `float` to Python, and a float64 array to NumPy, which would compute in it.
"""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
import chainrule.nn.functional as F

S = np.float64(1.5)
OPERATORS = {
    "+": lambda x: x + S,
    "-": lambda x: x - S,
    "*": lambda x: x * S,
    "/": lambda x: x / S,
    "**": lambda x: x**S,
    "%": lambda x: x % S,
    "reflected -": lambda x: S - x,
    "reflected *": lambda x: S * x,
    "reflected /": lambda x: S / x,
    "reflected **": lambda x: S**x,
    "where": lambda x: cr.where(x > 1, x, S),
    "alpha": lambda x: cr.add(x, x, alpha=S),
    "value": lambda x: cr.addcmul(x, x, x, value=S),
    "lerp": lambda x: cr.lerp(x, x * 2, S),
    "clamp": lambda x: x.clamp(-S, S),
    "xlogy": lambda x: cr.xlogy(x, S),
    "leaky_relu": lambda x: F.leaky_relu(x, S),
    "elu": lambda x: F.elu(x, S),
    "celu": lambda x: F.celu(x, S),
    "softplus": lambda x: F.softplus(x, S),
    "hardtanh": lambda x: F.hardtanh(x, -S, S),
    "softshrink": lambda x: F.softshrink(x, S),
    "threshold": lambda x: F.threshold(x, S, S),
    "huber_loss": lambda x: F.huber_loss(x, x * 3, delta=S),
    "normalize": lambda x: F.normalize(x, p=np.float64(3), dim=0, eps=np.float64(1e-8)),
    "layer_norm": lambda x: F.layer_norm(x, (2,), eps=np.float64(1e-5)),
    "dropout": lambda x: F.dropout(x, np.float64(0.5)),
    "pad": lambda x: F.pad(x, (1, 1), value=S),
    "0-d": lambda x: x.sum() * S,
    "truth": lambda x: x * np.bool_(True),
}


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_numpy_scalar_does_not_widen_values_or_gradients(name, dtype):
    x = cr.tensor([0.5, 2.0], dtype=getattr(cr, dtype), requires_grad=True)
    y = OPERATORS[name](x)
    y.sum().backward()

    assert (y.dtype, x.grad.dtype) == (x.dtype, x.dtype)
    assert y.detach().numpy().dtype == x.grad.numpy().dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("x", "scalar", "dtype"),
    [
        (cr.tensor([1, 2]), S, "float32"),
        (cr.tensor([1, 2], dtype=cr.int32), np.int64(3), "int32"),
        (cr.tensor([True]), np.int8(3), "int64"),
        (cr.tensor([1.0], dtype=cr.float64), np.float32(3), "float64"),
        (cr.tensor([1.0]), np.complex128(3j), "complex64"),
    ],
)
def test_a_numpy_scalar_promotes_as_a_python_number_does(x, scalar, dtype):
    assert (x * scalar).numpy().dtype == (x * scalar.item()).numpy().dtype == np.dtype(dtype)


def test_an_optimizer_takes_a_numpy_scalar_as_its_rate():
    for kind in (cr.optim.SGD, cr.optim.Adam, cr.optim.RMSprop):
        w = cr.ones(2, requires_grad=True)
        optimizer = kind([w], lr=np.float64(0.1))
        w.sum().backward()
        optimizer.step()

        assert w.detach().numpy().dtype == np.float32
