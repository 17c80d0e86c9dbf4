"""Attributes that are set when another is meant."""

from __future__ import annotations

from typing import Any

from ._warn import warn


def misspellings_of(kind: type) -> set[str]:
    """Return the names in *kind* that are none of its attributes: nobody should be shown them."""
    return {name for c in kind.__mro__ for name, a in vars(c).items() if type(a) is Misspelling}


class Misspelling:
    """A name that looks like *meant*: setting it does what Python does, and warns.

    ``parameter.require_grad = False`` is a line that freezes nothing, and Python takes it.

    >>> import chainrule as cr
    >>> hasattr(cr.nn.Linear(1, 1), "require_grad")
    False
    """

    def __init__(self, meant: str) -> None:
        self.meant = meant

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:  # a tool that reads the class by its dir() asks for each name there
            return self
        if self.name in instance.__dict__:
            return instance.__dict__[self.name]
        msg = f"'{type(instance).__name__}' object has no attribute '{self.name}'"
        raise AttributeError(msg)

    def __set__(self, instance: Any, value: Any) -> None:
        kind = type(instance).__name__
        warn(
            f"{kind}.{self.name} was set, which has no effect: nothing reads it. "
            f"Did you mean {self.meant}?",
            UserWarning,
            stacklevel=2,
        )
        instance.__dict__[self.name] = value

    def __delete__(self, instance: Any) -> None:
        del instance.__dict__[self.name]
