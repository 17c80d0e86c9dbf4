"""Functions for trying out what a graph does when things go wrong."""

from __future__ import annotations

from typing import Any

from ..function import Error, Function, rename_node

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


rename_node(UndefinedGradFunction, "UndefinedGradBackward")
