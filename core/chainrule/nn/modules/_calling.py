"""Calling a module: its ``forward``, and the hooks around it."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from ..._warn import warn
from ...tensor import Tensor
from ._backward_hooks import BackwardHooks, hook_grad_fn
from ._hooks import Hooks, add_hook
from ._members import buffer_hooks, module_hooks, parameter_hooks
from ._state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...hooks import RemovableHandle


class _GlobalHooks:
    """Hooks that run on every module, before those of the module itself."""

    def __init__(self) -> None:
        self.forward_pre: Hooks = OrderedDict()
        self.forward: Hooks = OrderedDict()
        self.forward_with_kwargs: OrderedDict[int, bool] = OrderedDict()
        self.forward_always: OrderedDict[int, bool] = OrderedDict()
        self.backward_pre: Hooks = OrderedDict()
        self.backward: Hooks = OrderedDict()
        self.backward_is_full: bool | None = None


everywhere: Final = _GlobalHooks()
_forward_pre, _forward = everywhere.forward_pre, everywhere.forward
_backward_pre, _backward = everywhere.backward_pre, everywhere.backward


def _forward_unimplemented(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the module's result: every subclass defines it.

    Raises:
        NotImplementedError: the subclass does not.
    """
    msg = f'Module [{type(self).__name__}] is missing the required "forward" function'
    raise NotImplementedError(msg)


