"""Differentiation with PyTorch's names: `backward`, `grad`, `Function`, the grad modes."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from ..anomaly import detect_anomaly, set_detect_anomaly
from ..differentiate import backward, grad
from ..function import Function
from ..grad_mode import (
    enable_grad,
    is_multithreading_enabled,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)
from ..inference import inference_mode
from ..traces import words
from . import anomaly_mode, function, functional, grad_mode, graph, variable
from ._versions import _unsafe_preserve_version_counter  # noqa: F401 - PyTorch has it here
from .gradcheck import gradcheck, gradgradcheck
from .variable import Variable

__all__ = [
    "Function", "Variable", "anomaly_mode", "backward", "detect_anomaly", "enable_grad", "function",
    "functional", "grad", "grad_mode", "gradcheck", "gradgradcheck", "graph", "inference_mode",
    "is_multithreading_enabled", "no_grad", "set_detect_anomaly", "set_grad_enabled",
    "set_multithreading_enabled", "variable",
]  # fmt: skip

#: Names that are imported when first asked for, and where they are.
_LATER = {
    "explain_grad": "explaining",
    "LintWarning": "linting",
    "grad_report": "reporting",
    "graph_stats": "reporting",
    "lint": "linting",
    "refuse_saved_writes": "_strict_writes",
    "safe_where": "selecting",
    "to_dot": "drawing",
    "to_html": "drawing",
    "to_mermaid": "drawing",
    "to_text": "drawing",
    "track_origins": "origins",
    "trainable_summary": "reporting",
}

#: Modules that are imported when first asked for.
_MODULES = frozenset({
    "drawing", "explaining", "forward_ad", "linting", "origins", "profiler", "reporting",
})  # fmt: skip


def _name_of(tensor: Any) -> str | None:
    """Return what a user calls a tensor, for error messages."""
    found: str | None = importlib.import_module("._naming", __name__).name_of(tensor)
    return found


words.name_of = _name_of


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name not in _LATER:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg, name=name, obj=sys.modules[__name__])
    found = getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *_MODULES})
