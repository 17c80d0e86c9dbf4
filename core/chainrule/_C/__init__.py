"""Names that PyTorch keeps in its C++ half, as far as programs in Python use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine import current_task
from ..errors import AutogradError
from ..errors import LinAlgError as _LinAlgError
from ..grad_mode import mode
from ..overriding import (
    DisableTorchFunction,
    DisableTorchFunctionSubclass,
)
from ..overriding import disabled_torch_function_impl as _disabled_torch_function_impl
from . import _autograd, _functions
from ._dispatch import DispatchKey, DispatchKeySet

if TYPE_CHECKING:
    from ..graph import Node

__all__ = [
    "DisableTorchFunction",
    "DisableTorchFunctionSubclass",
    "DispatchKey",
    "DispatchKeySet",
    "_LinAlgError",
    "_are_functorch_transforms_active",
    "_autograd",
    "_current_autograd_node",
    "_current_graph_task_id",
    "_disabled_torch_function_impl",
    "_functions",
    "_get_tracing_state",
    "_log_api_usage_once",
    "_will_engine_execute_node",
]  # fmt: skip


def _are_functorch_transforms_active() -> bool:
    """Return whether a transform of ``func`` runs: vmap, grad, jvp.

    >>> import chainrule as cr
    >>> cr.vmap(lambda x: x * _are_functorch_transforms_active())(cr.ones(2))
    tensor([1., 1.])
    >>> _are_functorch_transforms_active()
    False
    """
    return mode.transforming > 0


def _get_tracing_state() -> None:
    """Return None: nothing is traced."""


def _log_api_usage_once(event: str) -> None:
    """Do nothing: nobody is told."""


def _current_graph_task_id() -> int:
    """Return the number of the backward pass that runs on this thread, -1 if none does.

    >>> _current_graph_task_id()
    -1
    """
    task = current_task()
    return -1 if task is None else task.id


def _current_autograd_node() -> Node | None:
    """Return the node whose hooks or function run now, or None."""
    task = current_task()
    return None if task is None else task.node


def _will_engine_execute_node(node: Node) -> bool:
    """Return whether *node* takes part in the backward pass that runs on this thread.

    Raises:
        RuntimeError: none runs.
    """
    task = current_task()
    if task is None:
        msg = "_get_should_execute_nodes should only be called during the backward pass"
        raise AutogradError(msg)
    return task.will_execute(node)
