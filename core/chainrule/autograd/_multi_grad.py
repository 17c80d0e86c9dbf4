"""One hook for the gradients of several tensors."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

from ..engine import current_task
from ..errors import AutogradError
from ..graph import AccumulateGrad, Node, gradient_edge
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..engine import GraphTask
    from ..hooks import RemovableHandle

__all__ = ["register_multi_grad_hook"]


class _MultiHandle:
    """Undo of several registrations."""

    def __init__(self, handles: tuple[RemovableHandle, ...]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Undo them; a second time does nothing."""
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def register_multi_grad_hook(
    tensors: Sequence[Any], fn: Callable[[Any], None], *, mode: str = "all"
) -> _MultiHandle:
    """Call *fn* once per backward pass, with the gradients of *tensors*.

    Args:
        tensors: Tensors that require grad.
        fn: With ``"all"`` called with a list when the gradient of every tensor that gets one in
            this pass is there, None for the others; with ``"any"`` called with the first gradient.
        mode: ``"all"`` or ``"any"``.

    Raises:
        ValueError: another *mode*.
        AssertionError: a tensor requires no grad.

    >>> import chainrule as cr
    >>> a, b = cr.ones(1, requires_grad=True), cr.ones(1, requires_grad=True)
    >>> handle = register_multi_grad_hook([a, b], print)
    >>> (2 * a + 3 * b).backward()
    [tensor([2.]), tensor([3.])]
    """
    if mode not in {"all", "any"}:
        msg = f"Expects mode to be one of ('all', 'any') but got {mode}"
        raise ValueError(msg)
    if mode == "any":
        first = _First(fn)
        wanted = [tensor for tensor in tensors if tensor.requires_grad]
        return _MultiHandle(tuple(tensor.register_hook(first) for tensor in wanted))
    everything = _All(fn, [_node_of(tensor) for tensor in tensors])
    return _MultiHandle(
        tuple(t.register_hook(everything.at(position)) for position, t in enumerate(tensors))
    )


def _node_of(tensor: Any) -> Node:
    edge = gradient_edge(tensor)
    if edge is None:
        msg = (
            "Expected gradient function to be set\n"
            "register_multi_grad_hook: expected tensors that require grad."
        )
        raise AssertionError(msg)
    return AccumulateGrad.of(edge[0]) if isinstance(edge[0], Value) else edge[0]


class _First:
    """Calls a function with the first gradient of each pass."""

    def __init__(self, fn: Callable[[Any], None]) -> None:
        self.fn, self.last, self.lock = fn, -1, threading.Lock()

    def __call__(self, grad: Any) -> None:
        number = _pass().id
        with self.lock:
            if number == self.last:
                return
            self.last = number
        self.fn(grad)


class _All:
    """Calls a function with all gradients of each pass, once they are there."""

    def __init__(self, fn: Callable[[Any], None], nodes: list[Node]) -> None:
        self.fn, self.nodes, self.lock = fn, nodes, threading.Lock()
        self.arrived: dict[int, list[Any]] = {}
        self.missing: dict[int, int] = {}

    def at(self, position: int) -> Callable[[Any], None]:
        """Return the hook of one tensor."""
        return lambda grad: self._take(position, grad)

    def _take(self, position: int, grad: Any) -> None:
        task = _pass()
        with self.lock:
            if task.id not in self.missing:
                self.missing[task.id] = sum(map(task.will_execute, self.nodes))
                self.arrived[task.id] = [None] * len(self.nodes)
                task.at_end.append(lambda: self._forget(task.id))
            self.arrived[task.id][position] = grad
            self.missing[task.id] -= 1
            complete = self.missing[task.id] == 0
        if complete:
            self.fn(self.arrived[task.id])

    def _forget(self, number: int) -> None:
        self.missing.pop(number, None)
        self.arrived.pop(number, None)


def _pass() -> GraphTask:
    task = current_task()
    if task is None:
        msg = "expected this hook to be called inside a backward call"
        raise AutogradError(msg)
    return task
