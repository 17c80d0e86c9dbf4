"""Whether operations are recorded: ``no_grad``, ``enable_grad``, ``set_grad_enabled``.

The mode belongs to a thread; a new thread starts with recording switched on.
"""

from __future__ import annotations

import functools
import inspect
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from ._warn import warn
from .errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from types import TracebackType

F = TypeVar("F", bound="Callable[..., Any]")


#: In place of False while inference mode is on: as false, and told apart where it matters.
IN_INFERENCE: Final[Any] = 0


class _Mode(threading.local):
    """The state of one thread; the class attributes are what a new thread starts with.

    What records asks one question, ``mode.enabled``, which is false in inference mode. There a
    user may still ask for recording, to no effect: that is what `asked` remembers.
    """

    enabled = True
    asked = False
    inference = False
    multithreading = True
    depth = 0  # of backward passes inside one another
    forward = True  # whether forward mode computes tangents
    transforming = 0  # functions of `chainrule.func` that are running
    levels: tuple[Any, ...] = ()  # of function transforms that are running, the outermost first


mode = _Mode()


def is_grad_enabled() -> bool:
    """Return whether operations on this thread are recorded.

    >>> with no_grad():
    ...     is_grad_enabled()
    False
    """
    return mode.asked if mode.inference else bool(mode.enabled)


def _swap(enabled: bool) -> bool:
    """Switch recording on or off; return what it was."""
    before = is_grad_enabled()
    if mode.inference:
        mode.asked = enabled
    else:
        mode.enabled = enabled
    return before


class Mode:
    """A context manager, and a decorator that enters a fresh one for each call of a function.

    Abstract: `_GradMode` sets whether operations are recorded, `inference_mode` more than that.
    """

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        raise NotImplementedError

    def _fresh(self) -> Mode:
        """Return another one for the same mode: a decorated function enters its own."""
        return type(self)()

    def __call__(self, function: F) -> F:
        """Return *function* so that each of its calls runs in this mode."""
        return _decorate(self._fresh, function)


class _GradMode(Mode):
    """Sets whether operations are recorded.

    It can be entered several times, nested in itself: what to go back to is a stack.
    """

    _enabled: bool

    def __init__(self) -> None:
        self._previous: list[bool] = []

    def __enter__(self) -> None:
        self._previous.append(_swap(self._enabled))

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _swap(self._previous.pop())


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


def is_multithreading_enabled() -> bool:
    """Return what `set_multithreading_enabled` was last told on this thread.

    >>> is_multithreading_enabled()
    True
    """
    return mode.multithreading


class set_multithreading_enabled(Mode):  # noqa: N801 - PyTorch's name
    """Allow a backward pass to use several threads, or not: a call, a context or a decorator.

    A pass runs on the thread that asks for it in any case, and passes of several threads may run at
    once; the flag is here for programs that set it.

    >>> with set_multithreading_enabled(False):
    ...     is_multithreading_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            msg = (
                f"set_multithreading_enabled(): argument 'enabled' (position 1) must be bool, "
                f"not {type(mode).__name__}"
            )
            raise ArgumentError(msg)
        self.mode = mode
        self.prev = _set_multithreading(mode)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _set_multithreading(self.prev)

    def _fresh(self) -> set_multithreading_enabled:
        return type(self)(self.mode)


def _set_multithreading(enabled: bool) -> bool:
    before, mode.multithreading = mode.multithreading, enabled
    return before


def _decorate(fresh: Callable[[], Mode], function: F) -> F:
    """Return *function* with the mode set while its own body runs."""
    if inspect.isclass(function):
        warn(
            "Decorating classes is deprecated and will be disabled in future versions. "
            "You should only decorate functions or methods. To preserve the current behavior of "
            "class decoration, you can directly decorate the `__init__` method and nothing else.",
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
    if inspect.isasyncgenfunction(function):
        return cast("F", _asynchronous(fresh, function))
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


def _asynchronous(
    fresh: Callable[[], Mode], function: Callable[..., AsyncGenerator[Any, Any]]
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """Return an asynchronous generator function with the mode set while its own body runs."""

    @functools.wraps(function)
    async def generated(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        inner = function(*args, **kwargs)
        step: Any = inner.asend(None)
        while True:
            try:
                value = await _StepByStep(fresh, step)
            except StopAsyncIteration:
                return
            try:
                step = inner.asend((yield value))
            except GeneratorExit:
                await _StepByStep(fresh, inner.aclose())
                raise
            except BaseException as error:  # noqa: BLE001 - the body's to handle
                step = inner.athrow(error)

    return generated


class _StepByStep:
    """A generator or coroutine whose mode holds inside its body only, never between its steps."""

    def __init__(self, fresh: Callable[[], Mode], inner: Any) -> None:
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
