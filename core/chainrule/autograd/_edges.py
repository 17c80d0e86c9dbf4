"""Places in the graph: `get_gradient_edge`."""

from __future__ import annotations

from typing import Any

from ..errors import AutogradError
from ..graph import AccumulateGrad, GradientEdge, gradient_edge
from ..value import Value

__all__ = ["get_gradient_edge"]


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """Return where the gradient of *tensor* goes: it may stand for it in ``grad`` and ``backward``.

    It keeps the graph alive and not the tensor.

    Raises:
        RuntimeError: the tensor does not require grad.

    >>> import chainrule as cr
    >>> x = cr.ones(2, requires_grad=True)
    >>> edge = get_gradient_edge(x * 2)
    >>> edge.node.name(), edge.output_nr
    ('MulBackward0', 0)
    >>> cr.autograd.grad(edge, x, grad_outputs=cr.ones(2))
    (tensor([2., 2.]),)
    """
    edge = gradient_edge(tensor) if isinstance(tensor, Value) else None
    if edge is None:
        msg = (
            "It is not possible to get the gradient edge for a Tensor that does not require "
            "gradients"
        )
        raise AutogradError(msg)
    target, number = edge
    if isinstance(target, Value):
        return GradientEdge(AccumulateGrad.of(target), 0)
    return GradientEdge(target, number)
