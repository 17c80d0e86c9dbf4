"""Freezing parts of a module by the names of its parameters."""

from __future__ import annotations

import contextlib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..modules.module import Module
    from ..parameter import Parameter

__all__ = ["freeze", "frozen", "unfreeze"]


def freeze(module: Module, *patterns: str) -> list[str]:
    """Let the parameters whose names fit a pattern require no grad; return those that changed.

    A frozen parameter costs no memory in the backward pass, and optimizers leave it alone, momentum
    and weight decay included. A gradient that it has already is kept.

    Args:
        module: The module.
        patterns: Names as ``named_parameters()`` gives them, with ``*`` and ``?`` as in file names;
            the name of a child stands for all that is in it. All parameters without a pattern.

    Returns:
        The names of the parameters that were trainable before.

    Raises:
        ValueError: a pattern fits no parameter.

    >>> import chainrule as cr
    >>> model = cr.nn.Sequential(cr.nn.Linear(2, 2), cr.nn.Linear(2, 1))
    >>> freeze(model, "0", "*.bias")
    ['0.weight', '0.bias', '1.bias']
    >>> unfreeze(model, "1.bias")
    ['1.bias']
    """
    return _set(module, patterns, requires_grad=False)


def unfreeze(module: Module, *patterns: str) -> list[str]:
    """Undo `freeze`: let parameters require grad again; return the names of those that changed.

    Args:
        module: The module.
        patterns: See `freeze`.

    Raises:
        ValueError: a pattern fits no parameter.
    """
    return _set(module, patterns, requires_grad=True)


@contextlib.contextmanager
def frozen(module: Module, *patterns: str) -> Iterator[Module]:
    """Freeze the parameters whose names fit a pattern inside the block; then all is as before.

    Args:
        module: The module.
        patterns: See `freeze`.

    Yields:
        The module.

    Raises:
        ValueError: a pattern fits no parameter.

    >>> import chainrule as cr
    >>> critic = cr.nn.Linear(2, 1)
    >>> with frozen(critic):
    ...     critic.weight.requires_grad
    False
    >>> critic.weight.requires_grad
    True
    """
    chosen = [parameter for _, parameter in _chosen(module, patterns)]
    before = [parameter.requires_grad for parameter in chosen]
    try:
        for parameter in chosen:
            parameter.requires_grad_(False)
        yield module
    finally:
        for parameter, flag in zip(chosen, before, strict=True):
            parameter.requires_grad_(flag)


def _set(module: Module, patterns: tuple[str, ...], *, requires_grad: bool) -> list[str]:
    changed = []
    for name, parameter in _chosen(module, patterns):
        if parameter.requires_grad is not requires_grad:
            parameter.requires_grad_(requires_grad)
            changed.append(name)
    return changed


def _chosen(module: Module, patterns: tuple[Any, ...]) -> list[tuple[str, Parameter]]:
    """Return the parameters whose names fit one of *patterns*, each once."""
    named = list(module.named_parameters())
    if not patterns:
        return named
    every = list(module.named_parameters(remove_duplicate=False))
    for pattern in patterns:
        if not any(_fits(name, pattern) for name, _ in every):
            known = ", ".join(name for name, _ in every[:8])
            more = f" and {len(every) - 8} more" if len(every) > 8 else ""
            msg = (
                f"freeze: expected a pattern that fits a parameter, got {pattern!r}. There are "
                f"{known or 'none'}{more}."
            )
            raise ValueError(msg)
    wanted = {id(p) for name, p in every if any(_fits(name, pattern) for pattern in patterns)}
    return [(name, parameter) for name, parameter in named if id(parameter) in wanted]


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")
