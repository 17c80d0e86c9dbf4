"""The backward pass: one loop over the nodes, the youngest first.

A node is younger than the nodes its inputs came from, so taking them by descending sequence
number means that a node runs when every gradient it will get has arrived. No recursion: a graph of
a million nodes is a loop of a million rounds. Rules are pure maths; what the forward pass did to
shapes (broadcasting) and dtypes (promotion) is undone here, in `fit`, for all of them.
"""

from __future__ import annotations

import contextvars
import heapq
import threading
from typing import TYPE_CHECKING, Any

from . import anomaly, ops
from .errors import ArgumentError, AutogradError
from .grad_mode import mode
from .graph import FREED, LEAF, Node
from .shapes import contiguous_strides
from .value import Value, new_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .backend import DispatchKey
    from .graph import Edge


class GraphTask:
    """One backward pass: the gradients that wait for their node or leaf, and what is wanted."""

    def __init__(self, *, keep_graph: bool, create_graph: bool) -> None:
        self.keep_graph, self.create_graph = keep_graph, create_graph
        self.queue: list[tuple[int, Any]] = []
        self.pending: dict[Node, Any] = {}
        self.leaves: dict[int, tuple[Any, Any]] = {}
        self.captured: dict[tuple[int, int], Any] | None = None
        self.reachable: set[Node] | None = None
        self.shared: dict[int, Any] = {}
        self.watcher = anomaly.watcher()

    def send(self, edge: Edge, grad: Any) -> None:
        """Add *grad* to what waits at *edge*."""
        target, number = edge
        if number == LEAF:
            shape, key = target._array.shape, target._key
        else:
            shape, key = (
                (target._shape, target._key) if target._outputs is None else target._outputs[number]
            )
        if grad._key is not key or grad._array.shape != shape:
            grad = fit(grad, shape, key)
        if number == LEAF:
            before = self.leaves.get(id(target))
            self.leaves[id(target)] = target, grad if before is None else ops.add(before[1], grad)
            return
        pending = self.pending
        if target not in pending:
            if self.reachable is not None and target not in self.reachable:
                return
            heapq.heappush(self.queue, (-target._seq, target))
            if target._outputs is None:
                pending[target] = grad
                return
            pending[target] = [None] * len(target._outputs)
        waiting = pending[target]
        if target._outputs is None:
            pending[target] = ops.add(waiting, grad)
        else:
            waiting[number] = grad if waiting[number] is None else ops.add(waiting[number], grad)

    def run(self) -> None:
        """Pull until no node waits."""
        queue, pending = self.queue, self.pending
        restricted, keep_graph = self.captured is not None, self.keep_graph
        run_carefully, watcher = self._run_carefully, self.watcher
        if watcher is not None:
            restricted = True

            def run_carefully(node: Node, grad: Any) -> None:
                watcher.run(node, grad, self._run_carefully)

        following: Any = None  # the one node that waits, with its gradient, past the queue
        while queue or following is not None:
            if following is None:
                node = heapq.heappop(queue)[1]
                grad = pending.pop(node)
            else:
                node, grad = following
                following = None
            plan = node._plan
            if node._extras is not None or restricted or plan is None or not plan.simple:
                run_carefully(node, grad)
                continue
            # The common case, unrolled: one output, no hooks, every rule's gradient is wanted.
            saved, edges = node.unpack() if plan.frees else node._saved, node._edges
            for position, pull, slot in plan.active:
                result = pull(grad, saved if slot is None else saved[slot])
                target, number = edges[position]
                if number or target._outputs is not None:
                    self.send((target, number), result)
                    continue
                if result._key is not target._key or result._array.shape != target._shape:
                    result = fit(result, target._shape, target._key)
                if target in pending:
                    pending[target] = ops.add.fast(pending[target], result)
                elif not queue and plan.single:
                    following = target, result
                else:
                    pending[target] = result
                    heapq.heappush(queue, (-target._seq, target))
            if not keep_graph and plan.frees:
                node._versions = FREED
                node._saved = plan.strip(saved) if plan.static_slots else ()

    def _run_carefully(self, node: Node, grad: Any) -> None:
        """Run one node with hooks, several outputs, a user's rules, or where not all is wanted."""
        if node._extras is not None:
            grad = self._before(node, grad)
        if self.captured is not None and not self._capture(node, grad):
            return
        wanted = None
        if self.reachable is not None:
            wanted = [self._wants(edge) for edge in node._edges]
        results = node.apply(grad, wanted)
        if self.watcher is not None:
            self.watcher.check(node, grad, results)
        if node._plan is None:  # a user's function may keep what it returns
            for result in results:
                if result is not None:
                    self.share(result)
        if not self.keep_graph:
            node.release()
        if node._extras is not None and node._extras.hooks:
            results = _run_hooks(node, results, grad if node._outputs is not None else [grad])
        for edge, result in zip(node._edges, results, strict=False):
            if edge is not None and result is not None:
                self.send(edge, result)

    def _wants(self, edge: Edge | None) -> bool:
        if edge is None:
            return False
        target, number = edge
        if number == LEAF:
            return self.captured is not None and (id(target), LEAF) in self.captured
        return self.reachable is None or target in self.reachable

    def _capture(self, node: Node, grad: Any) -> bool:
        """Take what arrived at a requested output; return whether the pass goes on from *node*."""
        for number, arrived in enumerate([grad] if node._outputs is None else grad):
            place = id(node), number
            if place in self.captured:  # type: ignore[operator]  # the caller checked
                self.captured[place] = arrived  # type: ignore[index]  # likewise
        return any(self._wants(edge) for edge in node._edges)

    def _before(self, node: Node, grad: Any) -> Any:
        """Run what precedes a node: hooks of its outputs, its own pre-hooks, retained gradients."""
        extras, single = node.extras, node._outputs is None
        grads = [grad] if single else list(grad)
        for number, hooks in extras.tensor_hooks.items():
            if grads[number] is not None:
                grads[number] = self.run_tensor_hooks(hooks, grads[number])
        for hook in list(extras.pre_hooks.values()):
            replaced = hook(tuple(grads))
            if replaced is not None:
                grads = list(replaced) if isinstance(replaced, (tuple, list)) else [replaced]
        for number, reference in extras.retained.items():
            tensor, arrived = reference(), grads[number]
            if tensor is not None and arrived is not None:
                self.share(arrived)
                tensor._grad = arrived if tensor._grad is None else ops.add(tensor._grad, arrived)
        return grads[0] if single else grads

    def run_tensor_hooks(self, hooks: Any, grad: Any) -> Any:
        """Return *grad* after the hooks on the tensor whose gradient it is."""
        for hook in list(hooks.values()):
            replaced = hook(grad)
            if replaced is not None:
                grad = _checked_replacement(hook, grad, replaced)
        self.share(grad)
        return grad

    def accumulate(self) -> None:
        """Add what arrived at the leaves into their ``.grad``."""
        for leaf, grad in self.leaves.values():
            self.add_to_grad(leaf, self._after_leaf_hooks(leaf, grad))
            if leaf._hooks is not None:
                for hook in list(leaf._hooks.after.values()):
                    returned = hook(leaf)
                    if returned is not None:
                        msg = (
                            f"expected Variable, but hook returned '{type(returned).__name__}'\n"
                            "register_post_accumulate_grad_hook: the hook must return None."
                        )
                        raise ArgumentError(msg)

    def _after_leaf_hooks(self, leaf: Any, grad: Any) -> Any:
        if leaf._hooks is None or not leaf._hooks.before:
            return grad
        return self.run_tensor_hooks(leaf._hooks.before, grad)

    def add_to_grad(self, leaf: Any, grad: Any) -> None:
        """Add *grad* into ``leaf.grad``: in place, unless the pass is recorded."""
        before = leaf._grad
        if before is not None:
            if self.create_graph:
                leaf._grad = ops.add(before, grad)
            else:
                ops.add.in_place((before, grad), {})
        elif self.create_graph:
            leaf._grad = ops.clone(grad)
        elif not leaf._key.backend.is_contiguous(leaf._array):
            leaf._grad = laid_out_like(grad, leaf)
        elif self._is_ours(grad):
            self.share(grad)
            leaf._grad = grad if grad._base is None else new_value(grad._array, grad._key)
        else:
            leaf._grad = new_value(grad._key.backend.copy(grad._array), grad._key)

    def _is_ours(self, grad: Any) -> bool:
        """Return whether nobody else looks at the memory of *grad*: then it need not be copied."""
        if id(grad._array) in self.shared:
            return False
        base = grad._base
        return base is None or (
            id(base._array) not in self.shared and grad._key.backend.is_contiguous(grad._array)
        )

    def share(self, grad: Any) -> None:
        """Remember that somebody else may look at the memory of *grad*."""
        self.shared[id(grad._array)] = grad
        if grad._base is not None:
            self.shared[id(grad._base._array)] = grad._base

    def arrived(self, edge: Edge) -> Any:
        """Return the gradient that arrived at a requested place, or None."""
        target, number = edge
        if number != LEAF:
            return self.captured[id(target), number]  # type: ignore[index]  # made from the requests
        leaf = self.leaves.get(id(target))
        return None if leaf is None else self._after_leaf_hooks(target, leaf[1])


