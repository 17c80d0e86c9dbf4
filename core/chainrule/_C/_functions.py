"""Functions for trying out what a graph does when things go wrong."""

from __future__ import annotations

from typing import Any

from ..errors import AutogradError
from ..function import Function

__all__ = ["DelayedError", "UndefinedGrad"]


class DelayedError:
    """Returns tensors as they are, whose backward raises a RuntimeError.

    Args:
        msg: The message.
        num_inputs: How many tensors are taken.

    >>> import chainrule as cr
    >>> x = cr.ones(1, requires_grad=True)
    >>> DelayedError("not now", 1)(x).backward()
    Traceback (most recent call last):
    ...
    chainrule.errors.AutogradError: not now
    """

    def __init__(self, msg: str, num_inputs: int) -> None:
        self._message = msg

    def __call__(self, *inputs: Any) -> Any:
        return Error.apply(self._message, *inputs)


class UndefinedGrad:
    """Returns tensors as they are, whose backward gives no gradient.

    >>> import chainrule as cr
    >>> x = cr.ones(1, requires_grad=True)
    >>> UndefinedGrad()(x).backward()
    >>> x.grad is None
    True
    """

    def __call__(self, *inputs: Any) -> Any:
        return UndefinedGradFunction.apply(*inputs)


class Error(Function):
    """What `DelayedError` leaves in the graph."""

    @staticmethod
    def forward(ctx: Any, message: str, *inputs: Any) -> Any:
        """Return the inputs as they are."""
        ctx.message = message
        outputs = tuple(tensor.view_as(tensor) for tensor in inputs)
        return outputs[0] if len(outputs) == 1 else outputs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Raise."""
        raise AutogradError(ctx.message)


class UndefinedGradFunction(Function):
    """What `UndefinedGrad` leaves in the graph."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Any:
        """Return the inputs as they are."""
        outputs = tuple(tensor.view_as(tensor) for tensor in inputs)
        return outputs[0] if len(outputs) == 1 else outputs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Return nothing."""
        return (None,) * len(grads)


def _rename(function: type[Function], name: str) -> None:
    """Let the nodes of *function* be called *name*, as those of PyTorch's C++ half."""
    node: Any = function._node_class
    node.__name__, node.name = name, lambda self: f"torch::autograd::{name}"


_rename(Error, "Error")
_rename(UndefinedGradFunction, "UndefinedGradBackward")
