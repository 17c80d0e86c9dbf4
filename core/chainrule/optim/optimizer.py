"""`Optimizer`: parameters in groups, the state of each, and the hooks around a step."""

from __future__ import annotations

import functools
import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Final

from .. import ops
from .._warn import warn
from ..grad_mode import mode
from ..hooks import RemovableHandle
from ..queries import typename
from ..tensor import Tensor
from ._stepping import number

if TYPE_CHECKING:
    from ._stepping import Closure

__all__ = [
    "Optimizer",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
    "required",
]

Hooks = OrderedDict[int, Callable[..., Any]]


#: What an optimizer takes as parameters, and what `Optimizer.state_dict` gives.
ParamsT = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
StateDict = dict[str, Any]


class _Required:
    """Stands for the default of a hyper-parameter that has none."""

    def __repr__(self) -> str:
        return "<required parameter>"


required: Final[Any] = _Required()

_pre_hooks_of_all: Final[Hooks] = OrderedDict()
_post_hooks_of_all: Final[Hooks] = OrderedDict()


def _add(hooks: Hooks, hook: Callable[..., Any], *, prepend: bool = False) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before a step of any optimizer."""
    return _add(_pre_hooks_of_all, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after a step of any optimizer."""
    return _add(_post_hooks_of_all, hook)


