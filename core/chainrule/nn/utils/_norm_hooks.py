"""What the hooks share that normalise a weight before each forward pass: one per weight."""

from __future__ import annotations

from typing import Any

from ..parameter import is_lazy


def check_no_other(module: Any, kind: type[Any], what: str, name: str) -> None:
    """Check that *module* has no hook of *kind* for the weight *name*.

    Raises:
        RuntimeError: it has one.
    """
    if any(_is_it(hook, kind, name) for hook in module._forward_pre_hooks.values()):
        msg = f"Cannot register two {what} hooks on the same parameter {name}"
        raise RuntimeError(msg)


def check_initialized(weight: Any, kind: str, what: str) -> None:
    """Check that *weight* is not the placeholder of a lazy module.

    Raises:
        ValueError: it is.
    """
    if is_lazy(weight):
        msg = (
            f"The module passed to `{kind}` can't have uninitialized parameters. Make sure to run "
            f"the dummy forward before applying {what}"
        )
        raise ValueError(msg)


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
