"""What the functions of this package do with their arguments before they call an op."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, ShapeError
from ..grad_mode import mode
from ..graph import OpNode
from ..inplace import check_history, check_writable, run_in_place
from ..shapes import infer_size, is_integer
from ..value import Value, count_write, new_value
from ..views import refresh

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__: list[str] = []


def check_tensor(function: str, item: Any, argument: str = "input", position: int = 1) -> None:
    """Check that *item* is a tensor.

    Raises:
        ArgumentError: with PyTorch's message.
    """
    if not isinstance(item, Value):
        msg = (
            f"{function}(): argument '{argument}' (position {position}) must be Tensor, "
            f"not {type(item).__name__}"
        )
        raise ArgumentError(msg)


def check_tensors(function: str, items: Any, argument: str = "tensors") -> None:
    """Check that *items* is a list or tuple of tensors.

    Raises:
        ArgumentError: with PyTorch's message.
    """
    if not isinstance(items, (list, tuple)):
        msg = (
            f"{function}(): argument '{argument}' (position 1) must be tuple of Tensors, "
            f"not {type(items).__name__}"
        )
        raise ArgumentError(msg)
    for index, item in enumerate(items):
        if not isinstance(item, Value):
            msg = f"expected Tensor as element {index} in argument 0, but got {type(item).__name__}"
            raise ArgumentError(msg)


def integers(
    function: str, argument: str, given: tuple[Any, ...], named: Any = None
) -> tuple[int, ...]:
    """Return integers given as ``f(2, 3)``, ``f((2, 3))`` or ``f(argument=(2, 3))`` as one tuple.

    Raises:
        ArgumentError: there are none, or one is no integer.
    """
    if named is not None:
        given = (named,)
    elif not given:
        msg = f'{function}() missing 1 required positional arguments: "{argument}"'
        raise ArgumentError(msg)
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = tuple(given[0])
    try:
        return tuple(map(operator.index, given))
    except TypeError:
        place = next(i for i, item in enumerate(given) if not is_integer(item))
        msg = (
            f"{function}(): argument '{argument}' failed to unpack the object at pos {place + 1} "
            f'with error "type must be tuple of ints,but got {type(given[place]).__name__}"'
        )
        raise ArgumentError(msg) from None


def no_integers(function: str, argument: str, given: Any) -> ArgumentError:
    """Return the error that the second argument is *given* as something else than integers."""
    what = f"not {type(given).__name__}"
    if isinstance(given, (tuple, list)):
        place = next(i for i, item in enumerate(given) if not is_integer(item))
        what = f"but found element of type {type(given[place]).__name__} at pos {place}"
    return ArgumentError(
        f"{function}(): argument '{argument}' (position 2) must be tuple of ints, {what}"
    )


def fit_size(size: tuple[int, ...], numel: int) -> tuple[int, ...]:
    """Return *size* with its -1 replaced by what makes *numel* elements: quick if plain."""
    known, unknown = 1, -1
    for place, n in enumerate(size):
        if n >= 0:
            known *= n
        elif n == -1 and unknown < 0:
            unknown = place
        elif n == -1:
            return infer_size(size, numel)
        else:
            msg = f"invalid shape dimension {n} at index {place} of shape {list(size)}"
            raise ShapeError(msg)
    if unknown < 0:
        return size if known == numel else infer_size(size, numel)
    if known and numel % known == 0:
        return (*size[:unknown], numel // known, *size[unknown + 1 :])
    return infer_size(size, numel)


class _InPlace:
    """A function with the attributes of an op that writing in place needs."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.__name__, self.fast = function.__name__, function
        self.general = lambda args, kwargs: function(*args, **kwargs)


def in_place_form(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the in-place form of *function*: it writes the result into its first argument."""
    op: Any = _InPlace(function)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return run_in_place(op, (self, *args), kwargs)

    method.__name__ = method.__qualname__ = f"{function.__name__}_"
    method.__wrapped__ = function  # type: ignore[attr-defined]  # for inspect
    method.__doc__ = f"In-place form of {function.__name__}."
    return method


def new_look(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the in-place form of a view: its first argument takes on the shape of the result."""
    name = f"{function.__name__}_"

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        recorded = is_recorded(self)
        if recorded:
            check_history(self, name, recorded=True)
        else:
            check_writable(self, (), name)
        seen = function(_twin(self), *args, **kwargs)
        self._array = seen._array
        if recorded:
            self._node, self._output_nr = seen._node, seen._output_nr
            self._node.__class__ = _in_place_class(self._node.name())
        if self._base is not None:
            seen._view.in_grad_mode = self._view.in_grad_mode
            self._view = seen._view
        count_write(self, name)
        if not self._key.backend.level:
            self._storage.reshaped = True
        return self

    method.__name__ = method.__qualname__ = name
    method.__wrapped__ = function  # type: ignore[attr-defined]  # for inspect
    method.__doc__ = f"In-place form of {function.__name__}: the shape changes, the memory stays."
    return method


@functools.cache
def _in_place_class(name: str) -> type[OpNode]:
    """Return the class of nodes that PyTorch gives the in-place form of *name*: it counts on."""
    stem, number = name[:-1], int(name[-1])
    numbered = f"{stem}{number + (3 if stem.startswith('Squeeze') else 1)}"
    return type(numbered, (OpNode,), {"__slots__": ("_widths",), "__module__": OpNode.__module__})


def _twin(value: Value) -> Any:
    """Return another object for a tensor as it is now."""
    twin = new_value(value._array, value._key)
    for slot in ("_requires_grad", "_node", "_output_nr", "_storage", "_base"):
        setattr(twin, slot, getattr(value, slot))
    if value._base is not None:
        twin._view = value._view
    return twin


def is_recorded(input: Value) -> bool:
    """Return whether an operation on *input* would be recorded now."""
    if input._base is not None:
        refresh(input)
    return input._requires_grad and mode.enabled


def unrecorded(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what *function* returns, leaving no history."""
    before, mode.enabled = mode.enabled, False
    try:
        return function(*args, **kwargs)
    finally:
        mode.enabled = before


def permutation_inverse(dims: Sequence[int]) -> tuple[int, ...]:
    """Return the permutation that undoes *dims*.

    >>> permutation_inverse((2, 0, 1))
    (1, 2, 0)
    """
    places = sorted(range(len(dims)), key=[d % len(dims) for d in dims].__getitem__)
    return tuple(places)


def zeros_shaped(like: Value, shape: Sequence[int]) -> Any:
    """Return zeros of *shape*, with the dtype and on the device of *like*."""
    key = like._key
    return new_value(key.backend.full(tuple(shape), 0, key.dtype, key.device), key)
