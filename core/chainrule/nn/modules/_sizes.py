"""Sizes as modules keep them: a number, or one per dimension."""

from __future__ import annotations

from typing import Any


def repeated(given: Any, count: int) -> tuple[Any, ...]:
    """Return *given* as a tuple: a number *count* times, a sequence as it is.

    >>> repeated(3, 2), repeated([1, 2], 2)
    ((3, 3), (1, 2))
    """
    return tuple(given) if isinstance(given, (tuple, list)) else (given,) * count


def reversed_twice(sizes: tuple[int, ...]) -> list[int]:
    """Return *sizes* as `chainrule.nn.functional.pad` takes them: last first, each twice.

    >>> reversed_twice((1, 2))
    [2, 2, 1, 1]
    """
    return [size for size in reversed(sizes) for _ in range(2)]
