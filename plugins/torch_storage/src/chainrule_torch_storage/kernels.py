"""What PyTorch does better than NumPy: its own kernels, called on the tensors themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from chainrule.plugin import KernelSet

if TYPE_CHECKING:
    from collections.abc import Callable

ks = KernelSet("torch")

#: Ops whose kernel is PyTorch's function of that name, with the same arguments. Not sinh, cosh and
#: atanh: PyTorch rounds them differently where memory has gaps, and an in-place form would not
#: write what the function returns.
SAME = (
    "acos", "acosh", "asin", "asinh", "atan", "bmm", "cos", "digamma", "dot",
    "erf", "erfc", "erfinv", "exp", "expm1", "lgamma", "log", "log10", "log1p", "log2", "mm", "mv",
    "rsqrt", "sigmoid", "sin", "sqrt", "tan", "tanh",
)  # fmt: skip

for _name in SAME:
    ks.add(f"cr::{_name}", getattr(torch, _name))

ks.add("cr::_mm_with_transpose", torch.mm)


# Views: a tensor knows its strides, whatever they are


@ks.forward("cr::_select")
def select(x: Any, *, dim: int, index: int) -> Any:
    """Return the elements at *index* of a dimension."""
    return x.select(dim, index)


# Convolutions, and their gradients


@ks.forward("cr::_convolution")
def convolution(x: Any, weight: Any, bias: Any, **options: Any) -> Any:
    """Convolve, or with ``transposed`` spread."""
    placed = _in_order(options)

    def convolve(x: Any, weight: Any) -> Any:
        return torch.ops.aten.convolution(x, weight, None, *placed)

    if not x.is_complex():
        return torch.ops.aten.convolution(x, weight, bias, *placed)
    out = bilinear(convolve, x, weight)
    return out if bias is None else out + bias.reshape(-1, *(1,) * len(options["stride"]))


@ks.forward("cr::convolution_backward_input")
def convolution_backward_input(
    grad: Any, weight: Any, *, input_sizes: tuple[int, ...], options: tuple[Any, ...]
) -> Any:
    """Return the gradient in the input."""

    def pull(grad: Any, weight: Any) -> Any:
        like = grad.new_empty(()).expand(input_sizes)
        return _backward(grad, like, weight, options, (True, False, False))[0]

    return bilinear(pull, grad, weight)


@ks.forward("cr::convolution_backward_weight")
def convolution_backward_weight(
    grad: Any, x: Any, *, weight_sizes: tuple[int, ...], options: tuple[Any, ...]
) -> Any:
    """Return the gradient in the weight."""

    def pull(grad: Any, x: Any) -> Any:
        like = grad.new_empty(()).expand(weight_sizes)
        return _backward(grad, x, like, options, (False, True, False))[1]

    return bilinear(pull, grad, x)


def bilinear(function: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """Return ``function(a, b)``, linear in both, which PyTorch computes for real tensors alone."""
    if not a.is_complex():
        return function(a, b)
    real = function(a.real, b.real) - function(a.imag, b.imag)
    return torch.complex(real, function(a.real, b.imag) + function(a.imag, b.real))


def _backward(
    grad: Any, x: Any, weight: Any, options: tuple[Any, ...], mask: tuple[bool, ...]
) -> Any:
    return torch.ops.aten.convolution_backward(grad, x, weight, None, *options, mask)


def _in_order(options: dict[str, Any]) -> tuple[Any, ...]:
    names = ("stride", "padding", "dilation", "transposed", "output_padding", "groups")
    return tuple(options[name] for name in names)