def fit(grad: Any, shape: tuple[int, ...], key: DispatchKey) -> Any:
    """Return *grad* as the gradient of a tensor of *shape* and *key*.

    Promotion and broadcasting are undone.

    Raises:
        ShapeError: *shape* does not broadcast to the gradient's.
    """
    if grad._key.dtype.is_complex and not key.dtype.is_complex:
        grad = ops.real(grad)
    if grad._array.shape != shape:
        grad = ops.sum_to_size(grad, *shape)
    if grad._key is not key:
        grad = ops._to_copy(grad, dtype=key.dtype, device=key.device, backend=key.backend)
    return grad


def laid_out_like(grad: Any, leaf: Any) -> Any:
    """Return a copy of *grad* with the strides of *leaf*, if those are of a tensor without gaps."""
    shape, strides = leaf._array.shape, leaf._key.backend.strides(leaf._array)
    order = sorted(range(len(shape)), key=lambda dim: -strides[dim])
    packed = contiguous_strides([shape[dim] for dim in order])
    if tuple(strides[dim] for dim in order) != packed:
        return new_value(grad._key.backend.copy(grad._array), grad._key)
    back = sorted(range(len(shape)), key=order.__getitem__)
    moved = ops.clone(ops.permute(grad, order))
    return new_value(ops.permute(moved, back)._array, grad._key)


