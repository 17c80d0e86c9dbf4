"""Hooks: ordered registrations, and the handles that undo them."""

from __future__ import annotations

import itertools
import weakref
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class RemovableHandle:
    """Undo of a registration: call `remove`, or leave its ``with`` block.

    Args:
        hooks: The dictionary that the hook stands in, under `id`.
        extra_dict: Further dictionaries with an entry under the same number.
    """

    _ids: Iterator[int] = itertools.count()
    id: int

    def __init__(self, hooks: Any, *, extra_dict: Any = None) -> None:
        self.id = next(self._ids)
        extra = () if extra_dict is None else extra_dict
        dicts = (hooks, *extra) if isinstance(extra, (list, tuple)) else (hooks, extra)
        self._dicts = tuple(map(_reference, dicts))

    def remove(self) -> None:
        """Undo the registration; a second time does nothing."""
        for reference in self._dicts:
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.id, *(reference() for reference in self._dicts))

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.id, dicts = state[0], state[1:]
        self._dicts = tuple(_reference({} if hooks is None else hooks) for hooks in dicts)


def _reference(hooks: Any) -> Callable[[], Any]:
    """Return what gives *hooks* back: without keeping them alive, where that is possible."""
    try:
        return weakref.ref(hooks)
    except TypeError:  # a plain dict
        return lambda: hooks


class HookDict(dict[int, Any]):
    """Hooks in order of registration."""

    __slots__ = ("__weakref__",)

    def add(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Return the handle of *hook* after appending it."""
        handle = RemovableHandle(self)
        self[handle.id] = hook
        return handle


class LeafHooks:
    """Hooks of a leaf.

    Attributes:
        before: On its gradient, before that is accumulated.
        after: On the leaf, after its gradient was accumulated.
        node_before: Those that were registered on its AccumulateGrad, before accumulation.
        node_after: Likewise, after everything.
    """

    __slots__ = ("after", "before", "node_after", "node_before")

    def __init__(self) -> None:
        self.before, self.after = HookDict(), HookDict()
        self.node_before, self.node_after = HookDict(), HookDict()


def name_of(hook: Any) -> str:
    """Return what messages call *hook*."""
    return getattr(hook, "__name__", type(hook).__name__)
