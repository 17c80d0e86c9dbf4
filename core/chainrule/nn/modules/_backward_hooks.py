"""Hooks on the gradients that go into a module and come out of it.

A module is many operations, so neither its inputs nor its outputs belong to one node. Therefore
two nodes that change nothing are put around it: one takes all inputs, one all outputs. What goes
backward through them is what the hooks see.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from ..._warn import warn
from ...errors import ArgumentError, AutogradError
from ...function import Function
from ...tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...graph import Node

    Gradients = tuple[Tensor | None, ...]


class BackwardHookFunction(Function):
    """All inputs, or all outputs, of a module at one node."""

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.mark_non_differentiable(*[tensor for tensor in tensors if not tensor.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        return grads


class BackwardHooks:
    """The backward hooks of one call of a module.

    Args:
        module: The module.
        hooks: Called as ``hook(module, grad_input, grad_output)``.
        pre_hooks: Called as ``hook(module, grad_output)``.
    """

    def __init__(
        self, module: Any, hooks: list[Callable[..., Any]], pre_hooks: list[Callable[..., Any]]
    ) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_output: Gradients | None = None
        self.inputs: list[int] | None = None  # where tensors stand among the arguments
        self.outputs: list[int] = []
        self.input_count = self.output_count = 0

    def on_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments, their tensors taken through one node."""
        self.input_count = len(args)
        args, inputs, node = _through_one_node(args)
        if node is not None:
            self.inputs = inputs
            node.register_hook(self._run)
        return args

    def on_outputs(self, result: Any) -> Any:
        """Return the result, its tensors taken through one node."""
        outputs = result if isinstance(result, tuple) else (result,)
        self.output_count = len(outputs)
        outputs, self.outputs, node = _through_one_node(outputs)
        if node is not None:
            node.register_hook(self._arrive)
        return outputs if isinstance(result, tuple) else outputs[0]

    def _arrive(self, _: Any, grads: Sequence[Tensor | None]) -> Gradients:
        """Keep the gradients of the outputs, after the hooks that come before."""
        grad_output = _spread(grads, self.outputs, self.output_count)
        for hook in self.pre_hooks:
            replaced = hook(self.module, grad_output)
            if replaced is not None:
                grad_output = _counted(replaced, grad_output, "Backward pre hook", "grad_output")
        self.grad_output = grad_output
        if self.inputs is None:
            self._run_without_inputs()
        return tuple(grad_output[i] for i in self.outputs)

    def _run(self, grads: Sequence[Tensor | None], _: Any) -> Gradients | None:
        """Run the hooks with the gradients of inputs and outputs."""
        if self.grad_output is None:
            return None  # the gradient came from an input that the user kept, past the module
        grad_input = _spread(grads, self.inputs or [], self.input_count)
        for hook in self.hooks:
            replaced = hook(self.module, grad_input, self.grad_output)
            if replaced is not None:
                grad_input = _counted(replaced, grad_input, "Backward hook", "grad_input")
        self.grad_output = None
        return tuple(grad_input[i] for i in self.inputs or [])

    def _run_without_inputs(self) -> None:
        """Run the hooks of a module none of whose inputs requires grad."""
        if self.hooks:
            warn(
                "Full backward hook is firing when gradients are computed with respect to module "
                "outputs since no inputs require gradients. See "
                "https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
                "#torch.nn.Module.register_full_backward_hook for more details.",
                stacklevel=5,
            )
        for hook in self.hooks:
            result = hook(self.module, (None,) * self.input_count, self.grad_output)
            if result is not None and any(grad is not None for grad in result):
                msg = (
                    "Backward hook for Modules where no input requires gradient should always "
                    "return None or None for all gradients."
                )
                raise AutogradError(msg)
        self.grad_output = None


def hook_grad_fn(module: Any, hooks: list[Callable[..., Any]], args: Any, result: Any) -> None:
    """Register backward hooks of the older kind on the last operation of a module."""
    last = result
    while not isinstance(last, Tensor):
        if isinstance(last, dict):
            last = next(item for item in last.values() if isinstance(item, Tensor))
        else:
            last = last[0]
    node = last.grad_fn
    if node is not None:
        for hook in hooks:
            node.register_hook(functools.update_wrapper(functools.partial(hook, module), hook))
        _warn_of_blind_spots(args, result, node)


_BLIND: Final = (
    "Using {when} is deprecated and will be removed in future versions. This hook will be missing "
    "some {what}. Please use register_full_backward_hook to get the documented behavior."
)
_WHEN: Final = "a non-full backward hook when"
_ON: Final = "non-full backward hooks on a Module that does not"


def _warn_of_blind_spots(args: Any, result: Any, node: Node) -> None:
    """Warn where a hook of the older kind, on one node, sees less than the module's gradients."""
    if not _are_tensors(result):
        when, what = f"{_ON} return a single Tensor or a tuple of Tensors", "grad_output"
    elif not _are_tensors(args):
        when = f"{_ON} take as input a single Tensor or a tuple of Tensors"
        what = "grad_input"
    else:
        outputs = result if isinstance(result, tuple) else (result,)
        nodes = {tensor.grad_fn for tensor in outputs}
        before = {tensor.grad_fn for tensor in (args if isinstance(args, tuple) else (args,))}
        if len(nodes) > 1:
            when, what = f"{_WHEN} outputs are generated by different autograd Nodes", "grad_output"
        elif before != {edge[0] for edge in node.next_functions}:
            when, what = f"{_WHEN} the forward contains multiple autograd Nodes", "grad_input"
        else:
            return
    warn(_BLIND.format(when=when, what=what), FutureWarning, stacklevel=5)


def _are_tensors(items: Any) -> bool:
    items = items if isinstance(items, tuple) else (items,)
    return all(isinstance(item, Tensor) for item in items)


def _through_one_node(items: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[int], Node | None]:
    """Return *items* with their tensors taken through one node, where these stand, and the node.

    Nothing is done, and the node is None, if no tensor requires grad.
    """
    where = [i for i, item in enumerate(items) if isinstance(item, Tensor)]
    tensors = [items[i] for i in where]
    if not any(tensor.requires_grad for tensor in tensors):
        return items, where, None
    replaced = list(items)
    node: Node | None = None
    for i, tensor in zip(where, BackwardHookFunction.apply(*tensors), strict=True):
        replaced[i] = tensor
        if tensor.grad_fn is not None:
            node = tensor.grad_fn
    return tuple(replaced), where, node


def _spread(grads: Sequence[Tensor | None], where: list[int], count: int) -> Gradients:
    """Return *grads* at the places *where* of a tuple of *count*, None elsewhere."""
    spread: list[Tensor | None] = [None] * count
    for i, grad in zip(where, grads, strict=True):
        spread[i] = grad
    return tuple(spread)


def _counted(replaced: Any, grads: Gradients, who: str, what: str) -> Gradients:
    """Return what a hook gave in place of *grads*, as a tuple of the same length."""
    if not hasattr(replaced, "__len__"):
        msg = (
            f"object of type '{type(replaced).__name__}' has no len()\n"
            f"{who}: expected None, or a tuple with a gradient or None for each of {what}, got "
            f"{type(replaced).__name__}."
        )
        raise ArgumentError(msg)
    if len(replaced) != len(grads):
        msg = (
            f"{who} returned an invalid number of {what}, got {len(replaced)}, "
            f"but expected {len(grads)}"
        )
        raise AutogradError(msg)
    return tuple(replaced)
