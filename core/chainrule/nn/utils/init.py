"""Modules without the work of initialising them."""

from __future__ import annotations

import inspect
from typing import Any

from ..modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """Return a module whose parameters hold arbitrary numbers, to be loaded or filled afterwards.

    Args:
        module_cls: Its class, which takes *device*.
        *args: Of the class.
        **kwargs: Likewise.

    Raises:
        RuntimeError: it is no class of modules, or takes no *device*.

    Differs from PyTorch:
        The parameters are initialised, since there is no device without memory.

    >>> import chainrule as cr
    >>> skip_init(cr.nn.Linear, 2, 3).weight.shape
    torch.Size([3, 2])
    """
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        msg = f"Expected a Module; got {module_cls}"
        raise RuntimeError(msg)  # noqa: TRY004 - as PyTorch
    parameters = inspect.signature(module_cls).parameters.values()
    takes = any(p.name == "device" or p.kind is p.VAR_KEYWORD for p in parameters)
    if not takes:
        msg = "Module must support a 'device' arg to skip initialization"
        raise RuntimeError(msg)
    return module_cls(*args, **kwargs)
