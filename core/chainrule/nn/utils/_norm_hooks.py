"""What the hooks share that normalise a weight before each forward pass: one per weight."""

from __future__ import annotations

from typing import Any


def check_no_other(module: Any, kind: type[Any], what: str, name: str) -> None:
    """Check that *module* has no hook of *kind* for the weight *name*.

    Raises:
        RuntimeError: it has one.
    """
    if any(_is_it(hook, kind, name) for hook in module._forward_pre_hooks.values()):
        msg = f"Cannot register two {what} hooks on the same parameter {name}"
        raise RuntimeError(msg)


def remove(module: Any, kind: type[Any], what: str, name: str) -> Any:
    """Make the weight *name* a parameter again, without its hook of *kind*; return *module*.

    Raises:
        ValueError: there is no such hook.
    """
    for key, hook in module._forward_pre_hooks.items():
        if _is_it(hook, kind, name):
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    msg = f"{what} of '{name}' not found in {module}"
    raise ValueError(msg)


def _is_it(hook: Any, kind: type[Any], name: str) -> bool:
    return isinstance(hook, kind) and hook.name == name
