"""The backward pass: one loop over the nodes, the youngest first.

A node is younger than the nodes its inputs came from, so taking them by descending sequence
number means that a node runs when every gradient it will get has arrived. No recursion: a graph of
a million nodes is a loop of a million rounds.
"""

from __future__ import annotations

import contextvars
import heapq
import itertools
import operator
import threading
from typing import TYPE_CHECKING, Any

from . import anomaly, graph, ops, overriding
from .accumulation import Ownership, as_gradient_of, fit
from .errors import AutogradError
from .grad_mode import mode
from .graph import FREED, LEAF, AccumulateGrad, Node
from .hook_calls import run_leaf_hooks, run_node_hooks, run_tensor_hooks
from .hooks import LeafHooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .graph import Edge

# Note [Nothing arrives]
# ----------------------
# A node may have no gradient for an input that requires one. What lies before it still runs, with
# None: PyTorch's users see their hooks called with None, and zeros in their Functions. That is rare
# enough for the rest of such a pass to go the careful way.

# Note [When a leaf is done]
# --------------------------
# Leaves are finished together at the end of a pass, which needs no count of who still points at
# them. Only a hook can tell. So if a leaf has one, or when a pass meets the first hook of a node,
# the edges that still lead to each leaf are counted (`_watch_leaves`) and each leaf is finished
# when its last gradient has arrived: an optimizer may step inside the pass, and free the gradient.
# If a pass fails, the leaves that wait for nothing any more are finished, and the others are not.


class _Threads(threading.local):
    """The innermost pass of one thread."""

    task: GraphTask | None = None


_running = _Threads()


