"""How a tree of modules is walked: members by name, submodules by path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ...tensor import Tensor
from ..parameter import Parameter
from ._members import Members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .module import Module


class Traversal(Members):
    """Everything that lists what a module and its children hold.

    A name is a path: ``"encoder.0.weight"``. What is held twice is listed once, under its first
    name, unless *remove_duplicate* is false.
    """

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield the module itself and all modules below it, with their paths."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)  # type: ignore[arg-type]  # every Traversal is a Module
        yield prefix, self  # type: ignore[misc]  # likewise
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """Yield the module itself and all modules below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules directly below this one, each once, with their names."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """Yield the modules directly below this one, each once."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self,
        get_members_fn: Callable[[Module], Iterable[tuple[str, Any]]],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        """Yield what *get_members_fn* gives for each module, with paths, leaving out None."""
        seen = set()
        modules: Iterable[tuple[str, Any]] = [(prefix, self)]
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in modules:
            for name, member in get_members_fn(module):
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield (f"{path}.{name}" if path else name), member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters of this module and those below it, with their paths.

        >>> import chainrule as cr
        >>> [name for name, _ in cr.nn.Sequential(cr.nn.Linear(2, 3)).named_parameters()]
        ['0.weight', '0.bias']
        """
        yield from self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters of this module and, with *recurse*, of those below it."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers of this module and those below it, with their paths."""
        yield from self._named_members(
            lambda module: module._buffers.items(), prefix, recurse, remove_duplicate
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers of this module and, with *recurse*, of those below it."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def apply(self, fn: Callable[[Module], None]) -> Self:
        """Call *fn* on every module below this one, then on itself; return the module."""
        for module in self.children():
            module.apply(fn)
        fn(self)  # type: ignore[arg-type]  # every Traversal is a Module
        return self

    # One member by its path

    def _get_name(self) -> str:
        return type(self).__name__

    def get_submodule(self, target: str) -> Module:
        """Return the module at the path *target*; the empty path is the module itself.

        Raises:
            AttributeError: there is nothing at that path, or no module.
        """
        found: Any = self
        for name in target.split(".") if target else ():
            found = _attribute(found, name)
            if not isinstance(found, Members):
                raise _no_module(name)
        return found  # type: ignore[no-any-return]  # a Module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put *module* at the path *target*.

        Args:
            target: The path; every module on the way to its last name must exist.
            module: What to put there.
            strict: Allow only to replace a module.

        Raises:
            ValueError: the path is empty, or *module* is no module.
            AttributeError: the way does not exist, or there is something else at its end.
        """
        if not target:
            msg = "Cannot set the submodule without a target name!"
            raise ValueError(msg)
        if not isinstance(module, Members):
            msg = f"`module` is not an nn.Module, found {type(module)}"
            raise ValueError(msg)  # noqa: TRY004 - as PyTorch
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            found = _attribute(parent, name)
            if not isinstance(found, Members):
                raise _no_module(name)
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter at the path *target*.

        Raises:
            AttributeError: there is nothing at that path, or no parameter.
        """
        path, _, name = target.rpartition(".")
        found = _attribute(self.get_submodule(path), name)
        if not isinstance(found, Parameter):
            msg = f"`{name}` is not an nn.Parameter"
            raise AttributeError(msg)  # noqa: TRY004 - as PyTorch
        return found

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at the path *target*.

        Raises:
            AttributeError: there is nothing at that path, or no buffer.
        """
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        found = _attribute(module, name)
        if name not in module._buffers:
            msg = f"`{name}` is not a buffer"
            raise AttributeError(msg)
        return found  # type: ignore[no-any-return]  # a Tensor


def _no_module(name: str) -> AttributeError:
    return AttributeError(f"`{name}` is not an nn.Module")


def _attribute(module: Any, name: str) -> Any:
    """Return an attribute of *module* that has to be there."""
    if not hasattr(module, name):
        msg = f"{module._get_name()} has no attribute `{name}`"
        raise AttributeError(msg)
    return getattr(module, name)
