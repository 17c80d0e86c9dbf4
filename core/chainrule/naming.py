"""Arguments that have several names, and functions that hand over to who overrides them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

from .errors import ArgumentError
from .overriding import dispatch, overloaded

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

    An argument that is no tensor, but overrides functions, is asked where the function fails.

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
            try:
                return function(*args, **kwargs)
            except (ArgumentError, AttributeError):
                return handed_over(named, args, kwargs)

        return named

    return decorate


def handed_over(function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
    """Return what an argument that overrides functions makes of a call that failed.

    Raises:
        Exception: the one that is being handled, if no argument does.
    """
    asked = overloaded((*args, *kwargs.values()))
    if not asked:
        raise  # noqa: PLE0704 - called while an exception is handled
    return cast("R", dispatch(function, asked, args, kwargs or None))


#: For functions; ops know these names from their schema.
numpy_names = other_names(**NUMPY)
