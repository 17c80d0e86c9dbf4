"""Checkpoints: computing a part of the forward pass again rather than keeping what it saved.

>>> import chainrule as cr
>>> x = cr.tensor([1.0, 2.0], requires_grad=True)
>>> y = checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False)
>>> y.sum().backward()
>>> x.grad
tensor([-2.4784,  3.3129])
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from .._warn import warn
from ..device import Device
from ..differentiate import backward as run_backward
from ..engine import current_task
from ..errors import AutogradError
from ..function import Function
from ..grad_mode import enable_grad, is_grad_enabled, no_grad
from ..ops.generator import RngState
from ..tensor import Tensor
from ._recomputing import CheckpointError, Region, metadata_of, observed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

__all__ = [
    "CheckpointError", "CheckpointFunction", "DefaultDeviceType", "check_backward_validity",
    "checkpoint", "checkpoint_sequential", "detach_variable", "noop_context_fn",
    "set_checkpoint_debug_enabled", "set_checkpoint_early_stop",
]  # fmt: skip

_CHECKS: Final[dict[str, Callable[[Tensor], Any] | None]] = {
    "default": metadata_of,
    "none": lambda tensor: None,
}


class _Settings:
    """What blocks set for all checkpoints inside them; None leaves it to each."""

    debug: bool | None = None
    early_stop: bool | None = None


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Set ``debug`` of all checkpoints that are made inside the block.

    Args:
        enabled: Whether they are debugged; None leaves it to each.
    """
    before, _Settings.debug = _Settings.debug, enabled
    try:
        yield
    finally:
        _Settings.debug = before


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Set ``early_stop`` of all checkpoints that are made inside the block.

    Args:
        enable: Whether they stop computing again when all that is needed is there.
    """
    before, _Settings.early_stop = _Settings.early_stop, enable
    try:
        yield
    finally:
        _Settings.early_stop = before


def noop_context_fn() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Return two contexts that do nothing: the default of ``context_fn``."""
    return contextlib.nullcontext(), contextlib.nullcontext()


class DefaultDeviceType:
    """The device type that checkpoints without a tensor argument assume; kept for old programs.

    >>> DefaultDeviceType.get_device_type()
    'cuda'
    """

    _default_device_type = "cuda"

    @staticmethod
    def set_device_type(device: str = "cuda") -> None:
        """Set the device type."""
        DefaultDeviceType._default_device_type = Device(device).type

    @staticmethod
    def get_device_type() -> str:
        """Return the device type."""
        return DefaultDeviceType._default_device_type


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return *inputs*, each tensor detached and requiring grad as before.

    Raises:
        RuntimeError: *inputs* is no tuple.
    """
    if not isinstance(inputs, tuple):
        kind = type(inputs).__name__
        msg = f"Only tuple of tensors is supported. Got Unsupported input type:  {kind}"
        raise AutogradError(msg)
    return tuple(
        item.detach().requires_grad_(item.requires_grad) if isinstance(item, Tensor) else item
        for item in inputs
    )


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn if none of *inputs* requires grad: then no gradient will come of a checkpoint."""
    if not any(isinstance(item, Tensor) and item.requires_grad for item in inputs):
        warn(
            "None of the inputs have requires_grad=True. Gradients will be None",
            UserWarning,
            stacklevel=4,
        )


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Return ``function(*args, **kwargs)``, keeping its arguments rather than what it saved.

    The backward pass calls *function* again when it needs the saved tensors: memory is traded for
    time. *function* must do the same on both calls; random numbers are repeated.

    Args:
        function: What to compute.
        args: Its arguments.
        use_reentrant: True for the old way, one node whose backward runs a pass of its own: it
            needs an argument that requires grad, and ``backward()`` without ``inputs``. False for
            the way with hooks on saved tensors, which has neither limit. To be passed explicitly.
        context_fn: Returns two context managers, around the first and around the second call.
        determinism_check: ``"default"`` compares shapes, dtypes and devices of what both calls
            save; ``"none"`` does not.
        debug: Tell the operations of both calls where they differ.
        early_stop: Stop the second call when all that is needed was saved.
        kwargs: Further arguments of *function*; and ``preserve_rng_state``, True unless given:
            whether random numbers of the second call are those of the first.

    Returns:
        What *function* returned.

    Raises:
        ValueError: options that do not go together.
        CheckpointError: in the backward pass: the second call did something else.
    """
    if use_reentrant is None:
        warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. "
            "Starting in PyTorch 2.9, calling checkpoint without use_reentrant will raise an "
            "exception. use_reentrant=False is recommended, but if you need to preserve the "
            "current default behavior, you can pass use_reentrant=True. Refer to docs for more "
            "details on the differences between the two variants.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if not use_reentrant:
        debug = debug if _Settings.debug is None else _Settings.debug
        stop = early_stop if _Settings.early_stop is None else _Settings.early_stop
        return _with_hooks(
            function, args, kwargs, preserve, context_fn, determinism_check, debug, stop
        )
    _check_no_more(kwargs)
    if context_fn is not noop_context_fn or debug is not False:
        msg = "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
        raise ValueError(msg)
    return CheckpointFunction.apply(function, preserve, *args)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Return *input* after all *functions*, in *segments* parts, each a checkpoint but the last.

    Args:
        functions: A `Sequential`, or a list of functions of one argument.
        segments: In how many parts.
        input: What the first function is called with.
        use_reentrant: See `checkpoint`.
        kwargs: ``preserve_rng_state``, see `checkpoint`.

    Raises:
        ValueError: another keyword is given.

    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(cr.nn.Linear(2, 2), cr.nn.ReLU(), cr.nn.Linear(2, 1))
    >>> checkpoint_sequential(model, 2, cr.ones(3, 2), use_reentrant=False).shape
    torch.Size([3, 1])
    """
    if use_reentrant is None:
        warn(
            "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be "
            "passed explicitly. In version 2.9 we will raise an exception if use_reentrant is not "
            "passed. use_reentrant=False is recommended, but if you need to preserve the current "
            "default behavior, you can pass use_reentrant=True. Refer to docs for more details on "
            "the differences between the two variants.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    _check_no_more(kwargs)
    steps = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = len(steps) // segments
    last, value = size * (segments - 1), input
    for start in range(0, last, size) if size else ():
        value = checkpoint(
            _chain(steps[start : start + size]),
            value,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve,
        )
    return _chain(steps[last:])(value)


def _chain(functions: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        for function in functions:
            value = function(value)
        return value

    return run


def _check_no_more(kwargs: dict[str, Any]) -> None:
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))


