"""Modules as functions of their parameters."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ..._warn import warn
from ...errors import AutogradError
from ...tensor import Tensor
from ..modules.module import Module

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["functional_call"]

#: In place of a tensor that a module has not.
_ABSENT: Any = object()


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call *module* with other parameters and buffers; use `chainrule.func.functional_call`.

    Args:
        module: What is called.
        parameters_and_buffers: Tensors by their names, in place of its own.
        args: The arguments of the call: one, or a tuple.
        kwargs: Those by name.
        tie_weights: A tensor that the module has under several names is replaced under all.
        strict: All parameters and buffers must be given, and no others.

    Raises:
        RuntimeError: with *strict*, one is missing or unknown.
    """
    warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be "
        "removed in a future version of PyTorch. Please use `torch.func.functional_call` instead "
        "which is a drop-in replacement.",
        FutureWarning,
        stacklevel=2,
    )
    return _functional_call(
        module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict
    )


def _functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _reparametrize_module(
        module, parameters_and_buffers, tie_weights=tie_weights, strict=strict
    ):
        return module(*args, **(kwargs or {}))


@contextlib.contextmanager
def _reparametrize_module(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    tie_weights: bool = False,
    strict: bool = False,
    stack_weights: bool = False,
) -> Iterator[None]:
    """Let *module* have other parameters and buffers inside the block.

    What its forward puts in the place of a given tensor is put into *parameters_and_buffers*.
    """
    chosen = dict(parameters_and_buffers)
    if tie_weights:
        chosen = _with_ties(module, chosen)
    if strict:
        _expect_all(module, chosen)
    places = {name: _place_of(module, name) for name in chosen}
    before = {}
    try:
        for name, (owner, key) in places.items():
            before[name] = _swap(owner, key, chosen[name])
        yield
    finally:
        for name, old in reversed(before.items()):
            owner, key = places[name]
            new = _swap(owner, key, old)
            if name in parameters_and_buffers and new is not parameters_and_buffers[name]:
                parameters_and_buffers[name] = new


def _place_of(module: Module, name: str) -> tuple[Module, str]:
    path, _, key = name.rpartition(".")
    owner: Any = module
    walked: list[str] = []
    for part in path.split(".") if path else ():
        if not hasattr(owner, part):
            msg = f"{owner._get_name()} has no attribute `{part}`"
            raise AttributeError(msg)
        owner = getattr(owner, part)
        walked.append(part)
        if not isinstance(owner, Module):
            msg = f"submodule `{'.'.join(walked)}`: {owner} is not an instance of torch.nn.Module"
            raise TypeError(msg)
    return owner, key


def _swap(owner: Module, key: str, value: Any) -> Any:
    """Put *value* where *owner* keeps *key*, which may be new to it; return what was there.

    Raises:
        KeyError: *key* is empty.
        TypeError: what comes or what was there is no tensor.
    """
    if not key:
        msg = 'tensor name can\'t be empty string ""'
        raise KeyError(msg)
    if not (value is None or value is _ABSENT or isinstance(value, Tensor)):
        msg = f"{value} is not an instance of torch.Tensor"
        raise TypeError(msg)
    registers: tuple[dict[str, Any], ...] = owner._parameters, owner._buffers
    for register in registers:
        if key in register:
            old, register[key] = register[key], value
            return old
    old = getattr(owner, key, _ABSENT)
    if not (old is _ABSENT or isinstance(old, Tensor)):
        msg = f"attribute `{key}`: {old} is not an instance of torch.Tensor"
        raise TypeError(msg)
    if value is _ABSENT:
        object.__delattr__(owner, key)
    else:
        object.__setattr__(owner, key, value)
    return old


def _names(module: Module) -> dict[str, Tensor]:
    """Return all parameters and buffers by all their names."""
    found: dict[str, Tensor] = dict(module.named_parameters(remove_duplicate=False))
    found.update(module.named_buffers(remove_duplicate=False))
    return found


def _with_ties(module: Module, chosen: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return *chosen* with a tensor for each other name of what is replaced.

    Raises:
        ValueError: two names of one tensor are given two tensors.
    """
    by_tensor: dict[int, list[str]] = {}
    for name, tensor in _names(module).items():
        by_tensor.setdefault(id(tensor), []).append(name)
    made = dict(chosen)
    for names in by_tensor.values():
        given = [name for name in names if name in chosen]
        if len({id(chosen[name]) for name in given}) > 1:
            msg = (
                f"functional_call got multiple values for keys {sorted(given)}, which are tied. "
                "Consider using tie_weights=False"
            )
            raise ValueError(msg)
        if given:
            made.update(dict.fromkeys(names, chosen[given[0]]))
    return made


def _expect_all(module: Module, chosen: dict[str, Tensor]) -> None:
    """Check that *chosen* has every name, and no other.

    Raises:
        RuntimeError: it does not.
    """
    names = set(_names(module))
    unexpected, missing = sorted(chosen.keys() - names), sorted(names - chosen.keys())
    lines = []
    if unexpected:
        lines.append(f"\n\tUnexpected key(s): {', '.join(map(repr, unexpected))}.")
    if missing:
        lines.append(f"\n\tMissing key(s): {', '.join(map(repr, missing))}.")
    if lines:
        msg = f"Error(s) in reparametrizing for {module._get_name()}:{''.join(lines)}"
        raise AutogradError(msg)
