"""Switches that are plain calls and ``with`` blocks, on several threads at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from types import TracebackType


class Switch:
    """Something that is on or off for all threads, as the last one who asked wants it.

    A block that ends takes back what it asked for, whoever else asks by then; a plain call holds
    until the next one. A subclass states `_apply`.
    """

    _asked: ClassVar[list[Switch]]
    _lock: ClassVar[threading.RLock]

    def __init_subclass__(cls) -> None:
        cls._asked, cls._lock = [], threading.RLock()

    def __init__(self, enabled: bool = True) -> None:
        self._enabled, self._entered = bool(enabled), False
        self._replaced: list[Switch] = []
        with self._lock:
            if self._asked and not self._asked[-1]._entered:
                self._replaced = [self._asked.pop()]  # a plain call; this may be the next
            self._asked.append(self)
            self._apply(self._enabled)

    def __enter__(self) -> Self:
        self._entered = True
        with self._lock:
            if self in self._asked:  # it is a block: the plain call before it holds on
                place = self._asked.index(self)
                self._asked[place:place] = self._replaced
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            if self in self._asked:
                self._asked.remove(self)
            self._apply(bool(self._asked) and self._asked[-1]._enabled)

    @staticmethod
    def _apply(enabled: bool) -> Any:
        """Switch on or off; called with the lock held, also where nothing changes."""
        raise NotImplementedError
