"""What the lower layers call when they need a plugin: the host is imported on the first call.

The layers below know nothing of plugins. Each has a slot, filled here by importing this module.
Importing chainrule therefore imports neither pluggy nor the host, and scans nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .. import backend, ops

if TYPE_CHECKING:
    from ..backend import Backend


def find_backend(name: str | None, device_type: str | None) -> Backend:
    """Return the live backend *name*, or the one for *device_type*, activated on first need."""
    from .backends import find_backend as find
    from .host import host

    return find(host, name, device_type)


def find_type(kind: str, string: str) -> None:
    """Return if some installed backend serves the device type *kind* of the device *string*."""
    from .backends import find_type as find
    from .host import host

    find(host, kind, string)


def find_namespace(name: str) -> Any:
    """Return the plugins' ops in namespace *name*, loading the plugin that has it."""
    from .host import host
    from .namespaces import find_namespace as find

    return find(host, name)


# By its full name: the attribute chainrule.device is PyTorch's name of the class.
device = importlib.import_module("..device", __package__)

backend.find_backend = find_backend
device.find_type = find_type  # type: ignore[attr-defined]  # import_module gives any module
ops.find_namespace = find_namespace
