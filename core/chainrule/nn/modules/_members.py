"""What a module is made of: parameters, buffers and child modules, registered by assignment."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from ...queries import typename
from ...tensor import Tensor
from ..parameter import Buffer, Parameter
from ._hooks import Hooks

if TYPE_CHECKING:
    from .module import Module

#: Called with (module, name, value) on each registration; what they return takes its place.
parameter_hooks: Hooks = OrderedDict()
buffer_hooks: Hooks = OrderedDict()
module_hooks: Hooks = OrderedDict()


class Members:
    """The registers of a module, and the attribute access that fills and reads them.

    Plain values live in the instance as usual. A `Parameter`, a buffer or a module goes into its
    register instead, in the order of assignment, and is read from there.
    """

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for register in ("_parameters", "_buffers", "_modules"):
            members = own.get(register)
            if members is not None and name in members:
                return members[name]
        msg = f"'{type(self).__name__}' object has no attribute '{name}'"
        raise AttributeError(msg)

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            self._give_up(name, "_parameters", "parameters")
            self.register_parameter(name, value)
        elif name in own.get("_parameters", ()):
            _expect_none(value, f"as parameter '{name}' (torch.nn.Parameter or None expected)")
            self.register_parameter(name, None)
        elif isinstance(value, Members):
            self._give_up(name, "_modules", "module")
            self._modules[name] = _observed(module_hooks, self, name, value)
        elif name in own.get("_modules", ()):
            _expect_none(value, f"as child module '{name}' (torch.nn.Module or None expected)")
            self._modules[name] = _observed(module_hooks, self, name, None)
        elif isinstance(value, Buffer) or name in own.get("_buffers", ()):
            self._set_buffer(name, value)
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        for members in (self._parameters, self._buffers, self._modules):
            if name in members:
                del members[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def _give_up(self, name: str, register: str, kind: str) -> None:
        """Remove *name* wherever it stands except in *register*, which takes it over."""
        own = self.__dict__
        if register not in own:
            msg = f"cannot assign {kind} before Module.__init__() call"
            raise AttributeError(msg)
        own.pop(name, None)
        for other in ("_parameters", "_buffers", "_modules"):
            if other != register:
                own[other].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def _set_buffer(self, name: str, value: Any) -> None:
        if value is not None and not isinstance(value, Tensor):
            msg = (
                f"cannot assign '{typename(value)}' as buffer '{name}' "
                "(torch.nn.Buffer, torch.Tensor or None expected)"
            )
            raise TypeError(msg)
        if isinstance(value, Buffer):
            persistent = value.persistent
        else:
            persistent = name not in self._non_persistent_buffers_set
        # Subclasses are about that override register_buffer() without the argument.
        plain = type(self).register_buffer is Members.register_buffer
        if plain or "persistent" in inspect.signature(self.register_buffer).parameters:
            self.register_buffer(name, value, persistent)
        elif persistent:
            self.register_buffer(name, value)
        else:
            msg = (
                "Registering a non-persistent buffer on a Module subclass that implements "
                "register_buffer() without the persistent argument is not allowed."
            )
            raise RuntimeError(msg)

    def _check_name(self, name: Any, kind: str, members: Any, found: str = "") -> None:
        """Check that *name* can be that of a new member of *members*."""
        if not isinstance(name, str):
            msg = f"{kind} name should be a string. Got {typename(name)}"
            raise TypeError(msg)
        if "." in name:
            msg = f'{kind} name can\'t contain "."{found}'
            raise KeyError(msg)
        if name == "":
            msg = f'{kind} name can\'t be empty string ""'
            raise KeyError(msg)
        if name not in members and hasattr(self, name):
            msg = f"attribute '{name}' already exists"
            raise KeyError(msg)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or with None the name of one that is absent.

        Raises:
            KeyError: the name is taken, empty, or contains a dot.
            TypeError: *param* is no `Parameter`.
            ValueError: *param* was computed.
        """
        if "_parameters" not in self.__dict__:
            msg = "cannot assign parameter before Module.__init__() call"
            raise AttributeError(msg)
        self._check_name(name, "parameter", self._parameters)
        if param is not None and not isinstance(param, Parameter):
            msg = (
                f"cannot assign '{typename(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
            raise TypeError(msg)
        if param is not None and param.grad_fn is not None:
            msg = (
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                f"created explicitly. To express '{name}' as a function of another Tensor, compute "
                "the value in the forward() method."
            )
            raise ValueError(msg)
        self._parameters[name] = _observed(parameter_hooks, self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the module's state and no parameter.

        Args:
            name: The name it is read by.
            tensor: The tensor, or None for one that is absent and saved by nobody.
            persistent: Whether it is part of ``state_dict()``.

        Raises:
            KeyError: the name is taken, empty, or contains a dot.
            TypeError: *tensor* is no tensor.
        """
        if "_buffers" not in self.__dict__:
            msg = "cannot assign buffer before Module.__init__() call"
            raise AttributeError(msg)
        self._check_name(name, "buffer", self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            msg = (
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
            raise TypeError(msg)
        self._buffers[name] = _observed(buffer_hooks, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module, or with None the name of one that is absent.

        Raises:
            KeyError: the name is taken, empty, or contains a dot.
            TypeError: *module* is no module.
        """
        if module is not None and not isinstance(module, Members):
            msg = f"{typename(module)} is not a Module subclass"
            raise TypeError(msg)
        self._check_name(name, "module", self._modules, f", got: {name}")
        self._modules[name] = _observed(module_hooks, self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a child module: `add_module` under its other name."""
        self.add_module(name, module)


def _observed(hooks: Hooks, module: Any, name: str, value: Any) -> Any:
    """Return *value*, or what the last registration hook put in its place."""
    for hook in hooks.values():
        replaced = hook(module, name, value)
        if replaced is not None:
            value = replaced
    return value


def _expect_none(value: Any, role: str) -> None:
    if value is not None:
        msg = f"cannot assign '{typename(value)}' {role}"
        raise TypeError(msg)
