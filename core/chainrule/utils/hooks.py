"""Hooks' handles under PyTorch's module path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from .._warn import warn
from ..hooks import RemovableHandle

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..tensor import Tensor

__all__ = ["RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]

F = TypeVar("F", bound="Callable[..., Any]")


def unserializable_hook(f: F) -> F:
    """Mark a hook that is meant to be left behind when its tensor is pickled: no warning then.

    >>> import chainrule as cr, pickle
    >>> x = cr.ones(1, requires_grad=True)
    >>> _ = x.register_hook(unserializable_hook(lambda grad: grad * 2))
    >>> len(pickle.loads(pickle.dumps(x))._backward_hooks or ())
    0
    """
    f.__torch_unserializable__ = True  # type: ignore[attr-defined]  # PyTorch's mark on a function
    return f


def warn_if_has_hooks(tensor: Tensor) -> None:
    """Warn of each hook that would be left behind if *tensor* were pickled."""
    for hook in (tensor._backward_hooks or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warn(
                f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, "
                "you can decorate the function with @torch.utils.hooks.unserializable_hook to "
                "suppress this warning",
                UserWarning,
                stacklevel=2,
            )
