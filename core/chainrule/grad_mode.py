"""Whether operations are recorded: ``no_grad``, ``enable_grad``, ``set_grad_enabled``.

The mode belongs to a thread; a new thread starts with recording switched on.
"""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

F = TypeVar("F", bound="Callable[..., Any]")


class _Mode(threading.local):
    """The state of one thread; the class attribute is what a new thread starts with."""

    enabled = True
    depth = 0  # of backward passes inside one another


mode = _Mode()


def is_grad_enabled() -> bool:
    """Return whether operations on this thread are recorded.

    >>> with no_grad():
    ...     is_grad_enabled()
    False
    """
    return mode.enabled


class _GradMode:
    """A context manager that sets the mode, and a decorator that sets it for a function.

    It can be entered several times, nested in itself: what to go back to is a stack.
    """

    _enabled: bool

    def __init__(self) -> None:
        self._previous: list[bool] = []

    def __enter__(self) -> None:
        self._previous.append(mode.enabled)
        mode.enabled = self._enabled

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        mode.enabled = self._previous.pop()

    def _fresh(self) -> _GradMode:
        """Return another one for the same mode: a decorated function enters its own."""
        return type(self)()

    def __call__(self, function: F) -> F:
        return _decorate(self._fresh, function)


class _NoArgument(_GradMode):
    """``no_grad`` and ``enable_grad``: as decorators with and without parentheses."""

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        if function is None:
            return super().__new__(cls)
        return cls()(function)

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__()


class no_grad(_NoArgument):  # noqa: N801 - PyTorch's name
    """Stop recording: results carry no history and require no grad.

    Factory functions still honour their ``requires_grad`` argument.

    >>> import chainrule as cr
    >>> x = cr.ones(2, requires_grad=True)
    >>> with no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    _enabled = False


class enable_grad(_NoArgument):  # noqa: N801 - PyTorch's name
    """Record again inside a ``no_grad`` block."""

    _enabled = True


class set_grad_enabled(_GradMode):  # noqa: N801 - PyTorch's name
    """Record or not, as a plain call, a context manager or a decorator.

    >>> previous = set_grad_enabled(False)
    >>> is_grad_enabled()
    False
    >>> _ = set_grad_enabled(True)
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        if not isinstance(mode, bool):
            msg = (
                f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, "
                f"not {type(mode).__name__}"
            )
            raise ArgumentError(msg)
        self._enabled = mode
        self._before = _swap(mode)

    def __enter__(self) -> None:
        self._previous.append(self._before)
        _swap(self._enabled)

    def _fresh(self) -> _GradMode:
        return type(self)(self._enabled)

    def __call__(self, function: F) -> F:
        """Return *function* so that each of its calls runs in this mode."""
        _swap(self._before)  # the call that made the decorator must not leak its mode
        return super().__call__(function)


def _swap(enabled: bool) -> bool:
    before = mode.enabled
    mode.enabled = enabled
    return before


def _decorate(fresh: Callable[[], _GradMode], function: F) -> F:
    """Return *function* with the mode set while its own body runs."""
    if inspect.isclass(function):
        warnings.warn(
            "Decorating classes is deprecated and will be disabled in future versions. "
            "You should only decorate functions or methods.",
            FutureWarning,
            stacklevel=3,
        )
        decorated: Any = function
        decorated.__init__ = _decorate(fresh, decorated.__init__)
        return function
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return await _StepByStep(fresh, function(*args, **kwargs))

        return cast("F", awaited)
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generated(*args: Any, **kwargs: Any) -> Any:
            return (yield from _StepByStep(fresh, function(*args, **kwargs)))

        return cast("F", generated)

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        with fresh():
            return function(*args, **kwargs)

    return cast("F", called)


class _StepByStep:
    """A generator or coroutine whose mode holds inside its body only, never between its steps."""

    def __init__(self, fresh: Callable[[], _GradMode], inner: Any) -> None:
        self._fresh, self._inner = fresh, inner

    def __iter__(self) -> _StepByStep:
        return self

    __await__ = __iter__

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        with self._fresh():
            return self._inner.send(value)

    def throw(self, *exc: Any) -> Any:
        with self._fresh():
            return self._inner.throw(*exc)

    def close(self) -> None:
        with self._fresh():
            self._inner.close()
