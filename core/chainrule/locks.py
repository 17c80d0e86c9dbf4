"""Locks around a fork.

A fork copies locks as they are. One that another thread holds just then would stay locked in the
child for ever, since that thread does not exist there; and what it protects would be half changed.
So who forks takes the locks made by `new_rlock` first, and so waits until no thread is in the
middle of a draw of random numbers, say. It waits a second at most: whoever needs longer may be
waiting for the forking thread. The child finds all locks open.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import Any, Final

__all__ = ["new_lock", "new_rlock"]

_made: Final[weakref.WeakSet[Any]] = weakref.WeakSet()
_awaited: Final[weakref.WeakSet[Any]] = weakref.WeakSet()
_PATIENCE: Final = 1.0
_taken = threading.local()


def new_lock() -> threading.Lock:
    """Return a lock that a forked child finds open.

    >>> with new_lock() as taken:
    ...     taken
    True
    """
    made = threading.Lock()
    _made.add(made)
    return made


def new_rlock() -> Any:
    """Return a lock that its holder may take again, and that a fork waits for."""
    made = threading.RLock()
    _made.add(made)
    _awaited.add(made)
    return made


def _take_all() -> None:
    deadline = time.monotonic() + _PATIENCE
    locks = list(_awaited)
    _taken.locks = [
        lock for lock in locks if lock.acquire(timeout=max(0.0, deadline - time.monotonic()))
    ]


def _release_all() -> None:
    for lock in _taken.locks:
        lock.release()
    _taken.locks = []


def _open_all() -> None:
    for lock in list(_made):
        lock._at_fork_reinit()  # as the standard library does with its own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take_all, after_in_parent=_release_all, after_in_child=_open_all)
