"""Fills the slots that lower layers keep for discovery, with functions that import the host on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import backend as _backend

if TYPE_CHECKING:
    from ..backend import Backend


def find_backend(name: str | None, device_type: str | None) -> Backend:
    """Return the backend *name*, or the one that serves *device_type*, activated."""
    from .host import host

    return host.find_backend(name, device_type)


_backend.find_backend = find_backend
