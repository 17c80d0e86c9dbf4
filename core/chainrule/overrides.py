"""Types and modes that take functions into their own hands: ``__torch_function__``.

>>> import chainrule as cr
>>> class Metres(cr.Tensor):
...     @classmethod
...     def __torch_function__(cls, func, types, args=(), kwargs=None):
...         print(func.__name__)
...         return super().__torch_function__(func, types, args, kwargs)
>>> distance = cr.ones(2).as_subclass(Metres)
>>> type(cr.add(distance, 1)).__name__
add
'Metres'
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Self

from . import overriding
from .overriding import resolve_name
from .value import Value
from .value import tensor_class as _tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "TorchFunctionMode", "get_ignored_functions", "get_overridable_functions",
    "handle_torch_function", "has_torch_function", "has_torch_function_unary",
    "has_torch_function_variadic", "is_tensor_like", "is_tensor_method_or_property",
    "resolve_name", "wrap_torch_function",
]  # fmt: skip

overriding.activate()  # who imports this module has a type or a function that takes part


class TorchFunctionMode:
    """A ``with`` block in which every call of a public function comes to `__torch_function__`.

    Derive and override that method; while it runs, the mode is not in force.

    >>> import chainrule as cr
    >>> class Loud(TorchFunctionMode):
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return func(*args, **(kwargs or {}))
    >>> with Loud():
    ...     x = cr.ones(2).sum()
    ones
    sum
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Return what the call gives: ``func(*args, **kwargs)`` changes nothing."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        overriding.push_mode(self)
        return self

    def __exit__(self, *exc: object) -> None:
        overriding.pop_mode()


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Return whether one of the arguments, or a mode, wants to be asked about a function.

    >>> import chainrule as cr
    >>> has_torch_function((cr.ones(1), 2))
    False
    """
    if overriding.state.modes:
        return True
    return overriding.state.types and any(
        overriding.wants_to_be_asked(type(arg)) for arg in relevant_args
    )


def has_torch_function_unary(arg: Any) -> bool:
    """Return `has_torch_function` of one argument."""
    return has_torch_function((arg,))


def has_torch_function_variadic(*args: Any) -> bool:
    """Return `has_torch_function` of several arguments."""
    return has_torch_function(args)


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """Return what those who want to be asked make of ``public_api(*args, **kwargs)``.

    Raises:
        TypeError: all of them returned NotImplemented.
    """
    asked = overriding.overloaded(relevant_args)
    return overriding.dispatch(public_api, asked, args, kwargs)


def wrap_torch_function(
    dispatcher: Callable[..., Iterable[Any]],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that lets a function ask: *dispatcher* gives the arguments concerned."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def asking(*args: Any, **kwargs: Any) -> Any:
            concerned = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(concerned):
                return handle_torch_function(asking, concerned, *args, **kwargs)
            return function(*args, **kwargs)

        return asking

    return decorate


def is_tensor_like(inp: Any) -> bool:
    """Return whether *inp* is a tensor or has a ``__torch_function__``.

    >>> import chainrule as cr
    >>> is_tensor_like(cr.ones(1)), is_tensor_like(1.0)
    (True, False)
    """
    return isinstance(inp, Value) or hasattr(type(inp), "__torch_function__")


def is_tensor_method_or_property(func: Any) -> bool:
    """Return whether *func* is a method of `Tensor`, or the getter of one of its properties."""
    return func in _methods()


def get_overridable_functions() -> dict[Any, list[Any]]:
    """Return the functions that may be overridden, by the namespace that they are in."""
    top = next(iter(overriding.namespaces()))
    for name in top.__all__:
        getattr(top, name)  # those that come late are there from now on
    found: dict[Any, list[Any]] = {}
    for module in overriding.namespaces():
        public = [vars(module)[name] for name in sorted(vars(module)) if name[:1] != "_"]
        found[module] = [item for item in public if overriding.is_overridable(item)]
    found[_tensor] = _methods()
    return found


def get_ignored_functions() -> set[Any]:
    """Return the public functions that nobody is asked about."""
    top = next(iter(overriding.namespaces()))
    return {getattr(top, name) for name in overriding.IGNORED if hasattr(top, name)}


def _methods() -> list[Any]:
    return overriding.methods()
