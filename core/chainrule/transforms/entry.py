"""Differentiating a stretch of a program: what goes in, and what of the result depends on the rest.

`func.grad` and the forward mode of an op without a rule differentiate by some tensors *only*, in
the middle of a graph that may go further back. The tensors go in as aliases; a result comes out
with its history if that leads to something before the stretch, and without if it leads nowhere
but to the aliases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import engine
from ..errors import AutogradError
from ..grad_mode import mode
from ..graph import LEAF, gradient_edge, next_sequence
from .wrapped import Wrapped, alias, raw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..graph import Edge


class Stretch:
    """The part of a graph that one differentiation is about.

    Attributes:
        recording: Whether history before it is of interest: the mode at its start.
    """

    def __init__(self, *, recording: bool) -> None:
        self.recording = recording
        self._start = next_sequence()
        self._inside: set[int] = set()
        self._kept: list[Any] = []  # so that no id is used again

    def enter(self, tensor: Any) -> Any:
        """Return *tensor* as one to differentiate by; its history, if any, lies behind it.

        Raises:
            RuntimeError: it is of an integer type.
        """
        if not tensor._key.floating:
            msg = (
                "only Tensors of floating point dtype can require gradients\n"
                f"expected a floating or complex dtype, got {tensor._key.dtype}."
            )
            raise AutogradError(msg)
        if self.recording and tensor.requires_grad:
            before, mode.enabled = mode.enabled, True
            try:
                return raw._alias(tensor)
            finally:
                mode.enabled = before
        made = alias(tensor)
        made._requires_grad = True
        self.inside(made)
        return made

    def inside(self, leaf: Any) -> None:
        """Count a leaf among what lies within the stretch."""
        self._inside.add(id(leaf))
        self._kept.append(leaf)

    def leads_out(self, tensors: Sequence[Any]) -> bool:
        """Return whether the history of one of *tensors* goes further back than the stretch."""
        if not self.recording:
            return False
        edges = [gradient_edge(tensor) for tensor in tensors]
        if self._edges_lead_out([edge for edge in edges if edge is not None]):
            return True
        return any(
            isinstance(tensor._array, Wrapped) and Wrapped.differentiated(tensor._array)
            for tensor in tensors
        )

    def _edges_lead_out(self, edges: list[Edge]) -> bool:
        seen: set[Any] = set()
        stack = list(edges)
        while stack:
            target, number = stack.pop()
            if number == LEAF:
                if id(target) not in self._inside:
                    return True
            elif target not in seen:
                if target._seq <= self._start:
                    return True
                seen.add(target)
                stack.extend(edge for edge in target._edges if edge is not None)
        return False

    def leave(self, tensor: Any) -> Any:
        """Return a result: without its history, if that leads nowhere but into the stretch."""
        if not tensor.requires_grad:
            return tensor
        edge = gradient_edge(tensor)
        if self.recording and edge is not None and self._edges_lead_out([edge]):
            return tensor
        return alias(tensor)


def pull(
    outputs: Sequence[Any],
    cotangents: Sequence[Any],
    inputs: Sequence[Any],
    *,
    create_graph: bool,
    keep_graph: bool = True,
) -> list[Any]:
    """Return the gradients of *outputs* by *inputs*, None where there is none."""
    roots, grads = [], []
    for output, cotangent in zip(outputs, cotangents, strict=True):
        edge = gradient_edge(output)
        if edge is not None:
            roots.append(edge)
            grads.append(cotangent)
    if not roots:
        return [None] * len(inputs)
    edges: list[Any] = [gradient_edge(tensor) for tensor in inputs]
    return engine.run_backward(
        roots, grads, keep_graph=keep_graph, create_graph=create_graph, inputs=edges, capture=True
    )
