"""How a node keeps a tensor that hooks pack, and which hooks are in force.

A hook is a pair of functions. When an operation saves a tensor, *pack* is called with it and what
it returns is kept instead; when the backward pass needs the tensor, *unpack* is called with that
and returns a tensor of the same values. What the tensor depends on is kept beside it, so that
derivatives of higher order go on past the hooks.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from .errors import ArgumentError, AutogradError
from .grad_mode import mode
from .value import Value, new_value

if TYPE_CHECKING:
    from collections.abc import Callable

    Hooks = tuple[Callable[[Any], Any], Callable[[Any], Any]]

_PACK_WRITES = (
    "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack "
    "hook cannot be modified by in-place operations as this can lead to unexpected side-effects. "
    "Please open an issue if you need to perform in-place operations on the input to a pack hook."
)


class _Threads(threading.local):
    """The hooks of one thread, the innermost last, and why there may be none."""

    disabled: str | None = None

    def __init__(self) -> None:
        self.hooks: list[Hooks] = []


in_force = _Threads()


def push(hooks: Hooks) -> None:
    """Put *hooks* in force on this thread.

    Raises:
        TypeError: they cannot be called.
        RuntimeError: hooks are disabled; the message is the one they were disabled with.
    """
    if in_force.disabled is not None:
        raise AutogradError(in_force.disabled)
    for hook in hooks:
        _check_callable("_push_saved_tensors_default_hooks", hook)
    in_force.hooks.append(hooks)


def pop() -> None:
    """Take the innermost hooks away."""
    in_force.hooks.pop()


def disable(message: str | None) -> str | None:
    """Forbid hooks on this thread with *message*, or allow them; return what was said before.

    Raises:
        RuntimeError: hooks are in force now.
    """
    if message is not None and in_force.hooks:
        raise AutogradError(message)
    before, in_force.disabled = in_force.disabled, message
    return before


def _check_callable(who: str, hook: Any) -> None:
    if not callable(hook):
        msg = (
            f"{who}(): incompatible function arguments. The following argument types are "
            f"supported:\n{who}: expected functions, got {type(hook).__name__}."
        )
        raise ArgumentError(msg)


class Packed:
    """What stands in a node's slot in place of a tensor that hooks packed.

    Attributes:
        content: What the pack hook returned.
        unpack_hook: What makes a tensor of it.
        edge: Where the gradient of the tensor goes, as (node, output number), or None.
    """

    __slots__ = ("content", "edge", "unpack_hook")

    def __init__(self, tensor: Value, hooks: Hooks, edge: tuple[Any, int] | None) -> None:
        pack_hook, self.unpack_hook = hooks
        self.edge = edge
        storage = tensor._storage
        version = 0 if storage is None else storage.version
        before, mode.enabled = mode.enabled, False
        try:
            self.content = pack_hook(tensor)
        finally:
            mode.enabled = before
        if (0 if tensor._storage is None else tensor._storage.version) != version:
            raise AutogradError(_PACK_WRITES)

    def unpack(self) -> Any:
        """Return the tensor again: its values from the hook, its history as it was.

        Raises:
            TypeError: the hook returned something else.
        """
        made = self.unpack_hook(self.content)
        if not isinstance(made, Value):
            msg = (
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(made).__name__}"
            )
            raise ArgumentError(msg)
        tensor = new_value(made._array, made._key)
        tensor._storage = made._storage
        if self.edge is not None:
            tensor._requires_grad = True
            tensor._node, tensor._output_nr = self.edge
        return tensor


def is_packed(item: Any) -> bool:
    """Return whether *item* of a node, or one in a list, was packed."""
    if isinstance(item, (tuple, list)):
        return any(map(is_packed, item))
    return type(item) is Packed


def unpacked(item: Any) -> Any:
    """Return *item* with every packed tensor as a tensor again."""
    if isinstance(item, (tuple, list)):
        return tuple(map(unpacked, item))
    return item.unpack() if type(item) is Packed else item


class SavedTensor:
    """A tensor that a node saved, as ``node._raw_saved_<name>``: to register hooks on it alone.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> y = x**2
    >>> y.grad_fn._raw_saved_self.register_hooks(lambda t: t.tolist(), cr.tensor)
    >>> y.sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("_read", "_write")

    _read: Callable[[], Any]
    _write: Callable[[Hooks], None]

    def __init__(self) -> None:
        msg = "Trying to create a SavedTensor object from Python is forbidden."
        raise AutogradError(msg)

    @classmethod
    def at(cls, read: Callable[[], Any], write: Callable[[Hooks], None]) -> SavedTensor:
        """Return the saved tensor that *read* finds and *write* packs."""
        made = object.__new__(cls)
        made._read, made._write = read, write
        return made

    def register_hooks(
        self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]
    ) -> None:
        """Pack the tensor with *pack_hook* now, and unpack it with *unpack_hook* when needed.

        Raises:
            RuntimeError: it has hooks, is None, was freed, or *pack_hook* wrote into it.
            TypeError: the hooks cannot be called.
        """
        for hook in (pack_hook, unpack_hook):
            _check_callable("register_hooks", hook)
        item = self._read()
        if item is None:
            msg = "Calling register_hooks on a saved tensor with value None is forbidden"
            raise AutogradError(msg)
        if type(item) is Packed:
            msg = (
                "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: "
                "only one pair of hooks is allowed at a time."
            )
            raise AutogradError(msg)
        self._write((pack_hook, unpack_hook))

    def unpack(self) -> Any:
        """Return the tensor, by the unpack hook if there is one."""
        return unpacked(self._read())

    @property
    def data(self) -> Any:
        """What the pack hook returned; without hooks, the tensor."""
        item = self._read()
        return item.content if type(item) is Packed else item

    @property
    def unpack_hook(self) -> Any:
        """The unpack hook, or None."""
        return getattr(self._read(), "unpack_hook", None)
