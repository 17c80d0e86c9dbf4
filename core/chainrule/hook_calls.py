"""Calling the hooks of a backward pass, and checking what they return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from .errors import ArgumentError, AutogradError
from .hooks import name_of
from .value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .hooks import HookDict


def run_tensor_hooks(hooks: HookDict, grad: Any) -> Any:
    """Return the gradient of a tensor after its hooks, each of which may replace it."""
    for hook in list(hooks.values()):
        replaced = hook(grad)
        if replaced is not None:
            grad = _checked(hook, grad, replaced)
    return grad


def run_node_hooks(
    hooks: HookDict, grads: Sequence[Any], call: Callable[[Any, Sequence[Any]], Any]
) -> Sequence[Any]:
    """Return the gradients before or after a node, after hooks that may replace all of them.

    Args:
        hooks: The hooks in their order.
        grads: What they may replace.
        call: Calls a hook with that.

    Raises:
        TypeError: a hook returned no tuple of tensors.
        RuntimeError: it returned another number of them, or changed a shape or dtype.
    """
    for hook in list(hooks.values()):
        replaced = call(hook, tuple(grads))
        if replaced is not None:
            grads = _checked_tuple(hook, grads, replaced)
    return grads


def run_leaf_hooks(hooks: HookDict, leaf: Any) -> None:
    """Call the hooks that come after accumulation."""
    for hook in list(hooks.values()):
        returned = hook(leaf)
        if returned is not None:
            _refuse_result(returned)


def _refuse_result(returned: Any) -> NoReturn:
    rule = "register_post_accumulate_grad_hook: the hook must return None."
    if isinstance(returned, Value):
        msg = f"Tensor post accumulate grad hooks should return None.\n{rule}"
        raise AutogradError(msg)
    msg = f"expected Variable, but hook returned '{type(returned).__name__}'\n{rule}"
    raise ArgumentError(msg)


def _checked_tuple(hook: Any, grads: Sequence[Any], replaced: Any) -> Sequence[Any]:
    if not isinstance(replaced, tuple):
        msg = (
            f"expected tuple, but hook returned '{type(replaced).__name__}'\n"
            f"{name_of(hook)}: a hook of a node returns None, or a tuple with a gradient or None "
            "for each that it was given."
        )
        raise ArgumentError(msg)
    if len(replaced) != len(grads):
        msg = (
            f"hook '{name_of(hook)}' has returned an incorrect number of values "
            f"(got {len(replaced)}, but expected {len(grads)})"
        )
        raise AutogradError(msg)
    return [
        new if new is None or new is old else _checked(hook, old, new)
        for old, new in zip(grads, replaced, strict=True)
    ]


def _checked(hook: Any, grad: Any, replaced: Any) -> Any:
    """Return *replaced* if it may stand in place of *grad*."""
    name = name_of(hook)
    if not isinstance(replaced, Value):
        msg = f"expected Variable, but hook returned '{type(replaced).__name__}'"
        raise ArgumentError(msg)
    if grad is None:
        msg = (
            "can't replace a None gradient with a non-None value\n"
            f"{name}: there is no gradient in this place; the hook must leave it None."
        )
        raise AutogradError(msg)
    if replaced._key.dtype is not grad._key.dtype:
        kinds = _kind(grad), _kind(replaced)
        msg = (
            f"hook '{name}' has changed the type of value (was {kinds[0]} got {kinds[1]})\n"
            f"{name}: expected {grad._key.dtype}, got {replaced._key.dtype}. Convert it with .to()."
        )
        raise AutogradError(msg)
    if replaced._array.shape != grad._array.shape:
        msg = (
            f"hook '{name}' has changed the size of value\n{name}: expected shape "
            f"{tuple(grad._array.shape)}, got {tuple(replaced._array.shape)}."
        )
        raise AutogradError(msg)
    return replaced


def _kind(value: Any) -> str:
    name = value._key.dtype.scalar_name
    return f"CPU{name}Type" if value._key.complex else f"torch.{name}Tensor"
