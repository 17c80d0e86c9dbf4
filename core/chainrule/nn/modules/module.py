"""`Module`: the base of every layer and model."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ...misspelling import misspellings_of
from ._calling import (
    Calling,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

_HOOKS = (
    "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs", "_forward_hooks",
    "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_backward_pre_hooks",
    "_backward_hooks", "_state_dict_pre_hooks", "_state_dict_hooks", "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)  # fmt: skip


class Module(Calling):
    """A part of a model: a computation and the tensors that it learns and keeps.

    Derive, call ``super().__init__()``, assign parameters and other modules as attributes, and
    write ``forward``. The files of this folder that begin with an underscore are its layers, from
    the bottom: what it holds (`Members`), how that is listed (`Traversal`), converted
    (`Conversion`) and saved (`State`), and how it is called (`Calling`).

    >>> import chainrule as cr
    >>> class Affine(Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.scale = cr.nn.Parameter(cr.tensor(2.0))
    ...         self.shift = cr.nn.Parameter(cr.tensor(1.0))
    ...
    ...     def forward(self, x):
    ...         return self.scale * x + self.shift
    >>> affine = Affine()
    >>> affine(cr.tensor(3.0))
    tensor(7., grad_fn=<AddBackward0>)
    >>> [name for name, _ in affine.named_parameters()]
    ['scale', 'shift']
    """

    call_super_init: bool = False
    dump_patches: bool = False
    training: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        own = self.__dict__
        own["training"] = True
        for register in ("_parameters", "_buffers", "_modules"):
            own[register] = {}
        own["_non_persistent_buffers_set"] = set()
        own["_is_full_backward_hook"] = None
        for hooks in _HOOKS:
            own[hooks] = OrderedDict()
        if self.call_super_init:
            super().__init__(*args, **kwargs)
        elif kwargs:
            name = next(iter(kwargs))
            msg = f"{type(self).__name__}.__init__() got an unexpected keyword argument '{name}'"
            raise TypeError(msg)
        elif args:
            msg = (
                f"{type(self).__name__}.__init__() takes 1 positional argument but "
                f"{len(args) + 1} were given"
            )
            raise TypeError(msg)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for hooks in _HOOKS:  # a file may be older than a kind of hook
            self.__dict__.setdefault(hooks, OrderedDict())
        self.__dict__.setdefault("_non_persistent_buffers_set", set())
        self.__dict__.setdefault("_is_full_backward_hook", None)

    def extra_repr(self) -> str:
        """Return what stands between the parentheses of the module's own line."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {indent(repr(module))}" for name, module in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        body = "\n  ".join([*lines, *children])
        return f"{self._get_name()}(\n  {body}\n)"

    def __dir__(self) -> list[str]:
        members = (self._parameters, self._buffers, self._modules)
        names = {*dir(type(self)), *self.__dict__, *(name for group in members for name in group)}
        names -= misspellings_of(type(self))
        return sorted(name for name in names if not name[0].isdigit())


def indent(text: str) -> str:
    """Return *text* with every line but the first moved in by two spaces; blank ones stay empty."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(f"  {line}" if line.strip() else "" for line in rest)])
