"""`Variable`: the name that tensors with history had before they were all tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._warn import warn
from ..engine import queue_callback
from ..errors import ArgumentError
from ..ops.creation import empty
from ..tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Variable"]


class _Engine:
    """The engine, as far as programs call it by hand."""

    @staticmethod
    def queue_callback(callback: Callable[[], Any]) -> None:
        """Call *callback* when the backward pass that runs now has finished.

        Raises:
            RuntimeError: none runs.
        """
        queue_callback(callback)


class _VariableMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_VariableMeta):
    """Return a `Tensor` over the memory of *data*: an alias that old programs call.

    >>> import chainrule as cr
    >>> v = Variable(cr.ones(2), requires_grad=True)
    >>> type(v).__name__, v.requires_grad, isinstance(v, Variable)
    ('Tensor', True, True)
    """

    _execution_engine = _Engine()

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: Any = None) -> Any:
        """Return the tensor: the class has no instances of its own."""
        if volatile is not None:
            warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
                UserWarning,
                stacklevel=2,
            )
        if data is None:
            data = empty(0)
        if not isinstance(data, Tensor):
            msg = f"Variable data has to be a tensor, but got {type(data).__name__}"
            raise ArgumentError(msg)
        return data.detach().requires_grad_(requires_grad)