class Optimizer:
    """What all optimizers have in common. Derive, and write ``step``.

    Args:
        params: Tensors, pairs of name and tensor, or dictionaries: groups with ``"params"`` and
            hyper-parameters of their own.
        defaults: The hyper-parameters of a group that does not set them.

    Raises:
        TypeError: *params* is a tensor, or holds something else than tensors.
        ValueError: there are none, one is not a leaf, or one is in two groups.

    Attributes:
        param_groups: The groups, as dictionaries.
        state: What the optimizer remembers of each parameter, as dictionaries.
        defaults: The hyper-parameters of a group that does not set them.

    >>> import chainrule as cr
    >>> class Descent(Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, {"lr": lr})
    ...
    ...     @cr.no_grad()
    ...     def step(self, closure=None):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p -= group["lr"] * p.grad
    >>> w = cr.ones(2, requires_grad=True)
    >>> w.sum().backward()
    >>> Descent([w], lr=0.5).step()
    >>> w
    tensor([0.5000, 0.5000], requires_grad=True)
    """

    _opt_called: bool = False  # read by the learning rate schedulers
    _scheduled_step: Any = None  # what stood in place of the method when they began
    #: Hyper-parameters that must not be negative, and what an error calls them.
    _nonnegative: ClassVar[dict[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]  # the same, observed

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self._check_group(defaults)
        self.defaults = defaults
        self._make_hooks()
        if isinstance(params, Tensor):
            msg = (
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {typename(params)}"
            )
            raise TypeError(msg)
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            msg = "optimizer got an empty parameter list"
            raise ValueError(msg)
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _make_hooks(self) -> None:
        self._optimizer_step_pre_hooks: Hooks = OrderedDict()
        self._optimizer_step_post_hooks: Hooks = OrderedDict()
        self._optimizer_state_dict_pre_hooks: Hooks = OrderedDict()
        self._optimizer_state_dict_post_hooks: Hooks = OrderedDict()
        self._optimizer_load_state_dict_pre_hooks: Hooks = OrderedDict()
        self._optimizer_load_state_dict_post_hooks: Hooks = OrderedDict()

    # Groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: its ``"params"``, and hyper-parameters where they are not the defaults.

        Raises:
            TypeError: it is no dictionary, or its parameters are not in an order.
            ValueError: a hyper-parameter is missing or invalid, or a parameter is in another group.
        """
        if not isinstance(param_group, dict):
            msg = f"param_group must be a dict, but got {type(param_group)}"
            raise TypeError(msg)
        param_group["params"] = _as_list(param_group["params"])
        _take_names(param_group)
        for param in param_group["params"]:
            self._check_param(param)
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                msg = (
                    "parameter group didn't specify a value of required optimization parameter "
                    f"{name}"
                )
                raise ValueError(msg)
            param_group.setdefault(name, default)
        self._check_group(param_group)
        self._check_against_groups(param_group)
        self.param_groups.append(param_group)

    def _check_param(self, param: Any) -> None:
        if not isinstance(param, Tensor):
            msg = f"optimizer can only optimize Tensors, but one of the params is {typename(param)}"
            raise TypeError(msg)
        if not (self.defaults.get("differentiable") or param.is_leaf or param.retains_grad):
            msg = (
                "can't optimize a non-leaf Tensor\n"
                f"{type(self).__name__}: expected leaves, got the result of "
                f"{type(param.grad_fn).__name__}. Optimize the tensor it was computed from, or "
                "detach() it and require grad."
            )
            raise ValueError(msg)

    def _check_group(self, group: dict[str, Any]) -> None:
        """Check the hyper-parameters of a group.

        Raises:
            ValueError: one is negative, infinite or not a number.
        """
        for name, title in self._nonnegative.items():
            value = group[name]
            if value is required:
                continue
            if isinstance(value, Tensor) and value.numel() != 1:
                msg = f"Tensor {name} must be 1-element"
                raise ValueError(msg)
            if number(value) < 0.0 or not math.isfinite(number(value)):
                msg = f"Invalid {title}: {value}"
                raise ValueError(msg)

    def _check_against_groups(self, new: dict[str, Any]) -> None:
        """Check that *new* has parameters of its own, and names if the other groups have."""
        params = set(new["params"])
        if len(params) != len(new["params"]):
            warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this "
                "will cause an error; see github.com/pytorch/pytorch/issues/40967 for more "
                "information",
                stacklevel=4,
            )
        for group in self.param_groups:
            if ("param_names" in new) != ("param_names" in group):
                which = "with" if "param_names" in new else "without"
                msg = (
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {which} names to the optimizer"
                )
                raise ValueError(msg)
            if not params.isdisjoint(group["params"]):
                msg = "some parameters appear in more than one parameter group"
                raise ValueError(msg)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for position, group in enumerate(self.param_groups):
            lines.append(f"{'' if position == 0 else chr(10)}Parameter Group {position}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])

    # Stepping

    def step(self, closure: Closure | None = None) -> Any:
        """Update all parameters once.

        Args:
            closure: Computes the loss anew, and its gradients; called with recording on.

        Returns:
            What *closure* returned.
        """
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop all gradients, or with ``set_to_none=False`` fill them with zeros."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param._grad = None
                elif param._grad is not None:
                    grad = param._grad
                    if grad.grad_fn is None:
                        grad.requires_grad_(False)
                    else:
                        grad.detach_()
                    grad.zero_()

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before a step; it may return both anew."""
        return _add(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after a step."""
        return _add(self._optimizer_step_post_hooks, hook)

    # Saving and loading

    def state_dict(self) -> dict[str, Any]:
        """Return the state with parameters numbered instead of named by identity.

        Returns:
            ``"state"``, by the number of the parameter, and ``"param_groups"``, whose ``"params"``
            are numbers. The tensors are the optimizer's own.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers = {id(param): i for i, param in enumerate(self._all_params())}
        groups = [
            {**_without(group, "params"), "params": [numbers[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        state = {numbers[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()}
        made: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            replaced = hook(self, made)
            made = made if replaced is None else replaced
        return made

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the state and the hyper-parameters of *state_dict*.

        State goes to the parameter of the same number. Its tensors are copied, in the dtype and on
        the device of the parameter.

        Raises:
            ValueError: the groups differ in number or size.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            replaced = hook(self, state_dict)
            state_dict = state_dict if replaced is None else replaced
        saved_groups = deepcopy(state_dict["param_groups"])
        _check_fit(self.param_groups, saved_groups)
        numbers = chain.from_iterable(group["params"] for group in saved_groups)
        params = dict(zip(numbers, self._all_params(unique=False), strict=True))
        counted_there = {
            number_
            for group in saved_groups
            if group.get("capturable")
            for number_ in group["params"]
        }
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for number_, saved in state_dict["state"].items():
            if number_ in params:
                param = params[number_]
                state[param] = _adapted(saved, param, None)
                count = state[param].get("step")
                if number_ in counted_there and isinstance(count, Tensor):
                    state[param]["step"] = count.to(param.device)
            else:
                state[number_] = saved
        groups = [_merged(*both) for both in zip(self.param_groups, saved_groups, strict=True)]
        self.__setstate__({"state": state, "param_groups": groups})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def _all_params(self, *, unique: bool = True) -> list[Tensor]:
        """Return the parameters of all groups in order."""
        params = [param for group in self.param_groups for param in group["params"]]
        return list({id(param): param for param in params}.values()) if unique else params

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` before `state_dict`."""
        return _add(self._optimizer_state_dict_pre_hooks, hook, prepend=prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after `state_dict`; it may return another."""
        return _add(self._optimizer_state_dict_post_hooks, hook, prepend=prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before `load_state_dict`; it may return another."""
        return _add(self._optimizer_load_state_dict_pre_hooks, hook, prepend=prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(optimizer)`` after `load_state_dict`."""
        return _add(self._optimizer_load_state_dict_post_hooks, hook, prepend=prepend)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_optimizer_step_pre_hooks" not in self.__dict__:
            self._make_hooks()
        self.defaults.setdefault("differentiable", False)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return *step* with hooks around it, unless it is called by the step of a subclass."""

    @functools.wraps(step)
    def observed(self: Any, *args: Any, **kwargs: Any) -> Any:
        if type(self).step is not observed or "_optimizer_step_pre_hooks" not in self.__dict__:
            return step(self, *args, **kwargs)  # or a class that wraps another starts none of ours
        self._opt_called = True
        if _pre_hooks_of_all or self._optimizer_step_pre_hooks:
            for hook in (*_pre_hooks_of_all.values(), *self._optimizer_step_pre_hooks.values()):
                replaced = hook(self, args, kwargs)
                if replaced is None:
                    continue
                if not (isinstance(replaced, tuple) and len(replaced) == 2):
                    msg = (
                        f"{step} must return None or a tuple of (new_args, new_kwargs), "
                        f"but got {replaced}."
                    )
                    raise RuntimeError(msg)
                args, kwargs = replaced
        result = step(self, *args, **kwargs)
        if _post_hooks_of_all or self._optimizer_step_post_hooks:
            for hook in (*self._optimizer_step_post_hooks.values(), *_post_hooks_of_all.values()):
                hook(self, args, kwargs)
        return result

    return observed


def _as_list(params: Any) -> list[Any]:
    if isinstance(params, Tensor):
        return [params]
    if isinstance(params, set):
        msg = (
            "optimizer parameters need to be organized in ordered collections, but the ordering of "
            "tensors in sets will change between runs. Please use a list instead."
        )
        raise TypeError(msg)
    return list(params)


def _take_names(group: dict[str, Any]) -> None:
    """Split pairs of name and tensor, where a group is given as such."""
    params = group["params"]
    named = [isinstance(param, tuple) for param in params]
    if not any(named):
        return
    if not all(named):
        msg = "all optimizer params should be with/without names. Some param names are missing"
        raise ValueError(msg)
    group["params"] = [param for _, param in params]
    group["param_names"] = [name for name, _ in params]


def _without(group: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name != key}


def _check_fit(groups: list[dict[str, Any]], saved: list[dict[str, Any]]) -> None:
    if len(groups) != len(saved):
        msg = "loaded state dict has a different number of parameter groups"
        raise ValueError(msg)
    for own, other in zip(groups, saved, strict=True):
        if len(own["params"]) != len(other["params"]):
            msg = (
                "loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group"
            )
            raise ValueError(msg)


def _merged(own: dict[str, Any], saved: dict[str, Any]) -> dict[str, Any]:
    """Return the hyper-parameters of *saved* with the parameters of *own*."""
    names = {"param_names": own["param_names"]} if "param_names" in own else {}
    return {**names, **saved, "params": own["params"]}


def _adapted(value: Any, param: Tensor, name: str | None) -> Any:
    """Return a copy of saved state, its tensors made like *param*, except counts of steps."""
    if isinstance(value, Tensor):
        if name == "step":
            return value.clone()
        dtype = param.dtype if param.is_floating_point() else None
        return value.to(device=param.device, dtype=dtype, copy=True)
    if isinstance(value, dict):
        return {key: _adapted(item, param, key) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return type(value)(_adapted(item, param, None) for item in value)  # type: ignore[call-arg]  # a list or tuple
    return value


# What optimizers of third parties import from here


def _use_grad_for_differentiable(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return *step* run with recording on exactly where the optimizer is differentiable."""

    @functools.wraps(step)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        before, mode.enabled = mode.enabled, bool(self.defaults.get("differentiable"))
        try:
            return step(self, *args, **kwargs)
        finally:
            mode.enabled = before

    return run


def _get_value(value: Any) -> Any:
    """Return a number, which may be given as a tensor of one element."""
    return number(value)


def _default_to_fused_or_foreach(
    params: list[Tensor], differentiable: bool, use_fused: bool = False
) -> tuple[bool, bool]:
    """Return whether to prefer a fused step, and one over lists: neither, as on any CPU."""
    return False, False


def _view_as_real(params: list[Any], *state_and_grads: list[Any]) -> None:
    """Replace complex tensors in lists by their real views, where the parameter is complex."""
    for position, param in enumerate(params):
        if param.is_complex():
            for tensors in (params, *state_and_grads):
                tensors[position] = ops.view_as_real(tensors[position])