class Calling(State):
    """Everything about ``module(...)``: `forward`, and what happens before and after it."""

    _forward_pre_hooks: Hooks
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks: Hooks
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _backward_pre_hooks: Hooks
    _backward_hooks: Hooks
    _is_full_backward_hook: bool | None

    # As an attribute, so that a subclass may give it any signature.
    forward: Callable[..., Any] = _forward_unimplemented

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            self._backward_hooks or self._backward_pre_hooks
            or self._forward_hooks or self._forward_pre_hooks
            or _forward_pre or _forward or _backward_pre or _backward
        ):  # fmt: skip
            return _Call(self, args, kwargs).run()
        return self.forward(*args, **kwargs)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before `forward`; what it returns replaces the arguments.

        Args:
            hook: The function.
            prepend: Put it before those registered earlier.
            with_kwargs: Call ``hook(module, args, kwargs)``; it returns None or a pair.
        """
        notes = (self._forward_pre_hooks_with_kwargs,) if with_kwargs else ()
        return add_hook(self._forward_pre_hooks, hook, *notes, prepend=prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after `forward`; what it returns replaces the output.

        Args:
            hook: The function.
            prepend: Put it before those registered earlier.
            with_kwargs: Call ``hook(module, args, kwargs, output)``.
            always_call: Call it also when `forward` or another hook raises.
        """
        notes = []
        if with_kwargs:
            notes.append(self._forward_hooks_with_kwargs)
        if always_call:
            notes.append(self._forward_hooks_always_called)
        return add_hook(self._forward_hooks, hook, *notes, prepend=prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before gradients go through the module.

        What it returns replaces the gradients of the outputs.
        """
        return add_hook(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` after gradients went through the module.

        What it returns replaces the gradients of the positional inputs.

        Raises:
            RuntimeError: the module has a hook of the older kind.
        """
        self._choose_kind(full=True)
        return add_hook(self._backward_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Register a hook of the older kind, which sees only the last operation of `forward`.

        Raises:
            RuntimeError: the module has a full backward hook.
        """
        self._choose_kind(full=False)
        return add_hook(self._backward_hooks, hook)

    def _choose_kind(self, *, full: bool) -> None:
        if self._is_full_backward_hook is (not full):
            msg = (
                "Cannot use both regular backward hooks and full backward hooks on a single "
                "Module. Please use only one of them."
            )
            raise RuntimeError(msg)
        self._is_full_backward_hook = full


class _Call:
    """One call of a module that has hooks."""

    def __init__(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.module, self.args, self.kwargs = module, args, kwargs
        self.result: Any = None
        self.called: set[int] = set()

    def run(self) -> Any:
        """Return the module's result after all hooks; on an error run those called always."""
        try:
            return self._run()
        except Exception:
            self._run_remaining()
            raise

    def _run(self) -> Any:
        module = self.module
        for number, hook in (*_forward_pre.items(), *module._forward_pre_hooks.items()):
            self._before(hook, with_kwargs=number in module._forward_pre_hooks_with_kwargs)
        backward, full = self._backward_hooks()
        around = None
        if full or _backward_pre or module._backward_pre_hooks:
            pre = [*_backward_pre.values(), *module._backward_pre_hooks.values()]
            around = BackwardHooks(module, full, pre)
            self.args = around.on_inputs(self.args)
        self.result = module.forward(*self.args, **self.kwargs)
        for number, hook in (*_forward.items(), *module._forward_hooks.items()):
            self.called.add(number)
            self._after(number, hook)
        if around is not None:
            if not isinstance(self.result, (Tensor, tuple)):
                warn(
                    "For backward hooks to be called, module output should be a Tensor or a tuple "
                    f"of Tensors but received {type(self.result)}",
                    stacklevel=4,
                )
            self.result = around.on_outputs(self.result)
        if backward:
            hook_grad_fn(module, backward, self.args, self.result)
        return self.result

    def _before(self, hook: Callable[..., Any], *, with_kwargs: bool) -> None:
        if not with_kwargs:
            replaced = hook(self.module, self.args)
            if replaced is not None:
                self.args = replaced if isinstance(replaced, tuple) else (replaced,)
            return
        replaced = hook(self.module, self.args, self.kwargs)
        if replaced is None:
            return
        if not (isinstance(replaced, tuple) and len(replaced) == 2):
            msg = (
                "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                f"but got {replaced}."
            )
            raise RuntimeError(msg)
        self.args, self.kwargs = replaced

    def _after(self, number: int, hook: Callable[..., Any]) -> None:
        module = self.module
        with_kwargs = module._forward_hooks_with_kwargs, everywhere.forward_with_kwargs
        if any(number in notes for notes in with_kwargs):
            replaced = hook(module, self.args, self.kwargs, self.result)
        else:
            replaced = hook(module, self.args, self.result)
        if replaced is not None:
            self.result = replaced

    def _backward_hooks(self) -> tuple[list[Any], list[Any]]:
        """Return the hooks of the older kind, and the full ones."""
        kinds: tuple[list[Any], list[Any]] = [], []
        for hooks, full in (
            (_backward, everywhere.backward_is_full),
            (self.module._backward_hooks, self.module._is_full_backward_hook),
        ):
            kinds[bool(full)].extend(hooks.values())
        return kinds

    def _run_remaining(self) -> None:
        """Run the hooks that are called always and have not run; their errors become warnings."""
        module = self.module
        for hooks, always, whose in (
            (_forward, everywhere.forward_always, "global module"),
            (module._forward_hooks, module._forward_hooks_always_called, "module"),
        ):
            for number in [n for n in hooks if n in always and n not in self.called]:
                try:
                    self._after(number, hooks[number])
                except Exception as error:  # noqa: BLE001 - another error is on its way already
                    warn(
                        f"{whose} forward hook with ``always_call=True`` raised an exception that "
                        f"was silenced as another error was raised in forward: {error}",
                        stacklevel=4,
                    )


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before the `forward` of every module."""
    return add_hook(_forward_pre, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after the `forward` of every module."""
    notes = []
    if with_kwargs:
        notes.append(everywhere.forward_with_kwargs)
    if always_call:
        notes.append(everywhere.forward_always)
    return add_hook(_forward, hook, *notes)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before gradients go through any module."""
    return add_hook(_backward_pre, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` when gradients went through any module."""
    _choose_global_kind(full=True)
    return add_hook(_backward, hook)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Register a backward hook of the older kind on every module."""
    _choose_global_kind(full=False)
    return add_hook(_backward, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` whenever a module gets a parameter."""
    return add_hook(parameter_hooks, hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` whenever a module gets a buffer."""
    return add_hook(buffer_hooks, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, child)`` whenever a module gets a child."""
    return add_hook(module_hooks, hook)


def _choose_global_kind(*, full: bool) -> None:
    if everywhere.backward_is_full is (not full):
        msg = (
            "Cannot use both regular backward hooks and full backward hooks as a global Module "
            "hook. Please use only one of them."
        )
        raise RuntimeError(msg)
    everywhere.backward_is_full = full