class GraphTask:
    """One backward pass: the gradients that wait for their node or leaf, and what is wanted.

    Attributes:
        captured: What arrived at the places that `grad` asks for; None for ``backward()``.
        targets: The leaves that ``backward(inputs=...)`` is limited to; None: all.
        reachable: The nodes that lead to a wanted place, or are one; None: all.
        ends: The nodes among them that run though nothing behind them is wanted.
        node: The node that runs now, where somebody could ask.
        callbacks: What a user queued for when the pass has succeeded.
        at_end: What is to be called however it ends.
    """

    _ids = itertools.count()

    def __init__(self, roots: Sequence[Edge], *, keep_graph: bool, create_graph: bool) -> None:
        self.id = next(self._ids)
        self.roots = roots
        self.keep_graph, self.create_graph = keep_graph, create_graph
        self.queue: list[tuple[int, Any]] = []
        self.pending: dict[Node, Any] = {}
        self.leaves: dict[int, tuple[Any, Any]] = {}
        self.captured: dict[tuple[int, int], Any] | None = None
        self.targets: set[int] | None = None
        self.reachable: set[Node] | None = None
        self.ends: frozenset[Node] = frozenset()
        self.careful = False
        self.remaining: dict[int, int] | None = None
        self.owned = Ownership()
        self.watcher = anomaly.watcher()
        self.node: Node | None = None
        self.callbacks: list[Callable[[], Any]] = []
        self.at_end: list[Callable[[], Any]] = []
        self._executed: set[Any] | None = None

    def limit(self, inputs: Sequence[Edge], *, capture: bool) -> None:
        """Run only what leads to *inputs*, and capture what arrives there or accumulate it."""
        places = {(id(target), number) for target, number in inputs}
        if capture:
            self.captured = dict.fromkeys(places)
        else:
            self.ends = frozenset(target for target, number in inputs if number != LEAF)
        self.targets = {id(target) for target, number in inputs if number == LEAF}
        self.reachable = _reachable(self.roots, places)
        self.careful = any(number != LEAF for _, number in inputs)

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
            if before is not None and before[1] is not None:
                grad = ops.add(before[1], grad)
            self.leaves[id(target)] = target, grad
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
            pending[target] = grad if waiting is None else ops.add(waiting, grad)
        else:
            waiting[number] = grad if waiting[number] is None else ops.add(waiting[number], grad)

    def send_nothing(self, edge: Edge) -> None:
        """Let the node or leaf at *edge* run though no gradient came: Note [Nothing arrives]."""
        target, number = edge
        if number == LEAF:
            self.leaves.setdefault(id(target), (target, None))
        elif target not in self.pending:
            self.careful = True
            heapq.heappush(self.queue, (-target._seq, target))
            nothing = None if target._outputs is None else [None] * len(target._outputs)
            self.pending[target] = nothing

    def run(self) -> None:
        """Pull until no node waits."""
        queue, pending, reachable = self.queue, self.pending, self.reachable
        careful, keep_graph = self.careful, self.keep_graph
        run_carefully, watcher = self._run_carefully, self.watcher
        if watcher is not None:
            self.careful = careful = True

            def run_carefully(node: Node, grad: Any) -> None:
                watcher.run(node, grad, self._run_carefully)

        following: Any = None  # the one node that waits, with its gradient, past the queue
        try:
            while queue or following is not None:
                if following is None:
                    node = heapq.heappop(queue)[1]
                    grad = pending.pop(node)
                else:
                    node, grad = following
                    following = None
                plan = node._plan
                if node._extras is not None or careful or plan is None or not plan.simple:
                    run_carefully(node, grad)
                    careful = self.careful
                    continue
                # The common case, unrolled: one output, no hooks, nothing to capture.
                saved, edges = node.unpack() if plan.frees else node._saved, node._edges
                for position, pull, slot in plan.active:
                    target, number = edge = edges[position]
                    if reachable is not None and not (
                        self._wants(edge) if number else target in reachable
                    ):
                        continue
                    result = pull(grad, saved if slot is None else saved[slot])
                    if number or target._outputs is not None:
                        self.send(edge, result)
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
        except BaseException:
            if self.remaining is None:
                self._watch_leaves([node])
            raise

    def _run_carefully(self, node: Node, grad: Any) -> None:
        """Run one node with hooks, several outputs, a user's rules, or where not all is wanted."""
        extras, edges = node._extras, node._edges
        self.node = node
        if extras is not None and self.remaining is None and extras.has_hooks():
            self._watch_leaves([node])
        wanted = None
        if self.reachable is not None:
            wanted = [self._wants(edge) for edge in edges]
            if not any(wanted) and node not in self.ends:
                self._capture(node, grad if extras is None else self._run_tensor_hooks(node, grad))
                return
            self._capture(node, grad)
        if extras is not None:
            grad = self._run_pre_hooks(node, self._run_tensor_hooks(node, grad))
        results = node.apply(grad, wanted)
        if self.watcher is not None:
            self.watcher.check(node, grad, results)
        if node._plan is None:  # a user's function may keep what it returns
            self._share(results)
        if not self.keep_graph:
            node.release()
        if extras is not None and extras.hooks:
            grads = tuple(grad) if node._outputs is not None else (grad,)
            results = run_node_hooks(extras.hooks, results, lambda hook, new: hook(new, grads))
            self._share(results)
        self.node = None
        for position, (edge, result) in enumerate(zip(edges, results, strict=False)):
            if edge is not None and (wanted is None or wanted[position]):
                if result is None:
                    self.send_nothing(edge)
                else:
                    self.send(edge, result)
        if self.remaining is not None:
            self._finish_leaves(node)

    def _share(self, grads: Iterable[Any]) -> None:
        for grad in grads:
            if grad is not None:
                self.owned.share(grad)

    def _wants(self, edge: Edge | None) -> bool:
        if edge is None:
            return False
        target, number = edge
        if number == LEAF:
            return self.targets is None or id(target) in self.targets
        return self.reachable is None or target in self.reachable

    def _capture(self, node: Node, grad: Any) -> None:
        """Take what arrived at a requested output."""
        if self.captured is None:
            return
        for number, arrived in enumerate([grad] if node._outputs is None else grad):
            if (id(node), number) in self.captured:
                self.captured[id(node), number] = arrived

    def _run_tensor_hooks(self, node: Node, grad: Any) -> Any:
        """Run the hooks of the node's outputs, and retain what they leave."""
        extras, single = node.extras, node._outputs is None
        grads = [grad] if single else list(grad)
        for number, hooks in extras.tensor_hooks.items():
            if hooks:
                grads[number] = run_tensor_hooks(hooks, grads[number])
                self._share((grads[number],))
        for number, reference in extras.retained.items():
            tensor, arrived = reference(), grads[number]
            if tensor is not None and arrived is not None:
                self._share((arrived,))
                before = tensor._grad
                tensor._grad = arrived if before is None else ops.add(before, arrived)
        return grads[0] if single else grads

    def _run_pre_hooks(self, node: Node, grad: Any) -> Any:
        """Run what was registered to run before the node."""
        hooks, single = node.extras.pre_hooks, node._outputs is None
        if not hooks:
            return grad
        grads = run_node_hooks(hooks, [grad] if single else grad, lambda hook, new: hook(new))
        self._share(grads)
        return grads[0] if single else list(grads)

    # Leaves

    def _watch_leaves(self, running: Iterable[Any] = ()) -> None:
        """Count the edges that still lead to each leaf: Note [When a leaf is done]."""
        self.careful = True
        counts: dict[int, int] = {}
        seen: set[Any] = set()
        stack = [*self.pending, *running]
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            for target, number in self._edges_of(node):
                if number == LEAF:
                    counts[id(target)] = counts.get(id(target), 0) + 1
                else:
                    stack.append(target)
        self.remaining = counts
        for number in [number for number in self.leaves if number not in counts]:
            self._finish(*self.leaves.pop(number))

    def _edges_of(self, node: Node) -> list[Edge]:
        return [edge for edge in node._edges if edge is not None and self._wants(edge)]

    def _finish_leaves(self, node: Node) -> None:
        """Finish the leaves that *node* was the last to lead to."""
        remaining: Any = self.remaining
        for target, number in self._edges_of(node):
            if number == LEAF:
                remaining[id(target)] = count = remaining.get(id(target), 1) - 1
                if count <= 0 and id(target) in self.leaves:
                    self._finish(*self.leaves.pop(id(target)))

    def finish(self) -> None:
        """Finish the leaves that are left."""
        while self.leaves:
            number = next(iter(self.leaves))
            self._finish(*self.leaves.pop(number))

    def _finish(self, leaf: Any, grad: Any) -> None:
        """Add what arrived at *leaf* into its ``.grad``, or capture it, between its hooks."""
        hooks = leaf._hooks
        if hooks is not None and hooks.before:
            grad = run_tensor_hooks(hooks.before, grad)
            self._share((grad,))
        if self.captured is not None:
            self.captured[id(leaf), LEAF] = grad
            return
        if hooks is None:
            if grad is not None:
                self.add_to_grad(leaf, grad)
            return
        grads: Sequence[Any] = (grad,)
        if hooks.node_before:
            grads = run_node_hooks(hooks.node_before, grads, lambda hook, new: hook(new))
            self._share(grads)
        if grads[0] is not None:
            self.add_to_grad(leaf, as_gradient_of(leaf, grads[0]))
        run_leaf_hooks(hooks.after, leaf)
        if hooks.node_after:
            run_node_hooks(hooks.node_after, (), lambda hook, new: hook(new, tuple(grads)))

    def add_to_grad(self, leaf: Any, grad: Any) -> None:
        """Add *grad* into ``leaf.grad``.

        Not of what was frozen since the graph was made; nor of a view that was made unrecorded: it
        says that it requires grad, as its base does, and leads nowhere.
        """
        base = leaf._base
        if not leaf._requires_grad or (base is not None and base._requires_grad):
            return
        if leaf._node is not None:
            msg = (
                "leaf variable has been moved into the graph interior\n"
                "backward: a tensor was a leaf when this graph was made, and was then written to "
                "by an operation that is differentiated. Write into a clone()."
            )
            raise AutogradError(msg)
        self.owned.add_to_grad(leaf, grad, create_graph=self.create_graph)

    # Questions from inside

    def will_execute(self, node: Node) -> bool:
        """Return whether *node* runs, or ran, in this pass."""
        if self._executed is None:
            nodes = _all_behind(self.roots)[0] if self.reachable is None else self.reachable
            self._executed = {*nodes, *self._leaves_behind(nodes)}
        if isinstance(node, AccumulateGrad):
            return id(node.variable) in self._executed and self.captured is None
        return node in self._executed

    def _leaves_behind(self, nodes: Iterable[Node]) -> set[int]:
        edges = [edge for node in nodes for edge in node._edges] + list(self.roots)
        return {id(edge[0]) for edge in edges if edge and edge[1] == LEAF and self._wants(edge)}


