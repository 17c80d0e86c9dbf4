"""``CHAINRULE_TRACE=plugins,dispatch``: tells on standard error what is loaded and resolved.

Loads and resolutions happen once; calls are never traced.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ..backend import Backend
    from ..op import Op
    from .records import PluginRecord

PLUGINS, DISPATCH = "plugins", "dispatch"
TOPICS: Final = (PLUGINS, DISPATCH)


def is_traced(topic: str) -> bool:
    """Return whether the environment asks to be told of *topic*."""
    return topic in os.environ.get("CHAINRULE_TRACE", "").replace(" ", "").split(",")


def trace(topic: str, text: str) -> None:
    """Print *text*, if the environment asks to be told of *topic*."""
    if is_traced(topic):
        print(f"chainrule {topic}: {text}", file=sys.stderr)  # noqa: T201 - that is what it is for


def trace_load(record: PluginRecord) -> None:
    """Tell that a plugin was loaded, or why it was not."""
    gives = ", ".join([*record.backends, *record.ops]) or "kernels or hooks"
    outcome = gives if record.serves else record.reason
    trace(PLUGINS, f"{record}: {record.state}, {record.load_ms:.1f} ms: {outcome}")


def trace_resolution(op: Op[Any, Any], backend: Backend) -> None:
    """Tell which kernel an op found on a backend."""
    from .explanation import explain

    trace(DISPATCH, f"{op.name} on {backend.name}: {explain(op, backend=backend.name).runs}")
