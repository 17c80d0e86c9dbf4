"""The stack of running transforms: what makes two `vmap` calls inside one another two things.

Every transform that wraps tensors (`vmap`, forward mode) runs on a *level*: its place in the
stack of this thread. Where operands of several levels meet, the highest level runs, and the others
are lifted to it, so that the innermost transform sees everything and the outer ones see what it
computes inside. See Note [A transform is a backend] in wrapped.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ..grad_mode import mode

if TYPE_CHECKING:
    from types import TracebackType

    from .wrapped import WrappedBackend


class Level:
    """One run of a transform: a context manager that puts itself on the stack of this thread.

    Attributes:
        depth: Its place in the stack, counted from 1.
        alive: Whether it is on the stack; what it wrapped may not be used afterwards.
        backend: The backend of its tensors.
    """

    kind: type[WrappedBackend]
    functional = True  # of a function of chainrule.func, and not entered by the user

    def __init__(self) -> None:
        self.depth = 0
        self.alive = False
        self.backend: Any = None

    def __enter__(self) -> Self:
        self.depth = len(mode.levels) + 1
        self.backend = self.kind.at(self.depth)
        self.alive = True
        mode.levels = (*mode.levels, self)
        mode.transforming += self.functional
        return self

    # What random operations ask every level

    def check_random(self) -> None:
        """Raise if no random numbers are allowed here."""

    def draws_differ(self) -> bool:
        """Return whether samples have random numbers of their own here."""
        return False

    def spread(self, tensor: Any) -> Any:
        """Return *tensor*, which says what to draw, repeated where each sample draws its own."""
        return tensor

    def check_in_place(self, target: Any) -> None:
        """Raise if *target* cannot hold numbers of its own for each sample."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.alive = False
        mode.transforming -= self.functional
        mode.levels = tuple(level for level in mode.levels if level is not self)


def top_level() -> Level | None:
    """Return the innermost running transform that wraps tensors, or None."""
    levels = mode.levels
    return levels[-1] if levels else None


def lifted_to_top(tensor: Any) -> Any:
    """Return *tensor* as one of the innermost level: itself where none runs, or it is of that."""
    level = top_level()
    if level is None or tensor._key.backend.level >= level.depth:
        return tensor
    return level.backend.wrapped(level, tensor)