def _all_behind(roots: Sequence[Edge]) -> tuple[set[Node], set[int]]:
    """Return every node that a pass from *roots* can come to, and every leaf, by its id."""
    nodes: set[Node] = set()
    leaves: set[int] = set()
    stack: list[Any] = [*roots]
    while stack:
        edge = stack.pop()
        if edge is None:
            continue
        target, number = edge
        if number == LEAF:
            leaves.add(id(target))
        elif target not in nodes:
            nodes.add(target)
            stack += target._edges
    return nodes, leaves


_AGE = operator.attrgetter("_seq")


def _reachable(roots: Sequence[Edge], wanted: set[tuple[int, int]]) -> set[Node] | None:
    """Return the nodes on a path from *roots* to a wanted place, and those that are one.

    None if these are all: every leaf is wanted, and nothing but leaves is.
    """
    leaves = {place for place, number in wanted if number == LEAF}
    ends = {place for place, number in wanted if number != LEAF}
    nodes, found = _all_behind(roots)
    if not ends and found <= leaves:
        return None
    on_path: set[Node] = set()
    for node in sorted(nodes, key=_AGE):
        if id(node) in ends:
            on_path.add(node)
            continue
        for edge in node._edges:
            if edge is not None and (
                id(edge[0]) in leaves if edge[1] == LEAF else edge[0] in on_path
            ):
                on_path.add(node)
                break
    return on_path


