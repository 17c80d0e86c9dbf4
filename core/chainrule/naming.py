"""Arguments that have several names."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

#: What NumPy calls PyTorch's arguments, which PyTorch takes, too.
NUMPY: Final = {
    "axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other",
}  # fmt: skip


def other_names(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator: arguments of the function have *names* beside their own.

    >>> @other_names(axis="dim")
    ... def size(input, dim):
    ...     return len(input[dim])
    >>> size([[1, 2]], dim=0), size([[1, 2]], axis=0)
    (2, 2)
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        code = function.__code__
        own = frozenset(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
        others = {other: name for other, name in names.items() if other not in own}

        @functools.wraps(function)
        def named(*args: P.args, **kwargs: P.kwargs) -> R:
            if kwargs and not own.issuperset(kwargs):
                kwargs = {others.get(n, n): value for n, value in kwargs.items()}  # type: ignore[assignment]  # by their own names
            return function(*args, **kwargs)

        return named

    return decorate


#: For functions; ops know these names from their schema.
numpy_names = other_names(**NUMPY)
