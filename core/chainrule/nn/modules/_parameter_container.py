"""Modules that hold parameters and nothing else: a list and a dictionary."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from ...tensor import Tensor
from ..parameter import Parameter
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Iterator


def _as_member(value: Any) -> Any:
    """Return a plain tensor as a parameter, anything else as it is."""
    plain = isinstance(value, Tensor) and not isinstance(value, Parameter)
    return Parameter(value) if plain else value


def _line(key: object, value: Any, kind: str) -> str:
    """Return the line of one member: what it is, not its values."""
    if not isinstance(value, Tensor):
        return f"  ({key}): Object of type: {type(value).__name__}"
    name = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(map(str, value.shape))
    device = "" if value.device.type == "cpu" else f" ({value.device})"
    return f"  ({key}): {name} containing: [{kind} of size {size}{device}]"


class ParameterList(Module):
    """Parameters in a list. Tensors become parameters; other things are kept as they are.

    Args:
        values: What to begin with.

    >>> import chainrule as cr
    >>> ParameterList([cr.ones(2), cr.ones(2, 3)])
    ParameterList(
        (0): Parameter containing: [torch.float32 of size 2]
        (1): Parameter containing: [torch.float32 of size 2x3]
    )
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _position(self, index: Any) -> str:
        index = operator.index(index)
        if not -self._size <= index < self._size:
            msg = f"index {index} is out of range"
            raise IndexError(msg)
        return str(index % self._size)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return getattr(self, self._position(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._position(index), _as_member(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(self._size)])

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def append(self, value: Any) -> Self:
        """Add *value* at the end; return the list."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add all *values* at the end; return the list.

        Raises:
            TypeError: *values* is not iterable, or is a tensor.
        """
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            msg = (
                "ParameterList.extend should be called with an iterable, "
                f"but got {type(values).__name__}"
            )
            raise TypeError(msg)
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """Return a line for each member."""
        kinds = [str(getattr(value, "dtype", "")) for value in self]
        return "\n".join(_line(i, self[i], kind) for i, kind in enumerate(kinds))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        msg = "ParameterList should not be called."
        raise RuntimeError(msg)


class ParameterDict(Module):
    """Parameters in a dictionary. Tensors become parameters; other things are kept as they are.

    Args:
        parameters: A mapping, or pairs of name and value.

    >>> import chainrule as cr
    >>> scales = ParameterDict({"left": cr.ones(2), "right": cr.ones(1)})
    >>> [name for name, _ in scales.named_parameters()]
    ['left', 'right']
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def _attribute(self, key: Any) -> str:
        if not isinstance(key, str):
            msg = (
                "Index given to ParameterDict cannot be used as a key as it is not a string "
                f"(type is '{type(key).__name__}'). Open an issue on github if you need "
                "non-string keys.\n"
                "ParameterDict: keys are names of parameters. Convert them with str()."
            )
            raise TypeError(msg)
        return key

    def __getitem__(self, key: str) -> Any:
        return getattr(self, self._attribute(key))

    def __setitem__(self, key: str, value: Any) -> None:
        attribute = self._attribute(key)
        setattr(self, attribute, _as_member(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, self._attribute(key))

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def copy(self) -> ParameterDict:
        """Return another dictionary of the same parameters."""
        return ParameterDict((key, self[key]) for key in self._keys)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value at *key*, after putting *default* there if there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Remove everything."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Remove the value at *key* and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the pair that came in last and return it."""
        key = next(reversed(self))
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value at *key*, or *default*."""
        return self[key] if key in self else default  # noqa: SIM401 - this is `get`

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a dictionary with *default* at each of *keys*."""
        return ParameterDict((key, default) for key in keys)

    def keys(self) -> Any:
        """Return the names."""
        return self._keys.keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return pairs of name and value."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterable[Any]:
        """Return the values."""
        return (self[key] for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Add all of *parameters*: those of a plain dictionary sorted by name, others in order.

        Raises:
            TypeError: it is neither a mapping nor an iterable of pairs.
        """
        pairs = pairs_of(parameters, "ParametersDict", "ParameterDict")
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs.sort(key=operator.itemgetter(0))
        for key, value in pairs:
            self[key] = value

    def extra_repr(self) -> str:
        """Return a line for each member."""
        kinds = {key: str(v.type()) if isinstance(v, Tensor) else "" for key, v in self.items()}
        return "\n".join(_line(key, value, kinds[key]) for key, value in self.items())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        msg = "ParameterDict should not be called."
        raise RuntimeError(msg)

    def __or__(self, other: ParameterDict) -> ParameterDict:
        made = self.copy()
        made.update(other)
        return made

    def __ror__(self, other: ParameterDict) -> ParameterDict:
        made = other.copy()
        made.update(self)
        return made

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other)
        return self


def pairs_of(items: Any, caller: str, name: str) -> list[tuple[str, Any]]:
    """Return the pairs of key and value that a mapping or an iterable of pairs gives."""
    if not isinstance(items, Iterable):
        msg = (
            f"{caller}.update should be called with an iterable of key/value pairs, "
            f"but got {type(items).__name__}"
        )
        raise TypeError(msg)
    if isinstance(items, Mapping) or hasattr(items, "keys"):
        mapping: Any = items
        return [(key, mapping[key]) for key in mapping.keys()]  # noqa: SIM118 - not all are Mappings
    pairs = []
    for position, pair in enumerate(items):
        element = f"{name} update sequence element #{position}"
        if isinstance(pair, Tensor) or not isinstance(pair, Iterable):
            msg = f"{element} should be Iterable; is{type(pair).__name__}"
            raise TypeError(msg)
        found = tuple(pair)
        if len(found) != 2:
            msg = f"{element} has length {len(found)}; 2 is required"
            raise ValueError(msg)
        pairs.append(found)
    return pairs
