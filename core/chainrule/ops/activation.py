"""Activation functions made of straight lines: relu and its kin.

Each has a gradient op, ``<name>_backward``, for which a backend may have a kernel of its own. The
slope at a kink is stated under *Gradient*.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..dtypes import FLOATING
from ..errors import DomainError, ShapeError
from ..op import composite
from ._operands import floating_only, zeros_of
from .clamping import clamp, clamp_min
from .comparison import ge, gt, le, logical_and, logical_or, lt
from .selection import where

if TYPE_CHECKING:
    from ..tensor import Number, Tensor

__all__ = [
    "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "prelu", "relu", "relu6",
    "softshrink", "threshold",
]  # fmt: skip


@composite(
    promote="arithmetic",
    refuses={
        "bool": "Boolean inputs not supported for relu",
        "complex": "clamp is not supported for complex types",
    },
)
def relu(self: Tensor) -> Tensor:
    """Return each element, or 0 where it is negative.

    Gradient:
        ``grad`` where *result* is positive, else 0, also at 0.

    >>> import chainrule as cr
    >>> cr.relu(cr.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return clamp_min(self, 0)


@composite(promote="arithmetic")
def threshold_backward(grad_output: Tensor, self: Tensor, threshold: Number = 0) -> Tensor:
    """Return *grad_output*, or 0 where *self* is not above *threshold*."""
    return where(le(self, threshold), 0, grad_output)  # type: ignore[no-any-return]  # an op's result


relu.vjp(self=lambda grad, result: threshold_backward(grad, result))
threshold_backward.vjp(
    grad_output=lambda grad, self, threshold: threshold_backward(grad, self, threshold),
    self=lambda grad: zeros_of(grad),
)


@composite(promote="arithmetic", refuses={"bool": "threshold_cpu", "complex": "threshold_cpu"})
def threshold(self: Tensor, threshold: Number, value: Number) -> Tensor:
    """Return each element that is above *threshold*, and *value* in place of the others.

    Gradient:
        ``grad`` above the threshold, else 0.

    >>> import chainrule as cr
    >>> cr.threshold(cr.tensor([0.5, 2.0]), 1, -9)
    tensor([-9.,  2.])
    """
    return where(le(self, threshold), value, self)  # type: ignore[no-any-return]  # an op's result


threshold.vjp(self=lambda grad, self, threshold: threshold_backward(grad, self, threshold))

_NO_LIMITS = {
    "bool": "Bool inputs not supported for hardtanh",
    "complex": "clamp is not supported for complex types",
}


@composite(promote="arithmetic", refuses=_NO_LIMITS)
def hardtanh(self: Tensor, min_val: Number = -1.0, max_val: Number = 1.0) -> Tensor:
    """Return each element, or the bound that it is beyond.

    Gradient:
        ``grad`` between the bounds, 0 beyond and on them.

    >>> import chainrule as cr
    >>> cr.hardtanh(cr.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return clamp(self, min_val, max_val)


@composite(promote="arithmetic")
def hardtanh_backward(
    grad_output: Tensor, self: Tensor, min_val: Number = -1.0, max_val: Number = 1.0
) -> Tensor:
    """Return *grad_output* where *self* is between the bounds, else 0."""
    inside = logical_and(gt(self, min_val), lt(self, max_val))
    return where(inside, grad_output, 0)  # type: ignore[no-any-return]  # an op's result


hardtanh.vjp(
    self=lambda grad, self, min_val, max_val: hardtanh_backward(grad, self, min_val, max_val)
)
hardtanh_backward.vjp(
    grad_output=lambda grad, self, min_val, max_val: hardtanh_backward(
        grad, self, min_val, max_val
    ),
    self=lambda grad: zeros_of(grad),
)


def relu6(input: Tensor) -> Tensor:
    """Return each element limited to between 0 and 6: `hardtanh` with these bounds.

    >>> import chainrule as cr
    >>> cr.ops.relu6(cr.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """
    return hardtanh(input, 0, 6)


@composite(promote="arithmetic", refuses=floating_only("leaky_relu_cpu"))
def leaky_relu(self: Tensor, negative_slope: Number = 0.01) -> Tensor:
    """Return each element, times *negative_slope* where it is negative.

    Gradient:
        ``grad`` for positive elements, else ``grad * negative_slope``, also at 0.

    >>> import chainrule as cr
    >>> cr.ops.leaky_relu(cr.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return where(gt(self, 0), self, self * negative_slope)  # type: ignore[no-any-return]  # an op's result


@composite(promote="arithmetic")
def leaky_relu_backward(grad_output: Tensor, self: Tensor, negative_slope: Number = 0.01) -> Tensor:
    """Return *grad_output*, times *negative_slope* where *self* is not positive."""
    return where(gt(self, 0), grad_output, grad_output * negative_slope)  # type: ignore[no-any-return]  # an op's result


leaky_relu.vjp(
    self=lambda grad, self, negative_slope: leaky_relu_backward(grad, self, negative_slope)
)
leaky_relu_backward.vjp(
    grad_output=lambda grad, self, negative_slope: leaky_relu_backward(grad, self, negative_slope),
    self=lambda grad: zeros_of(grad),
)


@composite(promote="arithmetic", refuses=floating_only("prelu_cpu"))
def _prelu_kernel(self: Tensor, weight: Tensor) -> Tensor:
    """Return *self*, times *weight* where it is negative."""
    return where(gt(self, 0), self, self * weight)  # type: ignore[no-any-return]  # an op's result


_prelu_kernel.vjp(
    self=lambda grad, self, weight: where(gt(self, 0), grad, grad * weight),
    weight=lambda grad, self: where(gt(self, 0), 0, grad * self),
)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Return each element, times a learned factor where it is negative.

    Args:
        input: ``(N, C, *)``, or ``(C)``.
        weight: ``(C)``, one factor per channel, or ``(1)``.

    Raises:
        RuntimeError: the number of factors is neither 1 nor that of the channels.

    Gradient:
        ``grad`` for positive elements, else ``grad * weight``, for *input*; ``grad * input`` where
        that is not positive, summed, for *weight*.

    >>> import chainrule as cr
    >>> cr.prelu(cr.tensor([-4.0, 2.0]), cr.tensor([0.25]))
    tensor([-1.,  2.])
    """
    _check_factors(input, weight)
    ndim = len(input._array.shape)
    if len(weight._array.shape) != ndim:
        factors = math.prod(weight._array.shape)
        weight = weight.reshape([factors if d == 1 else 1 for d in range(ndim)])
    return _prelu_kernel(input, weight)


def _check_factors(input: Tensor, weight: Tensor) -> None:
    shape, factors, ndim = (
        input._array.shape,
        math.prod(weight._array.shape),
        len(weight._array.shape),
    )
    channels = shape[1] if len(shape) > 1 else 1
    if factors != 1 and not shape:
        sentence = "Not allow zero-dim input tensor."
    elif factors not in {1, channels}:
        sentence = (
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
            f"{factors} and channel size = {channels}."
        )
    elif ndim > 1:
        sentence = f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {ndim}"
    else:
        return
    msg = f"{sentence}\nprelu: expected one factor, or one per channel of {tuple(shape)}."
    raise ShapeError(msg)


@composite(promote="arithmetic", refuses=floating_only("hardsigmoid_cpu"))
def hardsigmoid(self: Tensor) -> Tensor:
    """Return the line through (-3, 0) and (3, 1), limited to between 0 and 1.

    Gradient:
        ``grad / 6`` between -3 and 3, 0 beyond and on them.

    Differs from PyTorch:
        It has a second derivative: 0.

    >>> import chainrule as cr
    >>> cr.ops.hardsigmoid(cr.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    return clamp(self + 3, 0, 6) / 6  # type: ignore[no-any-return]  # an op's result


@composite(promote="arithmetic")
def hardsigmoid_backward(grad_output: Tensor, self: Tensor) -> Tensor:
    """Return the gradient of `hardsigmoid` at *self* for that of its result."""
    return where(_within(self, 3), grad_output / 6, 0)  # type: ignore[no-any-return]  # an op's result


def _within(self: Tensor, limit: Number) -> Tensor:
    """Return where *self* is strictly between ``-limit`` and *limit*."""
    return logical_and(gt(self, -limit), lt(self, limit))


hardsigmoid.vjp(self=lambda grad, self: hardsigmoid_backward(grad, self))
hardsigmoid_backward.vjp(
    grad_output=lambda grad, self: hardsigmoid_backward(grad, self),
    self=lambda grad: zeros_of(grad),
)


@composite(promote="arithmetic", refuses=floating_only("hardswish_cpu"))
def hardswish(self: Tensor) -> Tensor:
    """Return ``self * hardsigmoid(self)``.

    Gradient:
        0 up to -3, ``grad * (self / 3 + 1 / 2)`` between, ``grad`` from 3 on.

    Source:
        A. Howard et al. (2019), Searching for MobileNetV3.

    >>> import chainrule as cr
    >>> cr.ops.hardswish(cr.tensor([-1.5, 1.5, 4.0]))
    tensor([-0.3750,  1.1250,  4.0000])
    """
    return self * clamp(self + 3, 0, 6) / 6  # type: ignore[no-any-return]  # an op's result


@composite(promote="arithmetic")
def hardswish_backward(grad_output: Tensor, self: Tensor) -> Tensor:
    """Return the gradient of `hardswish` at *self* for that of its result."""
    bent = where(le(self, -3), 0, grad_output * (self / 3 + 0.5))
    return where(ge(self, 3), grad_output, bent)  # type: ignore[no-any-return]  # an op's result


hardswish.vjp(self=lambda grad, self: hardswish_backward(grad, self))
hardswish_backward.vjp(
    grad_output=lambda grad, self: hardswish_backward(grad, self),
    self=lambda grad, grad_output, self: where(_within(self, 3), grad * grad_output / 3, 0),
)


@composite(promote="arithmetic", refuses=floating_only("hardshrink_cpu"))
def hardshrink(self: Tensor, lambd: Number = 0.5) -> Tensor:
    """Return each element, or 0 where it is between ``-lambd`` and *lambd*.

    Gradient:
        ``grad`` beyond the two, 0 between and on them.

    >>> import chainrule as cr
    >>> cr.hardshrink(cr.tensor([-1.0, 0.3, 2.0]))
    tensor([-1.,  0.,  2.])
    """
    return where(_not_beyond(self, lambd), 0, self)  # type: ignore[no-any-return]  # an op's result


def _beyond(self: Tensor, lambd: Number) -> Tensor:
    return logical_or(gt(self, lambd), lt(self, -lambd))


def _not_beyond(self: Tensor, lambd: Number) -> Tensor:
    return logical_and(ge(self, -lambd), le(self, lambd))


@composite(promote="arithmetic")
def hardshrink_backward(grad_output: Tensor, self: Tensor, lambd: Number = 0.5) -> Tensor:
    """Return *grad_output* where *self* is beyond ``-lambd`` and *lambd*, else 0."""
    return where(_beyond(self, lambd), grad_output, 0)  # type: ignore[no-any-return]  # an op's result


hardshrink.vjp(self=lambda grad, self, lambd: hardshrink_backward(grad, self, lambd))
hardshrink_backward.vjp(
    grad_output=lambda grad, self, lambd: hardshrink_backward(grad, self, lambd),
    self=lambda grad: zeros_of(grad),
)


@composite(promote="arithmetic", refuses=floating_only("softshrink_check"))
def softshrink(self: Tensor, lambd: Number = 0.5) -> Tensor:
    """Return each element moved towards 0 by *lambd*, and 0 where that would pass 0.

    Raises:
        RuntimeError: *lambd* is negative.

    Gradient:
        ``grad`` beyond ``-lambd`` and *lambd*, 0 between and on them.

    >>> import chainrule as cr
    >>> cr.ops.softshrink(cr.tensor([-1.0, 0.3, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    moved = where(gt(self, lambd), self - lambd, self + lambd)
    return where(_not_beyond(self, lambd), self * 0, moved)  # type: ignore[no-any-return]  # an op's result


@composite(promote="arithmetic")
def softshrink_backward(grad_output: Tensor, self: Tensor, lambd: Number = 0.5) -> Tensor:
    """Return *grad_output* where *self* is beyond ``-lambd`` and *lambd*, else 0."""
    return where(_beyond(self, lambd), grad_output, 0)  # type: ignore[no-any-return]  # an op's result


softshrink.vjp(self=lambda grad, self, lambd: softshrink_backward(grad, self, lambd))
softshrink_backward.vjp(
    grad_output=lambda grad, self, lambd: softshrink_backward(grad, self, lambd),
    self=lambda grad: zeros_of(grad),
)


_LARGEST = {2: "65504", 4: "3.40282e+38", 8: "1.79769e+308"}


@softshrink.checks
def _check_lambda(self: Tensor, lambd: Number) -> None:
    if lambd < 0 and self._key.category == FLOATING:  # type: ignore[operator]  # a bound is no complex number
        dtype = self._key.dtype
        msg = (
            f"lambda must be in range [0, {_LARGEST[dtype.itemsize]}] for input dtype "
            f"{dtype.scalar_name}, but found {lambd}\n"
            "softshrink: expected a distance, which is not negative."
        )
        raise DomainError(msg)
