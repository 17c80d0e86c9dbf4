"""Subpackages that are imported when first named, so that ``import chainrule`` is quick."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SUBPACKAGES = frozenset({
    "_C", "cuda", "datasets", "fft", "func", "linalg", "nn", "optim", "plugin", "random",
    "serialization", "special", "testing", "utils",
})  # fmt: skip

#: Names of the top level that live in a subpackage.
MOVED = {
    "Generator": "random",
    "default_generator": "random",
    "explain": "plugin",
    "explain_grad": "autograd.explaining",
    "fallback": "plugin",
    "get_rng_state": "random",
    "initial_seed": "random",
    "load": "serialization",
    "manual_seed": "random",
    "prefer": "plugin",
    "save": "serialization",
    "seed": "random",
    "set_rng_state": "random",
    "stats": "plugin",
    "vmap": "func",
}


def lazy_attributes(
    package: str, names: dict[str, Any]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for *package*, whose namespace is *names*."""

    def __getattr__(name: str) -> Any:  # noqa: N807 - becomes the package's own
        if name in MOVED:
            found = getattr(importlib.import_module(f"{package}.{MOVED[name]}"), name)
        elif name in SUBPACKAGES:
            found = importlib.import_module(f"{package}.{name}")
        else:
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg)
        names[name] = found
        return found

    def __dir__() -> list[str]:  # noqa: N807 - likewise
        return sorted({*names, *SUBPACKAGES, *MOVED})

    return __getattr__, __dir__
