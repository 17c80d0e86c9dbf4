"""What sees operations being recorded: hooks on saved tensors, and whoever else watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .graph import history_of
from .locks import new_lock
from .saved import Packed, in_force
from .value import Value

if TYPE_CHECKING:
    from .graph import OpNode

# Note [Watching]: what sees operations being recorded
# ----------------------------------------------------
# Hooks on saved tensors, and whatever else looks at every node that is made, must cost nothing
# while there are none. So the quick paths do not ask: they make a node with `new_node`, a global of
# their module that is `object.__new__`. While somebody watches, on any thread, that global is
# `_new_watched`, which makes the node of a subclass whose slot `_saved` is a property: setting it,
# the last thing that happens to a node, calls the watchers and turns the node into what it should
# have been.

_new = object.__new__
_makers: Final[list[dict[str, Any]]] = []
_watchers: Final[list[Any]] = []
_watched_classes: Final[dict[type[OpNode], type[OpNode]]] = {}
_watching = new_lock()


def makes_nodes(namespace: dict[str, Any]) -> None:
    """Register the globals of a module that makes nodes with its global ``new_node``."""
    _makers.append(namespace)


def watch(watcher: Any) -> None:
    """Call ``watcher(node, saved)`` for every node of an op, on any thread.

    It returns what the node is to keep. The node's edges may not be there yet.
    """
    with _watching:
        _watchers.append(watcher)
        for namespace in _makers:
            namespace["new_node"] = _new_watched


def unwatch(watcher: Any) -> None:
    """Undo one `watch`."""
    with _watching:
        _watchers.remove(watcher)
        if not _watchers:
            for namespace in _makers:
                namespace["new_node"] = _new


def _new_watched(cls: type[OpNode]) -> OpNode:
    made = _watched_classes.get(cls)
    if made is None:
        made = type(cls.__name__, (_Watched, cls), {"__slots__": (), "_plain": cls})
        _watched_classes[cls] = made
    return _new(made)


class _Watched:
    """A node before it got what it saves."""

    __slots__ = ()

    _plain: type[OpNode]

    @property
    def _saved(self) -> Any:
        raise AttributeError

    @_saved.setter
    def _saved(self, saved: tuple[Any, ...]) -> None:
        node: Any = self
        node.__class__ = self._plain
        for watcher in tuple(dict.fromkeys(_watchers)):
            saved = watcher(node, saved)
        node._saved = saved


def pack_saved(node: OpNode, saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return *saved* with its tensors packed by the hooks in force on this thread."""
    hooks, plan = in_force.hooks, node._plan
    if not hooks or not plan.tensor_slots:
        return saved
    own, items = {slot for slot, _ in plan.result_slots}, list(saved)
    for slot in plan.tensor_slots:
        items[slot] = packed(items[slot], hooks[-1], is_output=slot in own)
    return tuple(items)


def packed(item: Any, hooks: Any, *, is_output: bool = False) -> Any:
    """Return *item* as a node keeps it under *hooks*."""
    if isinstance(item, Value):
        return Packed(item, hooks, None if is_output else history_of(item))
    if isinstance(item, (tuple, list)):
        return tuple(packed(tensor, hooks) for tensor in item)
    return item
