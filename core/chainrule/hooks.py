"""Hooks: ordered registrations, and the handles that undo them."""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HookDict = OrderedDict[int, Any]


class RemovableHandle:
    """Undo of a registration: call `remove`, or leave its ``with`` block.

    Args:
        hooks_dict: The dictionary that the hook stands in, under `id`.
        extra_dict: One or several dictionaries with an entry under the same number.
    """

    _ids: Iterator[int] = itertools.count()
    id: int
    hooks_dict_ref: Callable[[], Any]
    extra_dict_ref: tuple[Callable[[], Any], ...]

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        extra = extra_dict if isinstance(extra_dict, (list, tuple)) else [extra_dict]
        self._refer(next(self._ids), hooks_dict, *extra)

    def _refer(self, number: int, hooks_dict: Any, *extra: Any) -> None:
        self.id, self.hooks_dict_ref = number, _reference(hooks_dict)
        self.extra_dict_ref = tuple(_reference(hooks) for hooks in extra if hooks is not None)

    def remove(self) -> None:
        """Undo the registration; a second time does nothing."""
        for reference in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()

    def __getstate__(self) -> tuple[Any, ...]:
        return self.hooks_dict_ref(), self.id, *(reference() for reference in self.extra_dict_ref)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        hooks, number, *extra = state
        self._refer(number, OrderedDict() if hooks is None else hooks, *extra)
        RemovableHandle._ids = itertools.count(max(next(self._ids), number + 1))


def _reference(hooks: Any) -> Callable[[], Any]:
    """Return what gives *hooks* back, without keeping them alive where that is possible."""
    try:
        return weakref.ref(hooks)
    except TypeError:  # a plain dict
        return lambda: hooks


def add_hook(hooks: HookDict, hook: Callable[..., Any]) -> RemovableHandle:
    """Return the handle of *hook* after appending it to *hooks*."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


OWN: Final = "the leaf's own"


class LeafHooks:
    """Hooks of a leaf.

    Attributes:
        before: On its gradient, before that is accumulated.
        after: On the leaf, after its gradient was accumulated.
        node_before: Those that were registered on its AccumulateGrad, before accumulation.
        node_after: Likewise, after everything.
        dtype: What a user set as the dtype of its gradient: None for any, OWN for nothing set.
    """

    __slots__ = ("__weakref__", "after", "before", "dtype", "node_after", "node_before")

    alive: Final[dict[int, weakref.ref[LeafHooks]]] = {}

    def __init__(self) -> None:
        self.before, self.after = HookDict(), HookDict()
        self.node_before, self.node_after = HookDict(), HookDict()
        self.dtype: Any = OWN
        number, alive = id(self), self.alive
        alive[number] = weakref.ref(self, lambda _: alive.pop(number, None))

    @classmethod
    def anywhere(cls) -> bool:
        """Return whether any leaf has a hook now."""
        return any(bool(reference()) for reference in tuple(cls.alive.values()))

    def grad_dtype(self, own: Any) -> Any:
        """Return the dtype of the gradient of a leaf whose dtype is *own*; None for any."""
        return own if self.dtype is OWN else self.dtype

    def __bool__(self) -> bool:
        return bool(self.before or self.after or self.node_before or self.node_after)


def name_of(hook: Any) -> str:
    """Return what messages call *hook*."""
    return getattr(hook, "__name__", type(hook).__name__)
