"""Modules that hold modules: in a row, in a list, in a dictionary."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any, Self, overload

from ._parameter_container import ParameterDict, ParameterList, pairs_of
from .module import Module, indent

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterator, KeysView, ValuesView

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Numbered(Module):
    """A module whose children are named by their position."""

    def _position(self, index: Any) -> int:
        """Return *index* counted from the front.

        Raises:
            IndexError: it is out of range.
        """
        position, count = operator.index(index), len(self)
        if not -count <= position < count:
            msg = f"index {position} is out of range"
            raise IndexError(msg)
        return position % count

    def _key(self, index: Any) -> str:
        """Return the name of the child at *index*; names need not be numbers in a `Sequential`."""
        return list(self._modules)[self._position(index)]

    def _renumber(self, modules: Iterable[Any]) -> None:
        """Make *modules* the children, named by position."""
        members = {str(i): module for i, module in enumerate(modules)}
        self._modules.clear()
        self._modules.update(members)

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, module: Module) -> Self:
        """Add *module* at the end; return the container."""
        self.add_module(str(len(self)), module)
        return self

    def pop(self, key: int | slice) -> Any:
        """Remove the child at *key* and return it."""
        module = self[key]  # type: ignore[index]  # both kinds of container have it
        del self[key]
        return module


class Sequential(_Numbered):
    """Modules in a row: each gets the output of the one before.

    Args:
        args: The modules, or one ordered dictionary that names them.

    >>> import chainrule as cr
    >>> model = Sequential(cr.nn.Linear(2, 3), cr.nn.ReLU())
    >>> model
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    >>> model(cr.ones(5, 2)).shape
    torch.Size([5, 3])
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for position, module in enumerate(args):
                self.add_module(str(position), module)

    def forward(self, input: Any) -> Any:
        """Return the output of the last module."""
        output = input
        for module in self._modules.values():
            output = module(output)  # type: ignore[misc]  # absent ones are not called
        return output

    @overload
    def __getitem__(self, index: slice) -> Self: ...
    @overload
    def __getitem__(self, index: int) -> Module: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            names = list(self._modules)[index]
            return type(self)(OrderedDict((name, self._modules[name]) for name in names))
        return self._modules[self._key(index)]

    def __delitem__(self, index: int | slice) -> None:
        keys = list(self._modules)[index] if isinstance(index, slice) else [self._key(index)]
        for key in keys:
            delattr(self, key)
        self._renumber(self)

    def __add__(self, other: Any) -> Sequential:
        _expect_sequential(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Any) -> Self:
        _expect_sequential(other)
        return self.extend(list(other))

    def __mul__(self, other: Any) -> Sequential:
        return Sequential(*(list(self) * _repetitions(self, other)))

    __rmul__ = __mul__

    def __imul__(self, other: Any) -> Self:
        return self.extend(list(self) * (_repetitions(self, other) - 1))

    def insert(self, index: int, module: Module) -> Self:
        """Put *module* before position *index*; return the container.

        Raises:
            IndexError: *index* is out of range.
        """
        if not isinstance(module, Module):
            msg = f"module should be of type: {Module}"
            raise AssertionError(msg)  # noqa: TRY004 - as PyTorch
        count = len(self)
        if not -count <= index <= count:
            msg = f"Index out of range: {index}"
            raise IndexError(msg)
        modules = list(self)
        modules.insert(index + count if index < 0 else index, module)
        self._renumber(modules)
        return self

    def extend(self, sequential: Iterable[Module]) -> Self:
        """Add all modules at the end; return the container."""
        for module in sequential:
            self.append(module)
        return self


class ModuleList(_Numbered):
    """Modules in a list, registered, so that their parameters are found.

    Args:
        modules: What to begin with.

    >>> import chainrule as cr
    >>> layers = ModuleList(cr.nn.Linear(2, 2) for _ in range(3))
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    @overload
    def __getitem__(self, index: slice) -> Self: ...
    @overload
    def __getitem__(self, index: int) -> Any: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._modules[str(self._position(index))]

    def __delitem__(self, index: int | slice) -> None:
        gone = range(len(self))[index] if isinstance(index, slice) else (self._position(index),)
        self._renumber(module for i, module in enumerate(self) if i not in gone)

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList(chain(self, other))

    def insert(self, index: int, module: Module) -> None:
        """Put *module* before position *index*, as a list does."""
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add all *modules* at the end; return the container.

        Raises:
            TypeError: *modules* is not iterable.
        """
        if not isinstance(modules, Iterable):
            msg = (
                "ModuleList.extend should be called with an iterable, "
                f"but got {type(modules).__name__}"
            )
            raise TypeError(msg)
        for module in list(modules):
            self.append(module)
        return self

    def __repr__(self) -> str:
        if not len(self):
            return f"{self._get_name()}()"
        lines = []
        for first, last, text in _runs([repr(module) for module in self]):
            if first == last:
                lines.append(f"({first}): {indent(text)}")
            else:
                lines.append(f"({first}-{last}): {last - first + 1} x {indent(text)}")
        body = "\n  ".join(lines)
        return f"{self._get_name()}(\n  {body}\n)"


class ModuleDict(Module):
    """Modules in a dictionary, registered, in order of insertion.

    Args:
        modules: A mapping, or pairs of name and module.

    >>> import chainrule as cr
    >>> heads = ModuleDict({"small": cr.nn.Linear(4, 1), "large": cr.nn.Linear(4, 9)})
    >>> heads["large"](cr.ones(4)).shape
    torch.Size([9])
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Remove the module at *key* and return it."""
        module = self[key]
        del self[key]
        return module

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Any]:
        """Return pairs of name and module."""
        return self._modules.items()

    def values(self) -> ValuesView[Any]:
        """Return the modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add all of *modules*, in their order.

        Raises:
            TypeError: it is neither a mapping nor an iterable of pairs.
        """
        for key, module in pairs_of(modules, "ModuleDict", "ModuleDict"):
            self[key] = module


def _runs(texts: list[str]) -> list[tuple[int, int, str]]:
    """Return the runs of equal neighbours: first and last position, and the text."""
    runs: list[tuple[int, int, str]] = []
    for position, text in enumerate(texts):
        if runs and runs[-1][2] == text:
            runs[-1] = (runs[-1][0], position, text)
        else:
            runs.append((position, position, text))
    return runs


def _expect_sequential(other: Any) -> None:
    if not isinstance(other, Sequential):
        msg = f"add operator supports only objects of Sequential class, but {type(other)} is given."
        raise ValueError(msg)  # noqa: TRY004 - as PyTorch


def _repetitions(container: Sequential, count: Any) -> int:
    if not isinstance(count, int):
        msg = f"unsupported operand type(s) for *: {type(container)} and {type(count)}"
        raise TypeError(msg)
    if count <= 0:
        msg = f"Non-positive multiplication factor {count} for {type(container)}"
        raise ValueError(msg)
    return count
