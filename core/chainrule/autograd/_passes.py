"""Seeing what backward passes do to leaves, and where they begin, while somebody looks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, Protocol

from .. import engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..graph import Edge

__all__ = ["PassObserver", "observe_passes", "unobserve_passes"]


class PassObserver(Protocol):
    """Sees backward passes, on all threads."""

    def begins(self, roots: Sequence[Edge]) -> None:
        """See a pass that begins."""

    def arrives(self, leaf: Any, grad: Any) -> None:
        """See a gradient that will be added into ``leaf.grad``."""

    def added(self, leaf: Any) -> None:
        """See a leaf whose ``.grad`` has just changed."""


_observers: Final[list[PassObserver]] = []
_swapping = threading.Lock()
_run_backward: Final = engine.run_backward
_add_to_grad: Final = engine.GraphTask.add_to_grad


def observe_passes(observer: PassObserver) -> None:
    """Let *observer* see every pass from now on."""
    with _swapping:
        _observers.append(observer)
        _set(_seen_run_backward, _seen_add_to_grad)


def unobserve_passes(observer: PassObserver) -> None:
    """Undo one `observe_passes`."""
    with _swapping:
        _observers.remove(observer)
        if not _observers:
            _set(_run_backward, _add_to_grad)


def _set(run_backward: Any, add_to_grad: Any) -> None:
    vars(engine)["run_backward"] = run_backward
    task: Any = engine.GraphTask
    task.add_to_grad = add_to_grad


def _seen_run_backward(roots: list[Edge], *args: Any, **kwargs: Any) -> list[Any]:
    for observer in tuple(_observers):
        observer.begins(roots)
    return _run_backward(roots, *args, **kwargs)


def _seen_add_to_grad(self: Any, leaf: Any, grad: Any) -> None:
    for observer in tuple(_observers):
        observer.arrives(leaf, grad)
    _add_to_grad(self, leaf, grad)
    for observer in tuple(_observers):
        observer.added(leaf)
