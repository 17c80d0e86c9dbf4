"""The state of a module as a flat dictionary: saved by path, loaded back with a full account."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._warn import warn
from ...grad_mode import no_grad
from ...tensor import Tensor
from ..parameter import Parameter, is_lazy
from ._conversion import Conversion
from ._hooks import add_hook

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...hooks import RemovableHandle

_EXTRA_STATE = "_extra_state"


class _IncompatibleKeys(NamedTuple):
    """What `State.load_state_dict` found missing, and what it did not expect."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        found = f"missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys}"
        return f"_IncompatibleKeys({found})"


class State(Conversion):
    """Everything about saving and loading."""

    _version: int = 1
    _state_dict_hooks: OrderedDict[int, Callable[..., Any]]
    _state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _load_state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _load_state_dict_post_hooks: OrderedDict[int, Callable[..., Any]]

    # What is saved

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """Return all parameters and persistent buffers by path, in order of registration.

        Args:
            args: *destination*, *prefix* and *keep_vars* by position, deprecated.
            destination: A dictionary to fill; None makes one.
            prefix: Put before every path.
            keep_vars: Give the parameters themselves instead of detached tensors.

        Returns:
            An ``OrderedDict`` of tensors that share the module's memory.

        >>> import chainrule as cr
        >>> list(cr.nn.Linear(2, 1).state_dict())
        ['weight', 'bias']
        """
        if args:
            warn(
                "Positional args are being deprecated, use kwargs instead. Refer to "
                "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict"
                " for details.",
                FutureWarning,
                stacklevel=2,
            )
            given: list[Any] = [*args, *[destination, prefix, keep_vars][len(args) :]]
            destination, prefix, keep_vars = given
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()  # the version of every module
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in self._state_dict_hooks.values():
            replaced = hook(self, destination, prefix, local_metadata)
            if replaced is None:
                continue
            if getattr(hook, "_from_public_api", False):
                msg = "state_dict post-hook must return None"
                raise RuntimeError(msg)
            destination = replaced
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Write what this module itself holds into *destination*."""
        for name, tensor in self._persistent_members().items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if _overrides(self, "get_extra_state"):
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def _persistent_members(self) -> dict[str, Tensor]:
        """Return the parameters and persistent buffers of this module that are there."""
        transient = self._non_persistent_buffers_set
        buffers = {k: v for k, v in self._buffers.items() if k not in transient}
        return {k: v for k, v in {**self._parameters, **buffers}.items() if v is not None}

    def get_extra_state(self) -> Any:
        """Return more state to save; a subclass overrides it together with `set_extra_state`."""
        raise _not_overridden(self, "get_extra_state")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave."""
        raise _not_overridden(self, "set_extra_state")

    # What is loaded

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy the tensors of *state_dict* into the parameters and buffers of the same path.

        Args:
            state_dict: What `state_dict` returned.
            strict: Refuse missing and unexpected paths instead of reporting them.
            assign: Make the tensors given the module's own, instead of copying their values.

        Returns:
            The paths that were missing and those that were not expected.

        Raises:
            TypeError: *state_dict* is no dictionary.
            RuntimeError: with *strict*, a path is missing or not expected; or a shape differs.
        """
        if not isinstance(state_dict, Mapping):
            msg = f"Expected state_dict to be dict-like, got {type(state_dict)}."
            raise TypeError(msg)
        loading = _Loading(state_dict, assign)
        loading.visit(self, "", OrderedDict(state_dict))
        errors = loading.errors
        if strict:
            for title, keys in (("Unexpected", loading.unexpected), ("Missing", loading.missing)):
                if keys:
                    names = ", ".join(f'"{key}"' for key in keys)
                    errors.insert(0, f"{title} key(s) in state_dict: {names}. ")
        if errors:
            lines = "\n\t".join(errors)
            msg = f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{lines}"
            raise RuntimeError(msg)
        return _IncompatibleKeys(loading.missing, loading.unexpected)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load what this module itself holds; add to the three lists what does not fit."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(
                state_dict,
                prefix,
                local_metadata,
                strict,
                missing_keys,
                unexpected_keys,
                error_msgs,
            )
        members = self._persistent_members()
        assign = local_metadata.get("assign_to_params_buffers", False)
        found = [name for name in members if prefix + name in state_dict]
        for name in found:
            loaded = state_dict[prefix + name]
            error = _load_member(self, name, members[name], prefix + name, loaded, assign=assign)
            if error:
                error_msgs.append(error)
        known = set(members)
        if _overrides(self, "set_extra_state"):
            known.add(_EXTRA_STATE)
            if prefix + _EXTRA_STATE in state_dict:
                self.set_extra_state(state_dict[prefix + _EXTRA_STATE])
        if strict:
            expected = [name for name in [*members, _EXTRA_STATE] if name in known]
            missing_keys.extend(prefix + n for n in expected if prefix + n not in state_dict)
            below = (key for key in state_dict if key.startswith(prefix))
            unexpected_keys.extend(key for key in below if not self._expects(key, prefix, known))

    def _expects(self, key: str, prefix: str, known: set[str]) -> bool:
        """Return whether *key* names a member, or something below a child."""
        name, dot, _ = key[len(prefix) :].partition(".")
        return name in (self._modules if dot else known)

    # Hooks

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before `state_dict` collects."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after `state_dict` collected.

        It may change the dictionary in place, and returns None.
        """
        hook._from_public_api = True  # type: ignore[attr-defined]  # tells it from the older kind
        return add_hook(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Register a hook of the older kind, whose result replaces the dictionary."""
        if getattr(hook, "_from_public_api", False):
            msg = (
                "Cannot register the same function as the state dict post hook that was previously "
                "registered via register_state_dict_post_hook"
            )
            raise RuntimeError(msg)
        return add_hook(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, …)`` before this module loads.

        It gets the arguments of `_load_from_state_dict`, and may change the dictionary in place.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        if with_module:
            hook = functools.partial(_call_with_module, hook, self)
        return add_hook(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` when this module has loaded."""
        return add_hook(self._load_state_dict_post_hooks, hook)


class _Loading:
    """One load of a state dictionary, from the root module down."""

    def __init__(self, state_dict: Mapping[str, Any], assign: bool) -> None:
        self.metadata = getattr(state_dict, "_metadata", None) or {}
        self.assign = assign
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []

    def visit(self, module: Any, prefix: str, state_dict: dict[str, Any]) -> None:
        """Load *module* and what is below it from the entries that start with *prefix*."""
        metadata = dict(self.metadata.get(prefix[:-1], {}))
        if self.assign:
            metadata["assign_to_params_buffers"] = True
        module._load_from_state_dict(
            state_dict, prefix, metadata, True, self.missing, self.unexpected, self.errors
        )
        for name, child in module._modules.items():
            if child is not None:
                path = f"{prefix}{name}."
                below = {key: item for key, item in state_dict.items() if key.startswith(path)}
                self.visit(child, path, below)
        for hook in module._load_state_dict_post_hooks.values():
            result = hook(module, _IncompatibleKeys(self.missing, self.unexpected))
            if result is not None:
                msg = (
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected "
                    "to return new values, if incompatible_keys need to be modified, it should be "
                    "done inplace."
                )
                raise AssertionError(msg)


def _load_member(
    module: Any, name: str, member: Tensor, key: str, loaded: Any, *, assign: bool
) -> str:
    """Copy *loaded* into a parameter or buffer, or put it in its place; return what went wrong."""
    if not isinstance(loaded, Tensor):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like '
            f"object from checkpoint but received {type(loaded)}"
        )
    if is_lazy(member) and is_lazy(loaded):
        return ""  # both wait
    if member.shape == () and loaded.shape == (1,):
        loaded = loaded[0]  # files of PyTorch 0.3 know no 0-d tensors
    if member.shape != loaded.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {loaded.shape} from checkpoint, "
            f"the shape in current model is {member.shape}."
        )
    try:
        with no_grad():
            if assign:
                setattr(module, name, _as_member(member, loaded))
            else:
                member.copy_(loaded)
    except Exception as error:  # noqa: BLE001 - reported together with all that does not fit
        return (
            f'While copying the parameter named "{key}", whose dimensions in the model are '
            f"{member.shape} and whose dimensions in the checkpoint are {loaded.shape}, an "
            f"exception occurred : {error.args}."
        )
    return ""


def _as_member(member: Tensor, loaded: Tensor) -> Tensor:
    """Return *loaded* as what *member* is: for a parameter, one that requires grad as it does."""
    if not isinstance(member, Parameter):
        return loaded
    if isinstance(loaded, Parameter):
        return loaded.requires_grad_(member.requires_grad)
    return Parameter(loaded, member.requires_grad)


def _overrides(module: Any, method: str) -> bool:
    return getattr(type(module), method) is not getattr(State, method)


def _not_overridden(module: Any, method: str) -> RuntimeError:
    return RuntimeError(
        f"Reached a code path in Module.{method}() that should never be called.\n"
        f"{type(module).__name__}.{method}: expected a subclass that overrides it, found none. "
        "Override get_extra_state() and set_extra_state() together."
    )


def _call_with_module(hook: Callable[..., Any], module: Any, *args: Any) -> Any:
    return hook(module, *args)
