"""The ops of chainrule, one file per family: the only place where maths is stated.

``chainrule.ops.add`` is an op of core; ``chainrule.ops.NAMESPACE.NAME`` one of a plugin, loaded
when the namespace is first named.
"""

from __future__ import annotations

import sys
from typing import Any

# A family's __all__ is the list of what it offers.
from .arithmetic import *  # noqa: F403
from .complex import *  # noqa: F403
from .copying import *  # noqa: F403
from .creation import *  # noqa: F403
from .linalg import *  # noqa: F403
from .pointwise import *  # noqa: F403
from .reductions import *  # noqa: F403
from .shape import *  # noqa: F403

__all__ = [
    name
    for module in list(sys.modules)
    if module.startswith(f"{__name__}.")
    for name in sys.modules[module].__all__
    if not name.startswith("_")
]


def _no_namespace(name: str) -> Any:
    msg = f"module 'chainrule.ops' has no attribute {name!r}"
    raise AttributeError(msg)


#: Asked for a name that core does not have; the plugin layer puts its discovery here.
find_namespace = _no_namespace


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        return _no_namespace(name)
    return find_namespace(name)
