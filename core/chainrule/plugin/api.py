"""All that a plugin imports from chainrule's plugin layer. It imports nothing of chainrule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pluggy

__all__ = ["API", "PluginInfo", "hookimpl"]

#: The plugin API of this chainrule: major and minor. A plugin written for an older minor loads.
API: Final = (1, 0)

#: Marks a method of a plugin object as the implementation of the hook of its name.
hookimpl = pluggy.HookimplMarker("chainrule")


@dataclass(frozen=True, kw_only=True)
class PluginInfo:
    """What a plugin says of itself.

    Args:
        name: The name of its entry point.
        api: The plugin API it was written for, like ``"1.0"``.
        namespaces: The op namespaces it may define.
        summary: One line for listings.
        homepage: Where to read more.
        maturity: ``"stable"`` or ``"experimental"``.
    """

    name: str
    api: str
    namespaces: tuple[str, ...] = ()
    summary: str = ""
    homepage: str = ""
    maturity: str = "stable"
