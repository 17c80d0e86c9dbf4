"""Plugins: how backends, ops and kernels come in. pluggy runs when one is loaded, never per op.

A plugin is an ordinary object with an `info` and hook methods, found by an entry point:

- ``specs``: the hooks, all on one page;
- ``api``: what a plugin imports (`hookimpl`, `PluginInfo`);
- ``builtin``: those that ship with chainrule, the one place in core where backends have names;
- ``discovery``, ``selection``, ``records``: what is installed, may be loaded, and became of it;
- ``host``: loading, checking, and calling hooks, one plugin at a time;
- ``finding``, ``choosing``, ``backends``, ``kernels``, ``namespaces``, ``foreign``: what is made
  of the answers;
- ``control``: what a program may say about plugins;
- ``explanation``, ``tracing``: which kernel runs, whose it is, and what was passed over;
- ``missing``: what happens where an op has no kernel.

Importing chainrule imports none of these but ``slots``: functions that load the rest on first need.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from . import slots as slots  # whoever imports this package has them filled

if TYPE_CHECKING:
    from ..backend import Backend, BackendSpec, KernelDef, KernelSet
    from ..op import NOT_IMPLEMENTED, composite, primitive
    from .api import API, PluginInfo, hookimpl
    from .control import allow, block, list, pin, prefer, register, unload  # noqa: A004 - as there
    from .explanation import Explanation, explain
    from .missing import Stats, fallback, stats
    from .records import FallbackWarning, PluginLoadWarning, PluginRecord

__all__ = [
    "API", "NOT_IMPLEMENTED", "Backend", "BackendSpec", "Explanation", "FallbackWarning",
    "KernelDef", "KernelSet", "PluginInfo", "PluginLoadWarning", "PluginRecord", "Stats", "allow",
    "block", "composite", "explain", "fallback", "hookimpl", "list", "pin", "prefer", "primitive",
    "register", "stats", "unload",
]  # fmt: skip

_HOME: Final = {
    **dict.fromkeys(("API", "PluginInfo", "hookimpl"), ".api"),
    **dict.fromkeys(("allow", "block", "list", "pin", "prefer", "register", "unload"), ".control"),
    **dict.fromkeys(("Explanation", "explain"), ".explanation"),
    **dict.fromkeys(("Stats", "fallback", "stats"), ".missing"),
    **dict.fromkeys(("FallbackWarning", "PluginLoadWarning", "PluginRecord"), ".records"),
    **dict.fromkeys(("Backend", "BackendSpec", "KernelDef", "KernelSet"), "..backend"),
    **dict.fromkeys(("NOT_IMPLEMENTED", "composite", "primitive"), "..op"),
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name], __name__), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
