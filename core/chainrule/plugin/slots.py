"""What the lower layers call when they need a plugin: the host is imported on the first call.

The layers below know nothing of plugins. Each has a slot, filled here by importing this module.
Importing chainrule therefore imports neither pluggy nor the host, and scans nothing.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from .. import backend, kernel_table, ops
from ..ops import creation

if TYPE_CHECKING:
    from ..backend import Backend, Kernel
    from ..errors import KernelNotFoundError
    from ..op import Op


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


def find_missing(op: Op[Any, Any], backend: Backend, error: KernelNotFoundError) -> Kernel:
    """Return another way to run an op without a kernel, or raise what says who has one."""
    from .missing import find_missing as find

    return find(op, backend, error)


def find_foreign(obj: object) -> tuple[Backend, Any] | None:
    """Return the backend that a foreign array belongs to and one of its arrays, if any does."""
    from .foreign import find_foreign as find

    return find(obj)


def tell_resolved(op: Op[Any, Any], backend: Backend) -> None:
    """Tell which kernel an op found, once per op and backend."""
    from .tracing import trace_resolution

    trace_resolution(op, backend)


# By its full name: the attribute chainrule.device is PyTorch's name of the class.
device = importlib.import_module("..device", __package__)

backend.find_backend = find_backend
device.find_type = find_type  # type: ignore[attr-defined]  # import_module gives any module
ops.find_namespace = find_namespace
kernel_table.find_missing = find_missing
creation.find_foreign = find_foreign
if "dispatch" in os.environ.get("CHAINRULE_TRACE", ""):
    kernel_table.on_resolved = tell_resolved