def _run_hooks(node: Node, results: Sequence[Any], grads: Sequence[Any]) -> Sequence[Any]:
    for hook in list(node.extras.hooks.values()):
        replaced = hook(tuple(results), tuple(grads))
        if replaced is None:
            continue
        replaced = replaced if isinstance(replaced, tuple) else (replaced,)
        if len(replaced) != len(results):
            name = getattr(hook, "__name__", type(hook).__name__)
            msg = (
                f"hook '{name}' has returned an incorrect number of values "
                f"(got {len(replaced)}, but expected {len(results)})"
            )
            raise AutogradError(msg)
        results = replaced
    return results


def _checked_replacement(hook: Any, grad: Any, replaced: Any) -> Any:
    name = getattr(hook, "__name__", type(hook).__name__)
    if not isinstance(replaced, Value):
        msg = f"expected Variable, but hook returned '{type(replaced).__name__}'"
        raise ArgumentError(msg)
    if replaced._key.dtype is not grad._key.dtype:
        kinds = [f"torch.{v._key.dtype.scalar_name}Tensor" for v in (grad, replaced)]
        msg = f"hook '{name}' has changed the type of value (was {kinds[0]} got {kinds[1]})"
        raise AutogradError(msg)
    if replaced._array.shape != grad._array.shape:
        msg = f"hook '{name}' has changed the size of value"
        raise AutogradError(msg)
    return replaced


def _reachable(roots: list[Edge], wanted: set[tuple[int, int]]) -> set[Node]:
    """Return the nodes on a path from *roots* to a wanted place, and those that are one."""
    nodes: set[Node] = set()
    stack = [target for target, number in roots if number != LEAF]
    while stack:
        node = stack.pop()
        if node not in nodes:
            nodes.add(node)
            stack.extend(e[0] for e in node._edges if e is not None and e[1] != LEAF)
    on_path: set[Node] = set()
    ends = {place[0] for place in wanted if place[1] != LEAF}
    for node in sorted(nodes, key=lambda node: node._seq):
        if id(node) in ends or any(
            e is not None and ((id(e[0]), LEAF) in wanted if e[1] == LEAF else e[0] in on_path)
            for e in node._edges
        ):
            on_path.add(node)
    return on_path


def run_backward(
    roots: list[Edge],
    grads: list[Any],
    *,
    keep_graph: bool,
    create_graph: bool,
    inputs: list[Edge] | None = None,
    into: Sequence[Any] = (),
) -> list[Any]:
    """Return the gradients at *inputs*; with None, add them into the leaves' ``.grad``.

    Args:
        roots: Where to start.
        grads: The gradient at each root.
        keep_graph: Keep what the nodes saved.
        create_graph: Record the pass itself, for derivatives of higher order.
        inputs: Where gradients are wanted; only what leads there runs.
        into: Tensors, one per input, whose ``.grad`` takes what arrived.
    """
    task = GraphTask(keep_graph=keep_graph, create_graph=create_graph)
    if inputs is not None:
        task.captured = {(id(target), number): None for target, number in inputs}
        task.reachable = _reachable(roots, set(task.captured))
    for grad in grads:
        task.share(grad)
    if mode.depth and mode.depth % _LEVELS_PER_STACK == 0:
        return on_new_stack(  # type: ignore[no-any-return]  # what the call below returns
            lambda: run_backward(
                roots,
                grads,
                keep_graph=keep_graph,
                create_graph=create_graph,
                inputs=inputs,
                into=into,
            )
        )
    before, mode.enabled = mode.enabled, create_graph
    mode.depth += 1
    try:
        for edge, grad in zip(roots, grads, strict=True):
            task.send(edge, grad)
        task.run()
        if inputs is None:
            task.accumulate()
            return []
        found = [task.arrived(edge) for edge in inputs]
        for tensor, grad in zip(into, found, strict=False):
            if grad is not None and tensor is not None:
                task.add_to_grad(tensor, grad)
        return found
    finally:
        mode.enabled = before
        mode.depth -= 1


#: A pass inside a hook or a user's backward nests on Python's stack; past this it gets a new one.
_LEVELS_PER_STACK = 40


def on_new_stack(function: Callable[[], Any]) -> Any:
    """Return what *function* returns on a thread, and so a stack, of its own, in this mode."""
    outcome: list[Any] = []
    enabled, depth = mode.enabled, mode.depth

    def run() -> None:
        mode.enabled, mode.depth = enabled, depth + 1
        try:
            outcome.extend((function(), None))
        except BaseException as error:  # noqa: BLE001 - raised again on the thread that waits
            outcome.extend((None, error))

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), name="backward")
    thread.start()
    thread.join()
    result, error = outcome
    if error is not None:
        raise error
    return result