# The way with hooks

_NOTHING: Final = object()


def _with_hooks(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    preserve: bool,
    context_fn: Callable[[], tuple[Any, Any]],
    determinism_check: str,
    debug: bool,
    early_stop: bool,
) -> Any:
    explain = None
    if debug:
        if context_fn is not noop_context_fn:
            msg = "debug=True is incompatible with non-default context_fn"
            raise ValueError(msg)
        context_fn, explain = observed()
    if determinism_check not in _CHECKS:
        msg = f"determinism_check should be one of {list(_CHECKS)}, but got {determinism_check}"
        raise ValueError(msg)
    first, second = context_fn()
    state = RngState() if preserve else None

    def again(*arguments: Any) -> None:
        with contextlib.nullcontext() if state is None else state.restored(), second:
            function(*arguments, **kwargs)

    if not is_grad_enabled():
        return function(*args, **kwargs)
    region = Region(again, args, _CHECKS[determinism_check], explain, early_stop=early_stop)
    result: Any = _NOTHING
    with region, first:
        result = function(*args, **kwargs)
    if result is _NOTHING:
        msg = (
            "torch.utils.checkpoint: the forward context provided by context_fn suppressed an "
            "exception raised during the checkpointed forward. This is not supported because "
            "checkpoint cannot return a value for a failed forward."
        )
        raise AutogradError(msg)
    return result


# The old way


class CheckpointFunction(Function):
    """One node for a whole function: its backward calls the function again and runs a pass."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        """Call the function without recording, and keep its arguments."""
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.state = RngState() if preserve else None
        ctx.arguments = [None if isinstance(item, Tensor) else item for item in args]
        ctx.places = [i for i, item in enumerate(args) if isinstance(item, Tensor)]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Call the function again, recording, and pull the gradients through it."""
        task = current_task()
        if task is not None and task.targets is not None:
            msg = (
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or "
                "passing an `inputs` parameter to .backward(). To resolve this error, you can "
                "either set use_reentrant=False, or call .backward() without passing the `inputs` "
                "argument."
            )
            raise AutogradError(msg)
        arguments = list(ctx.arguments)
        for place, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            arguments[place] = tensor
        points = detach_variable(tuple(arguments))
        with contextlib.nullcontext() if ctx.state is None else ctx.state.restored(), enable_grad():
            outputs = ctx.run_function(*points)
        items = (outputs,) if isinstance(outputs, Tensor) else outputs
        pairs = [
            (output, grad)
            for output, grad in zip(items, grads, strict=True)
            if isinstance(output, Tensor) and output.requires_grad
        ]
        if not pairs:
            msg = "none of output has requires_grad=True, this checkpoint() is not necessary"
            raise AutogradError(msg)
        run_backward([output for output, _ in pairs], [grad for _, grad in pairs])
        return None, None, *(p.grad if isinstance(p, Tensor) else None for p in points)
