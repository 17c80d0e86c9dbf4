"""Seeing every operation that is called, without a question asked while nobody looks.

# Note [Observing]
# ----------------
# An op is called in three ways: ``op(...)`` reads ``op.fast`` or ``op.general``; a method of
# `Tensor` is a closure that holds one of the two; an in-place method reads ``op.in_place``. While
# somebody observes, the attributes of every op are wrapped, and so is what the closures hold: a
# cell of a closure can be filled anew. When the last observer leaves, all is as it was before.
# Nothing in the quick paths knows of any of this.
#
# What leaves the graph without an op (`detach`, `.data`, `item`, `tolist`, `numpy`) is a method of
# the tensor class. Subclasses know methods by identity, so the function stays, and gets other code:
# code that calls the wrapped one.
"""

from __future__ import annotations

import functools
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..locks import new_rlock
from ..op import all_ops
from ..tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Observer", "observe", "unobserve"]


class Observer(Protocol):
    """Sees calls of operations, on all threads."""

    def before(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return something to remember of a call that begins."""

    def after(
        self, token: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> None:
        """See a call that ended well; *token* is what `before` returned."""

    def failed(self, token: Any, name: str) -> None:
        """See a call that raised."""


_observers: Final[list[Observer]] = []
_undo: Final[list[Callable[[], None]]] = []
_swapping = new_rlock()

#: Methods that lead out of the graph past every op.
_WAYS_OUT: Final = ("detach", "item", "tolist", "numpy")


def observe(observer: Observer) -> None:
    """Let *observer* see every call from now on."""
    with _swapping:
        _observers.append(observer)
        if len(_observers) > 1:
            return
        try:
            _swap_in()
        except BaseException:
            unobserve(observer)
            raise


def unobserve(observer: Observer) -> None:
    """Undo one `observe`."""
    with _swapping:
        _observers.remove(observer)
        if not _observers:
            for undo in reversed(_undo):
                undo()
            _undo.clear()


def observed() -> bool:
    """Return whether somebody observes."""
    return bool(_observers)


def _seen(name: str, call: Callable[..., Any], args: Any, kwargs: Any, run: Any) -> Any:
    """Return ``run()``, which makes the call, in front of all observers."""
    tokens = [(observer, observer.before(name, args, kwargs)) for observer in tuple(_observers)]
    try:
        result = run()
    except BaseException:
        for observer, token in reversed(tokens):
            observer.failed(token, name)
        raise
    for observer, token in reversed(tokens):
        observer.after(token, name, args, kwargs, result)
    return result


def _positional(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a fast path in front of the observers."""

    @functools.wraps(call)
    def seen(*args: Any) -> Any:
        return _seen(name, call, args, {}, lambda: call(*args))

    return seen


def _bound(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a call that is given its arguments as a tuple and a dict, likewise."""

    @functools.wraps(call)
    def seen(args: tuple[Any, ...], kwargs: dict[str, Any], *more: Any) -> Any:
        return _seen(name, call, args, kwargs, lambda: call(args, kwargs, *more))

    return seen


def _method(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method likewise."""

    @functools.wraps(call)
    def seen(*args: Any, **kwargs: Any) -> Any:
        return _seen(name, call, args, kwargs, lambda: call(*args, **kwargs))

    return seen


def _swap_in() -> None:
    """Put wrapped calls everywhere. See Note [Observing]."""
    wrapped: dict[Any, Any] = {}
    for op in list(all_ops.values()):
        name = op.name
        general = op.general
        for attribute, made in (
            ("fast", _positional(name, op.fast)),
            ("general", _bound(name, general)),
            ("in_place", _bound(f"{name}_", op.in_place)),
        ):
            if attribute == "fast":
                wrapped[op.fast] = made
            elif attribute == "general":
                wrapped[general] = made
            _set(op.__dict__, attribute, made)
    _undo.extend(exchange(wrapped))
    for name in _WAYS_OUT:
        _lead_past(name, _stated(name))
    _lead_past("data", _stated("data").fget)


def _functions() -> list[Any]:
    """Return every function that a class of tensors holds."""
    found = []
    for kind in Tensor.__mro__[:-1]:
        for item in vars(kind).values():
            parts = (item.fget, item.fset) if isinstance(item, property) else (item,)
            found += [part for part in parts if hasattr(part, "__closure__")]
    return found


def exchange(calls: dict[Any, Any]) -> list[Callable[[], None]]:
    """Let the methods of tensors call the values of *calls* where they called the keys.

    Returns:
        What undoes it.
    """
    undo: list[Callable[[], None]] = []
    for function in {id(f): f for f in _functions()}.values():
        for cell in function.__closure__ or ():
            content = cell.cell_contents
            try:
                made = calls.get(content)
            except TypeError:  # no key of a dict
                continue
            if made is not None:
                cell.cell_contents = made
                undo.append(functools.partial(setattr, cell, "cell_contents", content))
    return undo


def _set(namespace: dict[str, Any], name: str, value: Any) -> None:
    """Set an item of an object's dict, and remember how to undo it."""
    if name in namespace:
        before = namespace[name]
        _undo.append(lambda: namespace.__setitem__(name, before))
    else:
        _undo.append(lambda: namespace.pop(name))
    namespace[name] = value


#: The wrapped ways out, by name.
_ways: Final[dict[str, Callable[..., Any]]] = {}


def _way(*args: Any, **kwargs: Any) -> Any:
    """Stand in for a way out: its code runs among the globals of another module."""
    from sys import modules

    return modules["MODULE"]._ways["NAME"](*args, **kwargs)


def _stated(name: str) -> Any:
    """Return an attribute of the class of tensors that states it."""
    return next(vars(kind)[name] for kind in Tensor.__mro__ if name in vars(kind))


def _lead_past(name: str, function: Any) -> None:
    """Let *function*, the same object, call the observers."""
    code, constants = function.__code__, {"MODULE": __name__, "NAME": name}
    plain = FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    plain.__kwdefaults__ = function.__kwdefaults__
    _ways[name] = _method(name, plain)
    consts = tuple(constants.get(const, const) for const in _way.__code__.co_consts)
    function.__code__ = _way.__code__.replace(co_consts=consts, co_name=code.co_name)
    _undo.append(lambda: setattr(function, "__code__", code))