def current_task() -> GraphTask | None:
    """Return the pass that runs on this thread, the innermost."""
    return _running.task


def run_backward(
    roots: list[Edge],
    grads: list[Any],
    *,
    keep_graph: bool,
    create_graph: bool,
    inputs: list[Edge] | None = None,
    capture: bool = False,
) -> list[Any]:
    """Add gradients into the ``.grad`` of leaves, or return those at *inputs*.

    Args:
        roots: Where to start.
        grads: The gradient at each root.
        keep_graph: Keep what the nodes saved.
        create_graph: Record the pass itself, for derivatives of higher order.
        inputs: Where gradients are wanted; only what leads there runs.
        capture: Return what arrives at *inputs*, and touch no ``.grad``.
    """
    depth = mode.depth
    if depth and depth % _LEVELS_PER_STACK == 0:
        return on_new_stack(  # type: ignore[no-any-return]  # what the call below returns
            lambda: run_backward(
                roots,
                grads,
                keep_graph=keep_graph,
                create_graph=create_graph,
                inputs=inputs,
                capture=capture,
            )
        )
    task = GraphTask(roots, keep_graph=keep_graph, create_graph=create_graph)
    if inputs is not None:
        task.limit(inputs, capture=capture)
    for grad in grads:
        task.owned.share(grad)
    before, mode.enabled = mode.enabled, create_graph
    outer, _running.task = _running.task, task
    asks = overriding.Switches.active and overriding.state.types
    if asks:
        overriding.state.types = False  # rules are no business of subclasses
    mode.depth = depth + 1
    try:
        for edge, grad in zip(roots, grads, strict=True):
            if inputs is None or task._wants(edge):
                task.send(edge, grad)
        if LeafHooks.alive and LeafHooks.anywhere():
            task._watch_leaves()
        task.run()
        task.finish()
        for callback in task.callbacks:
            callback()
    finally:
        mode.enabled, _running.task = before, outer
        mode.depth = depth
        if asks:
            overriding.state.types = True
        for forget in task.at_end:
            forget()
    found = task.captured or {}
    return [found[id(target), number] for target, number in inputs or ()] if capture else []


def queue_callback(callback: Callable[[], Any]) -> None:
    """Call *callback* when the pass that runs now has finished.

    Raises:
        RuntimeError: none runs.
    """
    task = current_task()
    if task is None:
        msg = "Final callbacks can only be installed during backward pass."
        raise AutogradError(msg)
    task.callbacks.append(callback)


def _accumulate(leaf: Any, grad: Any) -> None:
    """Add a gradient that a user gave into ``leaf.grad``, as calling the leaf's node does."""
    if grad is not None:
        owned = Ownership()
        owned.share(grad)
        owned.add_to_grad(leaf, grad, create_graph=mode.enabled and grad._requires_grad)
    if leaf._hooks is not None:
        run_leaf_hooks(leaf._hooks.after, leaf)


graph.accumulate = _accumulate


#: A pass inside a hook or a user's backward nests on Python's stack; past this it gets a new one.
_LEVELS_PER_STACK = 40


def on_new_stack(function: Callable[[], Any]) -> Any:
    """Return what *function* returns on a thread, and so a stack, of its own, in this mode."""
    outcome: list[Any] = []
    enabled, depth, levels = mode.enabled, mode.depth, mode.levels

    def run() -> None:
        mode.enabled, mode.depth, mode.levels = enabled, depth + 1, levels
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
