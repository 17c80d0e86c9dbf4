"""`compile`, as the identity: what is compiled in PyTorch runs as it is."""

from __future__ import annotations

from typing import Any

from ._warn import warn

__all__ = [
    "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable",
    "is_compiling", "is_dynamo_compiling", "is_exporting", "list_backends", "reset",
    "set_stance", "substitute_in_graph",
]  # fmt: skip

_noted: set[str] = set()


def note_that_it_runs_eagerly(name: str) -> None:
    """Warn once that what *name* returns is its argument."""
    if name not in _noted:
        _noted.add(name)
        warn(
            f"{name}: chainrule runs programs as they are; the argument is returned unchanged.",
            UserWarning,
            stacklevel=3,
        )


def compile(model: Any = None, **options: object) -> Any:  # noqa: A001 - PyTorch's name
    """Return *model*, a function or a module: it runs as it is. Says so once.

    >>> import warnings
    >>> import chainrule as cr
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     step = cr.compile(lambda x: x + 1)
    >>> step(cr.tensor(1))
    tensor(2)
    """
    note_that_it_runs_eagerly("compile")
    return (lambda function: function) if model is None else model


def disable(fn: Any = None, recursive: bool = True, **options: object) -> Any:
    """Return *fn*; also as a decorator with arguments."""
    return (lambda function: function) if fn is None else fn


def is_compiling() -> bool:
    """Return False: nothing is compiled."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def allow_in_graph(fn: Any) -> Any:
    """Return *fn*: there is no graph that it could break."""
    return fn


assume_constant_result = allow_in_graph


def substitute_in_graph(original_fn: Any, **options: object) -> Any:
    """Return a decorator that changes nothing."""
    return lambda function: function


def list_backends(exclude_tags: object = None) -> list[str]:
    """Return none: there is no compiler."""
    return []


def cudagraph_mark_step_begin() -> None:
    """Do nothing: nothing was compiled."""


class set_stance:  # noqa: N801 - PyTorch's name
    """A setting of the compiler, also as a context: there is none to set."""

    def __init__(self, stance: str = "default", **options: object) -> None:
        self.stance = stance

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc: object) -> None:
        return None


def reset() -> None:
    """Do nothing: nothing was compiled."""
