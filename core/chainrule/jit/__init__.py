"""PyTorch's compiler of programs, as the identity: what is scripted or traced runs as it is."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .._absent import refusing
from ..compiler import note_that_it_runs_eagerly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Final", "ScriptFunction", "ScriptModule", "TracerWarning", "annotate", "export", "freeze",
    "ignore", "is_scripting", "is_tracing", "load", "optimized_execution", "save", "script",
    "script_if_tracing", "script_method", "trace", "trace_module", "unused",
]  # fmt: skip

T = TypeVar("T")
_INSTEAD = "Save the parameters: chainrule.save(model.state_dict(), file)."


def script(obj: T, *args: object, **kwargs: object) -> T:
    """Return *obj*: it runs as it is. Says so once."""
    note_that_it_runs_eagerly("jit.script")
    return obj


def trace(func: T, example_inputs: object = None, *args: object, **kwargs: object) -> T:
    """Return *func*: it runs as it is. Says so once."""
    note_that_it_runs_eagerly("jit.trace")
    return func


trace_module = freeze = trace


class ScriptModule:
    """A compiled module; there is none, and ``isinstance`` says so."""


class ScriptFunction:
    """A compiled function; there is none."""


class TracerWarning(Warning):
    """What PyTorch warns with while it traces."""


def script_method(fn: T) -> T:
    """Return *fn*."""
    return fn


# What decorates a function that stays as it is; libraries use the names with underscores too.
script_if_tracing = export = unused = script_method
_script_if_tracing = _overload = _overload_method = script_method


def ignore(drop: Any = False, **kwargs: object) -> Any:
    """Return the decorated function; also without brackets."""
    return drop if callable(drop) else script_method


def annotate(the_type: object, the_value: T) -> T:
    """Return *the_value*."""
    return the_value


def is_scripting() -> bool:
    """Return False: nothing is compiled."""
    return False


is_tracing = is_scripting


@contextlib.contextmanager
def optimized_execution(should_optimize: bool) -> Iterator[None]:
    """Do nothing inside a ``with`` block."""
    yield


save: Callable[..., Any] = refusing("jit.save", _INSTEAD)
load: Callable[..., Any] = refusing("jit.load", _INSTEAD)
