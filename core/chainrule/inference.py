"""`inference_mode`: nothing is recorded, and what is made there can never be.

A tensor made in inference mode, other than a view of an older one, has an `InferenceStorage`: no
version counter, and no place in a graph. See Note [Marking what inference makes].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import value as _value
from .grad_mode import IN_INFERENCE, Mode, mode
from .locks import new_lock
from .overriding import disabled_torch_function_impl
from .storage import InferenceStorage
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

# Note [Marking what inference makes]
# -----------------------------------
# Every result has to be marked while a thread is in inference mode, and asking "is it?" per
# operation would cost everybody. But every result is made as ``object.__new__(result_class)``,
# and then gets its attributes, `_requires_grad` before it may become a view. So while a thread is
# in inference mode the result class is another one, in which `_requires_grad` is a property: on
# the first assignment it marks the tensor, if it is made on that thread, and makes it an ordinary
# `Tensor`. A view then takes the storage of what it looks into, marked or not, as PyTorch has it.

_lock = new_lock()
_entered = 0  # how many blocks, of all threads, are open
_marking_class: type[Value] | None = None


def is_inference_mode_enabled() -> bool:
    """Return whether this thread is in inference mode.

    >>> with inference_mode():
    ...     is_inference_mode_enabled()
    True
    """
    return mode.inference


def is_inference(input: Any) -> bool:
    """Return whether a tensor was made in inference mode.

    >>> import chainrule as cr
    >>> with inference_mode():
    ...     y = cr.ones(2)
    >>> is_inference(y)
    True
    """
    return type(input._storage) is InferenceStorage


def _marking() -> type[Value]:
    """Return the class that results are made of while a thread is in inference mode.

    It asks nobody: as any other subclass of `Tensor` it would let every function ask from then on.
    """
    ordinary = _value.tensor_class
    plain: Any = vars(Value)["_requires_grad"]

    def settle(self: Any, flag: bool) -> None:
        plain.__set__(self, flag)
        if mode.inference:
            self._storage = InferenceStorage()
        self.__class__ = ordinary

    namespace: dict[str, Any] = {"__slots__": (), "__module__": ordinary.__module__}
    namespace["__torch_function__"] = disabled_torch_function_impl
    namespace["_requires_grad"] = property(plain.__get__, settle)
    return type(ordinary.__name__, (ordinary,), namespace)


def _count(step: int) -> None:
    """Count a block that opens or closes; while any is open, results are made to be marked."""
    global _entered, _marking_class  # noqa: PLW0603 - of the process, like the class that they are about
    with _lock:
        if _marking_class is None:
            _marking_class = _marking()
        _entered += step
        _value.result_class = _marking_class if _entered else _value.tensor_class


class inference_mode(Mode):  # noqa: N801 - PyTorch's name
    """Stop recording, and counting versions too: for code that will never need gradients.

    What is made inside, other than views of older tensors, can be used outside, but neither be
    saved for a backward pass nor written to; `clone` it for that.

    Args:
        mode: False for an ordinary block inside; a function, to decorate it.

    >>> import chainrule as cr
    >>> x = cr.ones(2, requires_grad=True)
    >>> with inference_mode():
    ...     y = x * 2
    >>> y.requires_grad, y.is_inference()
    (False, True)
    """

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        """Return the context manager, or the function that is decorated without parentheses."""
        if isinstance(mode, bool) or not callable(mode):
            return super().__new__(cls)
        return cls()(mode)

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode
        self._previous: list[tuple[bool, bool, bool]] = []

    def __enter__(self) -> None:
        self._previous.append((mode.inference, mode.enabled, mode.asked))
        if self.mode:
            _count(1)
            mode.inference, mode.enabled, mode.asked = True, IN_INFERENCE, False
        else:
            mode.inference, mode.enabled = False, True

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        mode.inference, mode.enabled, mode.asked = self._previous.pop()
        if self.mode:
            _count(-1)

    def _fresh(self) -> inference_mode:
        return type(self)(self.mode)
