"""What a plugin object must be before any of its hooks is called."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from . import discovery
from .api import API, PluginInfo
from .specs import Hooks

if TYPE_CHECKING:
    import pluggy

    from .records import PluginRecord

HOOKS: Final = frozenset(name for name in vars(Hooks) if name.startswith("chainrule_"))


class ClaimedTwiceError(Exception):
    """Two plugins want one name."""


class IncompatibleError(Exception):
    """A plugin was written for another plugin API than ours, or for another chainrule."""


def check_plugin(plugin: Any, record: PluginRecord) -> PluginInfo:
    """Return the info of *plugin* after checking that it is one, and one for this chainrule."""
    if isinstance(plugin, (type, types.ModuleType)) or not _is_hashable(plugin):
        kind = "class" if isinstance(plugin, type) else type(plugin).__name__
        raise TypeError(
            f"expected a plugin object, got a {kind}. Expose an instance: plugin = MyPlugin()"
        )
    info = getattr(plugin, "info", None)
    if not isinstance(info, PluginInfo):
        raise TypeError(f"expected an attribute info: PluginInfo, got {type(info).__name__}")
    if not record.builtin:
        _check_versions(info, record)
    return info


def _is_hashable(plugin: object) -> bool:
    try:
        hash(plugin)
    except TypeError:
        return False
    return True


def _check_versions(info: PluginInfo, record: PluginRecord) -> None:
    from .. import __version__

    major, _, minor = info.api.partition(".")
    if not (major.isdecimal() and minor.isdecimal()):
        raise IncompatibleError(f"its info.api is {info.api!r}, not of the form '1.0'")
    if int(major) != API[0] or int(minor) > API[1]:
        ours = ".".join(map(str, API))
        raise IncompatibleError(f"written for plugin API {info.api}; this chainrule has {ours}")
    if not discovery.satisfies(__version__, record.requires):
        raise IncompatibleError(f"needs chainrule {record.requires}; this is {__version__}")


def check_hooks(plugin: Any, manager: pluggy.PluginManager) -> tuple[str, ...]:
    """Return the hooks that *plugin* implements after checking that each can be called."""
    names = [name for name in dir(plugin) if name.startswith("chainrule_")]
    for name in names:
        marked = manager.parse_hookimpl_opts(plugin, name) is not None
        if name not in HOOKS and marked:
            api = ".".join(map(str, API))
            raise IncompatibleError(f"implements {name}, unknown to plugin API {api}")
        if name in HOOKS and not marked:
            raise TypeError(f"{name} is not marked: write @hookimpl above it")
        if name in HOOKS and _has_defaults(getattr(plugin, name)):
            raise TypeError(
                f"{name} has an argument with a default, which older pluggy never passes"
            )
    return tuple(name for name in names if name in HOOKS)


def _has_defaults(function: Callable[..., Any]) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(p.default is not inspect.Parameter.empty for p in parameters)
