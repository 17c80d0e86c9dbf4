"""The graph from outside: what is alive, what leads where. For tools; nothing here is quick."""

from __future__ import annotations

import gc
from collections import deque
from typing import TYPE_CHECKING, Any

from ..graph import LEAF, AccumulateGrad, Node
from ..value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator


def live_nodes() -> list[Node]:
    """Return every recorded node that is alive, the oldest first."""
    found = [
        item for item in gc.get_objects()
        if issubclass(type(item), Node)  # isinstance would ask the object for its class
        and not isinstance(item, AccumulateGrad)
        and _is_whole(item)
    ]  # fmt: skip
    return sorted(found, key=lambda node: node._seq)


def _is_whole(node: Node) -> bool:
    """Return whether a node has its edges: one that is just being made has not."""
    return hasattr(node, "_edges") and hasattr(node, "_seq")


def walk(root: Node | None) -> list[Node]:
    """Return *root* and every node behind it, the youngest first."""
    found: set[Node] = set()
    waiting = [] if root is None else [root]
    while waiting:
        node = waiting.pop()
        if node in found:
            continue
        found.add(node)
        waiting += [target for target, number in edges_of(node) if number != LEAF]
    return sorted(found, key=lambda node: -node._seq)


def edges_of(node: Node) -> Iterator[tuple[Any, int]]:
    """Yield the edges of *node* that lead somewhere."""
    if isinstance(node, AccumulateGrad):
        return
    for edge in node._edges:
        if edge is not None:
            target, number = edge
            if isinstance(target, AccumulateGrad):
                yield target.variable, LEAF
            else:
                yield target, number


def leaves_of(root: Node | None) -> list[Value]:
    """Return the leaves behind *root*, in the order in which they are met."""
    found: dict[int, Value] = {}
    for node in walk(root):
        for target, number in edges_of(node):
            if number == LEAF:
                found.setdefault(id(target), target)
    return list(found.values())


def path(root: Node | None, goal: Any) -> list[Node] | None:
    """Return the nodes on a shortest way from *root* to *goal*, a leaf or a node; None for none."""
    if root is None:
        return None
    came_from: dict[Node, Node | None] = {root: None}
    waiting = deque([root])
    while waiting:
        node = waiting.popleft()
        if node is goal or any(target is goal for target, _ in edges_of(node)):
            return _back(node, came_from, goal)
        for target, number in edges_of(node):
            if number != LEAF and target not in came_from:
                came_from[target] = node
                waiting.append(target)
    return None


def _back(node: Node, came_from: dict[Node, Node | None], goal: Any) -> list[Node]:
    found: list[Node] = []
    step: Node | None = node
    while step is not None:
        found.append(step)
        step = came_from[step]
    found.reverse()
    return found if node is goal or not isinstance(goal, Node) else [*found, goal]


def ends_above(goal: Any) -> list[Node]:
    """Return the live nodes from which *goal*, a leaf or a node, is reached and which nobody uses.

    What they made are the tensors that one could call ``backward()`` on.
    """
    nodes = live_nodes()
    users: dict[Node, list[Node]] = {}
    above: list[Node] = []
    for node in nodes:
        for target, number in edges_of(node):
            if target is goal:
                above.append(node)
            if number != LEAF:
                users.setdefault(target, []).append(node)
    found: dict[Node, None] = {}
    seen: set[Node] = set()
    while above:
        node = above.pop()
        if node in seen:
            continue
        seen.add(node)
        if node not in users:
            found[node] = None
        above += users.get(node, [])
    return list(found)


def saved_tensors(node: Node) -> list[tuple[str, Value]]:
    """Return what *node* keeps for its backward, with the names it is read by where it has some."""
    names: dict[int, str] = {}
    plan = node._plan
    if plan is not None:
        names = {slot: name for name, slot in plan.op.slots.items()}
    found: list[tuple[str, Value]] = []
    for slot, item in enumerate(getattr(node, "_saved", ())):
        items = item if isinstance(item, (tuple, list)) else (item,)
        found += [(names.get(slot, str(slot)), t) for t in map(_unpacked, items) if t is not None]
    return found


def _unpacked(item: Any) -> Value | None:
    """Return a saved item as a tensor, also where hooks packed it into one."""
    if isinstance(item, Value):
        return item
    inner = getattr(item, "data", None)
    return inner if isinstance(inner, Value) else None


def bytes_of(tensor: Value) -> int:
    """Return how many bytes the elements of *tensor* take."""
    size = tensor._key.dtype.itemsize
    for length in tensor._array.shape:
        size *= int(length)
    return size
