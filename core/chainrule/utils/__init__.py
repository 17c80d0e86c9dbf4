"""What goes with tensors: data loading, checkpointing, trees of containers."""

from __future__ import annotations

import importlib
from typing import Any

from . import hooks

__all__ = ["hooks"]

#: Imported when they are first named.
_SUBMODULES = frozenset({
    "_foreach_utils", "_python_dispatch", "_pytree", "benchmark", "checkpoint", "cpp_extension",
    "data", "deterministic", "dlpack", "flop_counter", "mobile_optimizer", "model_zoo",
    "tensorboard", "weak",
})  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES})
