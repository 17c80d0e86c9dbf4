"""How hooks on modules are kept: ordered dictionaries, and handles that take them out again."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from ...hooks import RemovableHandle

if TYPE_CHECKING:
    from collections.abc import Callable

Hooks = OrderedDict[int, "Callable[..., Any]"]


def add_hook(
    hooks: Hooks,
    hook: Callable[..., Any],
    *notes: OrderedDict[int, bool],
    prepend: bool = False,
) -> RemovableHandle:
    """Return the handle of *hook* after adding it to *hooks* and its number to each of *notes*."""
    handle = RemovableHandle(hooks, extra_dict=list(notes))
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    for note in notes:
        note[handle.id] = True
    return handle
